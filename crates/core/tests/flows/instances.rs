//! A name that is used again stands for another client, who inherits nothing.

use grantor_core::base::error::ErrorCode::InvalidGrant;
use grantor_core::endpoints::authorize::{AuthorizeReply, ConsentDecision};
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::ids::{ClientId, ClientInstance};
use grantor_core::people::{ProvisionClients, WithdrawClient};

use grantor_testkit::world::{Decided, World};
use grantor_testkit::{AuthorizationRequest, SHIPPING, client};

/// A realm whose server has started before.
fn started() -> World {
    let mut world = World::new();
    world.start();
    world
}

fn id(text: &str) -> ClientId {
    text.parse().expect("a client id")
}

/// Someone else declares a client of this id.
fn declare_again(world: &mut World, id: &str) {
    let withdrawn = world.withdraw_client(id);
    world.declare_client(withdrawn);
}

#[test]
fn a_client_that_is_declared_again_has_none_of_the_first_ones_grants() {
    let mut world = started();
    let tokens = world.device_tokens("console", "alice");
    let retry = world.refresh("console", tokens.refresh()).expect("tokens");
    declare_again(&mut world, "console");
    for token in [&tokens, &retry] {
        let (cost, reply) = world.cost(|world| world.refresh("console", token.refresh()));
        assert_eq!((cost[1], reply), (0, Err(InvalidGrant)));
        assert!(!world.is_active("console", token.refresh()));
        assert!(!world.is_active("console", &token.access));
        assert!(world.userinfo(&token.access).is_err());
        assert_eq!(
            world.revoke("console", token.refresh()),
            Err(InvalidGrant),
            "it is another's"
        );
    }
    let tokens = world.device_tokens("console", "alice");
    assert!(world.refresh("console", tokens.refresh()).is_ok());
}

#[test]
fn an_answer_on_the_page_of_an_earlier_client_is_none_to_its_successor() {
    let mut world = started();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa");
    world.authorize(&alice, &request).consent();
    let answer = world.consent_answer(&request, ConsentDecision::Approve);
    declare_again(&mut world, "spa");
    let outcome = world.ask(alice.authorize(&request, Some(answer)));
    assert!(
        matches!(outcome.reply, Ok(AuthorizeReply::Consent(_))),
        "she is asked about the new one: {:?}",
        outcome.reply
    );
    world.consent(&alice, &request).code();
}

#[test]
fn codes_of_an_earlier_client_give_its_successor_nothing() {
    let mut world = started();
    let (pending, approved) = (world.device_codes("tv"), world.device_codes("tv"));
    world.approve("alice", &approved);
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa");
    let code = world.consent(&alice, &request).code();
    for id in ["tv", "spa"] {
        declare_again(&mut world, id);
    }
    assert_eq!(world.poll(&approved), Err(InvalidGrant));
    assert_eq!(world.poll(&pending), Err(InvalidGrant));
    assert_eq!(world.decide(&alice, &pending, true), Decided::Gone);
    assert_eq!(world.redeem("spa", &code), Err(InvalidGrant));
}

#[test]
fn consent_to_an_earlier_client_is_none_to_its_successor() {
    let mut world = started();
    let alice = world.signed_in("alice");
    let wide = AuthorizationRequest::new("site").with("scope", "openid profile email");
    world.app_tokens(&alice, &wide);
    assert!(world.authorize(&alice, &wide).answer().outcome.is_ok());
    declare_again(&mut world, "site");
    let ask = world.authorize(&alice, &wide).consent();
    assert_eq!(ask.agreed_before, None);
    let view = world.view_account(&alice).expect("a page");
    assert_eq!(view.apps, [], "what was given to another is not shown");
    let narrow = AuthorizationRequest::new("site").with("scope", "openid");
    world.app_tokens(&alice, &narrow);
    world.authorize(&alice, &wide).consent();
}

#[test]
fn a_grant_ends_with_the_client_of_the_grant_that_it_was_exchanged_for() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| realm.exchange[0].issues.push(TokenKind::RefreshToken));
    world.start();
    let tokens = world.orders_token();
    let wanted = [
        ("audience", SHIPPING),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:refresh_token",
        ),
    ];
    let exchanged = world.exchange("orders", &tokens.access, &wanted);
    let exchanged = exchanged.expect("a refresh token").token;
    let id = world.claims(&tokens.access)["client_id"].clone();
    declare_again(&mut world, id.as_str().expect("a client id"));
    assert_eq!(world.refresh("orders", &exchanged), Err(InvalidGrant));
}

#[test]
fn the_first_start_that_knows_instances_ends_nothing_and_later_clients_are_new() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let mut late = None;
    world.reconfigure(|realm| late = realm.clients.remove(&id("tv2")));
    world.start();
    let next = world.refresh("tv", tokens.refresh()).expect("it lives on");
    world.start();
    assert!(world.refresh("tv", next.refresh()).is_ok());
    assert_eq!(world.list("instances").len(), 1);
    world.declare_client(late.expect("a client").as_ref().clone());
    let instance = |world: &mut World, id: &str| {
        let mut found = ClientInstance::FIRST;
        world.reconfigure(|realm| found = client(realm, id).instance);
        found
    };
    assert_eq!(instance(&mut world, "tv"), ClientInstance::FIRST);
    let tv2 = instance(&mut world, "tv2");
    assert_ne!(tv2, ClientInstance::FIRST);
    world.start();
    assert_eq!(instance(&mut world, "tv2"), tv2, "it stays");
}

/// The process may end between two of its commits.
#[test]
fn a_first_start_that_was_cut_short_is_completed() {
    let mut world = World::new();
    let tokens = ["tv", "tv2"].map(|id| world.device_tokens(id, "alice"));
    let clients = vec![id("tv")];
    world.ask(ProvisionClients { clients }).reply.expect("done");
    world.start();
    assert!(world.refresh("tv", tokens[0].refresh()).is_ok());
    assert!(world.refresh("tv2", tokens[1].refresh()).is_ok());
}

#[test]
fn a_start_without_changes_writes_nothing() {
    let mut world = started();
    let clients: Vec<_> = world.realm.clients.keys().take(15).cloned().collect();
    let (cost, _) = world.cost(|world| world.ask(ProvisionClients { clients }).reply);
    assert_eq!(cost, [1, 0, 0]);
    let client = id("nobody");
    let (cost, _) = world.cost(|world| world.ask(WithdrawClient { client }).reply);
    assert_eq!(cost, [1, 0, 0]);
}

#[test]
fn a_disabled_client_keeps_its_grants() {
    let mut world = started();
    let tokens = world.device_tokens("tv", "alice");
    world.reconfigure(|realm| client(realm, "tv").enabled = false);
    world.start();
    assert!(world.refresh("tv", tokens.refresh()).is_err());
    world.reconfigure(|realm| client(realm, "tv").enabled = true);
    world.start();
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}
