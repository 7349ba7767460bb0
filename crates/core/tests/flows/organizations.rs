//! Organizations: whom their clients are there for, and what a disabled one ends.

use grantor_core::base::error::ErrorCode::{
    AccessDenied, InvalidClient, InvalidGrant, InvalidToken,
};
use grantor_core::endpoints::authorize::ConsentDecision::{Approve, Deny};
use grantor_core::model::organization::{Availability, Organization};
use grantor_core::model::realm::Realm;
use grantor_core::people::{ChangeUser, ChangeUserReply, UserChange, Withheld};

use grantor_testkit::world::{Browser, CodeLookup, Decided, SignedIn, World, declared_user};
use grantor_testkit::{AuthorizationRequest, PORTAL, REFRESH_TOKEN, WIKI, client, rule, user_id};

const CLIENTS: [&str; 3] = ["tv", PORTAL, WIKI];

fn organization(realm: &mut Realm, id: &str, enabled: bool) {
    let organization = Organization {
        id: id.parse().expect("an id"),
        name: format!("The {id}"),
        enabled,
    };
    realm
        .organizations
        .insert(organization.id.clone(), organization);
}

fn set_enabled(world: &mut World, id: &str, enabled: bool) {
    world.reconfigure(|realm| organization(realm, id, enabled));
}

/// A world in which alice and the clients are of `acme`, and these are there for its users alone.
fn world() -> World {
    let mut world = World::with(|realm| {
        organization(realm, "acme", true);
        organization(realm, "other", true);
        for id in CLIENTS {
            let client = client(realm, id);
            client.organization = Some("acme".parse().expect("an id"));
            client.availability = Availability::Organization;
        }
    });
    move_to(&mut world, "alice", Some("acme"));
    world
}

fn move_to(world: &mut World, username: &str, id: Option<&str>) {
    let mut user = declared_user(username, true);
    user.organization = id.map(|id| id.parse().expect("an id"));
    world.provision(user);
}

#[test]
fn an_organizations_client_is_there_for_its_users() {
    let mut world = world();
    let alice = world.signed_in("alice");
    assert!(
        world
            .app_tokens(&alice, &AuthorizationRequest::new(PORTAL))
            .id
            .is_some()
    );
    let tokens = world.device_tokens("tv", "alice");
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

#[test]
fn others_see_a_page_that_leads_back_with_access_denied() {
    let mut world = world();
    move_to(&mut world, "bob", Some("other"));
    world.provision(declared_user("carol", true));
    for name in ["bob", "carol"] {
        let browser = world.signed_in(name);
        for id in [PORTAL, WIKI] {
            let asks = AuthorizationRequest::new(id);
            let page = world.authorize(&browser, &asks).consent();
            assert_eq!(page.withheld, Some(Withheld::Client));
            let again = world.decide_on(&browser, &asks, &page, Approve).consent();
            assert_eq!(again.withheld, Some(Withheld::Client));
            let back = world.decide_on(&browser, &asks, &page, Deny);
            assert_eq!(back.error(), AccessDenied);
            let silent = asks.with("prompt", "none");
            assert_eq!(world.authorize(&browser, &silent).error(), AccessDenied);
        }
    }
}

#[test]
fn others_cannot_approve_its_devices() {
    let mut world = world();
    let codes = world.device_codes("tv");
    let bob = world.signed_in("bob");
    let looked = world.type_code(&bob, &codes.user);
    assert!(matches!(looked, CodeLookup::Withheld(Withheld::Client)));
    assert_eq!(world.decide(&bob, &codes, true), Decided::Withheld);
    world.approve("alice", &codes);
    assert!(world.poll(&codes).is_ok());
}

#[test]
fn who_moves_away_cannot_redeem_or_refresh_and_can_again_on_return() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, &AuthorizationRequest::new(PORTAL));
    let code = world
        .authorize(&alice, &AuthorizationRequest::new(PORTAL))
        .code();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    move_to(&mut world, "alice", Some("other"));
    assert_eq!(world.redeem(PORTAL, &code), Err(InvalidGrant));
    assert_eq!(world.poll(&codes), Err(InvalidGrant));
    assert_eq!(world.refresh(PORTAL, tokens.refresh()), Err(InvalidGrant));
    move_to(&mut world, "alice", Some("acme"));
    assert!(world.redeem(PORTAL, &code).is_ok());
    assert!(world.poll(&codes).is_ok());
    assert!(world.refresh(PORTAL, tokens.refresh()).is_ok());
}

#[test]
fn who_moved_away_has_no_refresh_token_to_exchange() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        organization(realm, "acme", true);
        let orders = client(realm, "orders");
        orders.organization = Some("acme".parse().expect("an id"));
        orders
            .grants
            .push(grantor_core::grants::GrantType::DeviceCode);
        orders.availability = Availability::Organization;
        let scopes = [("orders.example.com/read", "shipping.example.com/read")];
        realm.exchange = vec![rule("orders", "shipping.example.com", &scopes)];
        realm.exchange[0].subject.kinds =
            vec![grantor_core::model::exchange_rule::TokenKind::RefreshToken];
    });
    move_to(&mut world, "alice", Some("acme"));
    let tokens = world.device_tokens("orders", "alice");
    let more = [("subject_token_type", REFRESH_TOKEN)];
    assert!(world.exchange("orders", tokens.refresh(), &more).is_ok());
    move_to(&mut world, "alice", None);
    assert!(world.exchange("orders", tokens.refresh(), &more).is_err());
}

#[test]
fn a_client_for_its_owner_is_there_for_no_one_else() {
    let mut world = World::with(|realm| {
        let portal = client(realm, PORTAL);
        portal.availability = Availability::Owner;
        portal.owner = Some(user_id("alice"));
        client(realm, WIKI).availability = Availability::Owner;
    });
    let (alice, bob) = (world.signed_in("alice"), world.signed_in("bob"));
    let asks = AuthorizationRequest::new(PORTAL);
    world.authorize(&alice, &asks).code();
    assert!(world.authorize(&bob, &asks).consent().withheld.is_some());
    let unowned = AuthorizationRequest::new(WIKI);
    assert!(
        world
            .authorize(&alice, &unowned)
            .consent()
            .withheld
            .is_some()
    );
}

#[test]
fn a_client_without_its_organization_is_there_for_no_one() {
    let mut world = world();
    world.reconfigure(|realm| client(realm, PORTAL).organization = None);
    world.provision(declared_user("alice", true));
    let alice = world.signed_in("alice");
    let asks = AuthorizationRequest::new(PORTAL);
    assert!(world.authorize(&alice, &asks).consent().withheld.is_some());
}

#[test]
fn users_of_a_disabled_organization_are_as_disabled() {
    let mut world = world();
    let alice = world.signed_in("alice");
    // Of clients that belong to no organization.
    let tokens = world.device_tokens("console", "alice");
    set_enabled(&mut world, "acme", false);
    let (mut browser, password) = (Browser::new(), "alice-password");
    let again = world.sign_in(&mut browser, "alice", password);
    assert_eq!(again, SignedIn::Wrong, "as with any disabled account");
    assert_eq!(world.visitor(&alice), None);
    assert_eq!(
        world.refresh("console", tokens.refresh()),
        Err(InvalidGrant)
    );
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    assert!(!world.is_active("console", &tokens.access));
    set_enabled(&mut world, "acme", true);
    assert!(world.visitor(&alice).is_some());
    assert!(world.refresh("console", tokens.refresh()).is_ok());
}

#[test]
fn clients_of_a_disabled_organization_are_as_disabled() {
    let mut world = world();
    let tokens = world.device_tokens("tv", "alice");
    move_to(&mut world, "alice", None);
    world.reconfigure(|realm| client(realm, "tv").availability = Availability::Everyone);
    set_enabled(&mut world, "acme", false);
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidClient));
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    let codes = world.device_codes_with("tv", &[]).expect_err("no codes");
    assert_eq!(codes.code, InvalidClient);
    let alice = world.signed_in("alice");
    let asks = AuthorizationRequest::new(PORTAL);
    let page = world.authorize(&alice, &asks);
    assert!(format!("{page:?}").contains("not known here"));
    set_enabled(&mut world, "acme", true);
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

#[test]
fn an_organization_that_is_gone_counts_as_disabled() {
    let mut world = world();
    let alice = world.signed_in("alice");
    world.reconfigure(|realm| realm.organizations.clear());
    assert_eq!(world.visitor(&alice), None);
    let codes = world.device_codes_with("tv", &[]).expect_err("no codes");
    assert_eq!(codes.code, InvalidClient);
}

#[test]
fn an_operator_moves_a_user_only_to_an_organization_that_is_there() {
    let mut world = world();
    let mut change = |username: &str, id: Option<&str>| {
        let organization = Some(id.map(|id| id.parse().expect("an id")));
        let change = UserChange {
            organization,
            ..UserChange::default()
        };
        let username = username.to_owned();
        let Ok(reply) = world.ask(ChangeUser { username, change }).reply;
        reply
    };
    let unknown = change("bob", Some("nowhere"));
    assert_eq!(unknown, ChangeUserReply::UnknownOrganization);
    let done = |reply| matches!(reply, ChangeUserReply::Done { changed: true, .. });
    assert!(done(change("bob", Some("other"))));
    assert!(done(change("bob", None)));
    let declared = ChangeUserReply::Declared("organization".to_owned());
    assert_eq!(change("alice", None), declared, "the file says it");
}
