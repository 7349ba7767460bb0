//! A scope or a client that is deleted and made again under its name is another one: what was given before does not count.

use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::error::ErrorCode;
use grantor_core::endpoints::authorize::ConsentDecision::Approve;
use grantor_core::model::exchange_rule::TokenKind;
use grantor_core::model::token_type::TokenType;
use grantor_testkit::world::World;
use grantor_testkit::{AuthorizationRequest, PORTAL, WIKI};

const READ: &str = "orders.example.com/read";
const WRITE: &str = "orders.example.com/write";
const SHIPPING_READ: &str = "shipping.example.com/read";

/// The scope is managed, and was made again just now.
fn make_again(world: &mut World, token: &str) {
    world.advance(Duration::from_secs(20));
    let (token, now) = (token.to_owned(), world.now);
    world.reconfigure(|realm| {
        let mut since = std::collections::HashMap::clone(&realm.managed.scopes_since);
        since.insert(token, now);
        realm.managed.scopes_since = Arc::new(since);
    });
    world.advance(Duration::from_secs(20));
}

#[test]
fn a_grant_does_not_hold_the_scope_that_was_made_again() {
    let mut world = World::new();
    let both = format!("{READ} {WRITE} offline_access");
    let asks = [("scope", &*both)];
    let tokens = world.device_tokens_with("tv", "alice", &asks);
    assert!(world.is_active("orders", &tokens.access));
    make_again(&mut world, WRITE);

    let seen = world
        .introspect("orders", &tokens.access)
        .expect("an answer");
    assert!(
        !format!("{seen:?}").contains(WRITE) && format!("{seen:?}").contains(READ),
        "{seen:?}"
    );
    let refreshed = world.refresh("tv", tokens.refresh()).expect("the rest");
    assert!(
        !refreshed.scope.contains(WRITE) && refreshed.scope.contains(READ),
        "{refreshed:?}"
    );

    let again = world.device_tokens_with("tv", "alice", &asks);
    assert!(
        again.scope.contains(WRITE),
        "a new decision gives the new one"
    );
    let refreshed = world.refresh("tv", again.refresh()).expect("both");
    assert!(refreshed.scope.contains(WRITE));
}

#[test]
fn users_are_asked_again_and_an_agreement_to_more_does_not_revive_it() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let asks = |scope: &str| AuthorizationRequest::new(WIKI).with("scope", scope);
    let first = asks(&format!("openid {READ}"));
    let page = world.authorize(&alice, &first).consent();
    world.decide_on(&alice, &first, &page, Approve).code();
    world.authorize(&alice, &first).code();
    make_again(&mut world, READ);
    let page = world.authorize(&alice, &first).consent();
    let before = page.agreed_before.expect("a consent");
    assert!(!before.scope.contains(READ), "it is shown as new");
    let other = asks(&format!("openid {WRITE}"));
    let page = world.authorize(&alice, &other).consent();
    world.decide_on(&alice, &other, &page, Approve).code();
    let page = world.authorize(&alice, &first).consent();
    world.decide_on(&alice, &first, &page, Approve).code();
    world.authorize(&alice, &first).code();
}

#[test]
fn a_code_gives_what_was_there_when_the_user_agreed() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let scope = format!("offline_access {READ} {WRITE}");
    let asks = AuthorizationRequest::new(PORTAL).with("scope", &scope);
    let code = world.authorize(&alice, &asks).code();
    make_again(&mut world, WRITE);
    let tokens = world.redeem(PORTAL, &code).expect("tokens");
    assert!(!tokens.scope.contains(WRITE), "{}", tokens.scope);
    let seen = world.introspect(PORTAL, tokens.refresh());
    let seen = format!("{:?}", seen.expect("an answer"));
    assert!(seen.contains(READ) && !seen.contains(WRITE), "{seen}");
}

#[test]
fn an_exchange_gives_what_is_there_when_it_is_made() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| realm.exchange[0].issues.push(TokenKind::RefreshToken));
    let subject = world.orders_token().access;
    make_again(&mut world, SHIPPING_READ);
    let refresh = [("requested_token_type", TokenType::RefreshToken.uri())];
    let exchanged = world.exchange("orders", &subject, &refresh);
    let refresh = exchanged.expect("a refresh token").token;
    let tokens = world.refresh("orders", &refresh).expect("tokens");
    assert_eq!(tokens.scope, SHIPPING_READ);
    make_again(&mut world, SHIPPING_READ);
    assert_eq!(
        world.refresh("orders", tokens.refresh()).map(drop),
        Err(ErrorCode::InvalidGrant)
    );
    // What the subject token no longer holds, no rule makes anything of.
    make_again(&mut world, READ);
    let refused = world.exchange("orders", &subject, &[]);
    assert!(refused.is_err());
}

#[test]
fn tokens_of_a_client_end_with_it_though_another_one_has_its_id() {
    let mut world = World::new();
    world.keep_in_store(&["orders"]);
    let token = world.machine_token("orders", &[]).expect("tokens").access;
    assert!(world.is_active("orders", &token));
    world.advance(Duration::from_secs(20));
    let now = world.now;
    world.change_stored_client("orders", |client| client.created.at = now);
    assert!(!world.is_active("orders", &token));
    let token = world.machine_token("orders", &[]).expect("tokens").access;
    assert!(world.is_active("orders", &token));
    let refused = world.machine_token("orders", &[("scope", "nosuch")]);
    assert_eq!(refused.map(drop), Err(ErrorCode::InvalidScope));
}
