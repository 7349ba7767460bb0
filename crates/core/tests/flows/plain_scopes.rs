//! Plain scopes: asked for as they stand, with an API, claims, groups, and what they give.

use grantor_core::base::error::ErrorCode::InvalidScope;
use grantor_core::endpoints::authorize::ConsentDecision::Approve;
use grantor_core::endpoints::metadata;
use grantor_core::model::claim_mapping::{Carrier, ClaimMapping, Source};
use grantor_core::model::plain_scope::PlainScope;
use grantor_core::model::realm::Realm;
use grantor_core::model::right::Rights;
use serde_json::json;

use grantor_testkit::world::{World, declared_user};
use grantor_testkit::{AuthorizationRequest, PORTAL, WIKI, client, declared, scope};

const READ: &str = "orders.example.com/read";

fn claims(source: &str) -> ClaimMapping {
    let source: Source = source.parse().expect("a source");
    ClaimMapping::new(Carrier::IdToken, [("tier".to_owned(), source)]).expect("claims")
}

/// Of two plain scopes: `inspect` for orders, with a claim, and `hello` for no API.
fn declare(realm: &mut Realm) {
    let inspect = PlainScope {
        declared: declared("Look into your orders"),
        resource: Some("orders.example.com".to_owned()),
        claims: claims("user.tier"),
        gives: Rights::NONE,
    };
    let hello = PlainScope {
        declared: declared("Say hello"),
        ..PlainScope::default()
    };
    let both = [("inspect".to_owned(), inspect), ("hello".to_owned(), hello)];
    realm.plain_scopes = both.into();
    for id in ["tv", PORTAL, WIKI] {
        let own = "openid profile inspect hello offline_access";
        client(realm, id).scopes = scope(&format!("{own} {READ} files.example.com/read"));
    }
    client(realm, "orders").scopes = scope(&format!("inspect hello {READ}"));
}

/// A world in which alice has a tier, which the operator wrote.
fn world() -> World {
    let mut world = World::with(declare);
    let mut user = declared_user("alice", true);
    user.claims.insert("tier".to_owned(), json!("gold"));
    assert_eq!(world.provision(user), Some(true));
    world
}

fn request(scope: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(PORTAL).with("scope", scope)
}

#[test]
fn a_plain_scope_is_asked_for_as_it_stands_and_decides_the_audience() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, &request("openid inspect"));
    let access = world.claims(&tokens.access);
    assert_eq!(access["scope"], "inspect openid");
    assert_eq!(access["aud"], "https://orders.example.com");
    let tokens = world.app_tokens(&alice, &request("openid hello"));
    let access = world.claims(&tokens.access);
    assert_eq!(
        (&access["scope"], &access["aud"]),
        (&json!("hello openid"), &json!(world.realm.issuer))
    );
    // A token is for one API: that of `inspect` is another one.
    let several = request("inspect files.example.com/read");
    assert_eq!(world.authorize(&alice, &several).error(), InvalidScope);
    let machine = world.machine_token("orders", &[("scope", "inspect")]);
    let machine = machine.expect("tokens");
    assert_eq!(
        world.claims(&machine.access)["aud"],
        "https://orders.example.com"
    );
}

#[test]
fn its_claims_are_in_userinfo_and_id_token_where_it_was_granted() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let mut tiers = |scope: &str| {
        let tokens = world.app_tokens(&alice, &request(scope));
        let userinfo = world.userinfo(&tokens.access).expect("claims");
        let id = world.claims(tokens.id.as_deref().expect("an ID token"));
        let access = world.claims(&tokens.access);
        [userinfo, id, access].map(|claims| claims.get("tier").cloned())
    };
    let gold = Some(json!("gold"));
    assert_eq!(tiers("openid inspect"), [gold.clone(), gold, None]);
    assert_eq!(tiers("openid hello"), [None, None, None]);
}

#[test]
fn its_claims_go_with_the_group_that_limits_it() {
    let mut world = world();
    world.reconfigure(|realm| {
        let inspect = realm.plain_scopes.get_mut("inspect").expect("a scope");
        inspect.declared.groups = Some(vec!["staff".to_owned()]);
    });
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, &request("openid inspect"));
    assert_eq!(
        world.userinfo(&tokens.access).expect("claims")["tier"],
        "gold"
    );
    let mut user = declared_user("alice", true);
    user.claims.insert("tier".to_owned(), json!("gold"));
    user.groups = Some(Vec::new());
    world.provision(user);
    let userinfo = world.userinfo(&tokens.access).expect("claims");
    assert_eq!(userinfo.get("tier"), None);
    let next = world.refresh(PORTAL, tokens.refresh()).expect("tokens");
    assert_eq!(next.scope, "openid");
    let id = world.claims(next.id.as_deref().expect("an ID token"));
    assert_eq!(id.get("tier"), None);
}

#[test]
fn the_metadata_names_plain_scopes() {
    let world = world();
    let document = metadata::document(&world.realm, &["en"]);
    let named = document["scopes_supported"].as_array().expect("a list");
    for token in ["inspect", "hello", "openid", READ] {
        assert!(named.contains(&json!(token)), "{token}");
    }
}

#[test]
fn an_exchange_maps_plain_scopes_like_those_of_an_api() {
    let mut world = World::with_exchange();
    world.reconfigure(declare);
    world.reconfigure(|realm| {
        let shipping = PlainScope {
            resource: Some("shipping.example.com".to_owned()),
            ..PlainScope::default()
        };
        realm.plain_scopes.insert("ship".to_owned(), shipping);
        realm.exchange[0].scopes = [("inspect".to_owned(), scope("ship hello"))].into();
    });
    let tokens = world.device_tokens_with("tv", "alice", &[("scope", "inspect")]);
    let exchanged = world
        .exchange("orders", &tokens.access, &[])
        .expect("a token");
    assert_eq!(
        exchanged.scope, "ship",
        "a scope without an API is not of the target"
    );
}

/// The group `developers` may manage apps of its own, and `admins` everything. `hello` counts as both of these rights.
fn gives_rights(realm: &mut Realm) {
    realm.api.admins = vec!["admins".to_owned()];
    realm.api.developers = vec!["developers".to_owned()];
    let hello = realm.plain_scopes.get_mut("hello").expect("a scope");
    hello.gives = Rights::of_scope(&scope("grantor/clients:own grantor/keys:write"));
}

/// What a member of this group is given who asks for `hello`.
fn given(world: &mut World, group: &str) -> String {
    let mut user = declared_user("alice", true);
    user.groups = Some(vec![group.to_owned()]);
    world.provision(user);
    let alice = world.signed_in("alice");
    world.app_tokens(&alice, &request("openid hello")).scope
}

#[test]
fn a_scope_that_gives_rights_is_given_only_to_who_could_have_them() {
    let mut world = world();
    assert_eq!(given(&mut world, "staff"), "hello openid");
    world.reconfigure(gives_rights);
    assert_eq!(given(&mut world, "staff"), "openid");
    assert_eq!(given(&mut world, "developers"), "openid", "it gives more");
    assert_eq!(given(&mut world, "admins"), "hello openid");
    // Its own groups limit it, too.
    world.reconfigure(|realm| {
        let hello = realm.plain_scopes.get_mut("hello").expect("a scope");
        hello.declared.groups = Some(vec!["greeters".to_owned()]);
    });
    assert_eq!(given(&mut world, "admins"), "openid");
}

#[test]
fn consent_to_a_scope_that_gives_rights_is_asked_for_each_time() {
    let mut world = world();
    world.reconfigure(gives_rights);
    assert_eq!(given(&mut world, "admins"), "hello openid");
    let alice = world.signed_in("alice");
    let asks = AuthorizationRequest::new(WIKI).with("scope", "openid hello");
    for _ in 0..2 {
        let page = world.authorize(&alice, &asks).consent();
        assert_eq!(page.asked.scope, scope("hello openid"));
        world.decide_on(&alice, &asks, &page, Approve).code();
    }
    let less = AuthorizationRequest::new(WIKI).with("scope", "openid");
    world.authorize(&alice, &less).code();
}

#[test]
fn scopes_stand_for_the_rights_that_they_give() {
    let mut world = world();
    world.reconfigure(gives_rights);
    let rights = |text: &str| world.realm.rights_given_by(&scope(text));
    assert!(rights("openid inspect").is_empty());
    let both = Rights::of_scope(&scope("grantor/clients:own grantor/keys:write"));
    assert_eq!(rights("hello openid"), both);
}
