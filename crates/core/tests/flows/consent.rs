//! Consent: asked once, again when more is wanted, and never for an app of the operator's own.

use grantor_core::base::error::ErrorCode::{AccessDenied, ConsentRequired};
use grantor_core::endpoints::authorize::ConsentDecision;
use grantor_core::engine::event::EventKind::{CodeIssued, ConsentDenied, ConsentGiven};
use grantor_core::model::client::ConsentPolicy;

use crate::world::house;
use crate::world::web_apps::Request;
use crate::world::{Spans as _, World};

#[test]
fn a_user_is_asked_once() {
    let mut world = World::new();
    let alice = world.browser_of("alice");
    world.kinds();
    let request = Request::of("spa").with("scope", "openid email");
    let ask = world.authorize(&alice, &request).ask();
    assert_eq!((ask.client.as_str(), &*ask.client_name), ("spa", "The spa"));
    assert_eq!(ask.scope.to_string(), "email openid");
    assert!(!ask.agreed_before);
    world.agree(&alice, &request).code();
    assert_eq!(world.kinds(), [CodeIssued, ConsentGiven]);
    world.authorize(&alice, &request).code();
    let less = Request::of("spa");
    world.authorize(&alice, &less).code();
    assert_eq!(world.kinds(), [CodeIssued, CodeIssued]);
    // In another session too, months later.
    world.advance(200.days());
    let alice = world.browser_of("alice");
    world.authorize(&alice, &request).code();
}

#[test]
fn a_user_is_asked_again_when_scopes_grow_and_what_was_agreed_stays() {
    let mut world = World::new();
    let alice = world.browser_of("alice");
    world
        .agree(&alice, &Request::of("spa").with("scope", "openid email"))
        .code();
    let more = Request::of("spa").with("scope", "openid orders.example.com/write");
    let ask = world.authorize(&alice, &more).ask();
    assert!(ask.agreed_before);
    world.agree(&alice, &more).code();
    let all = Request::of("spa").with("scope", "openid email orders.example.com/write");
    world.authorize(&alice, &all).code();
}

#[test]
fn claims_that_are_asked_one_by_one_are_asked_about() {
    let mut world = World::new();
    let alice = world.browser_of("alice");
    world.agree(&alice, &Request::of("spa")).code();
    let claims = r#"{"userinfo":{"email":null}}"#;
    let request = Request::of("spa").with("claims", claims);
    let ask = world.authorize(&alice, &request).ask();
    assert_eq!(ask.scope.to_string(), "email openid");
}

#[test]
fn consent_is_between_one_user_and_one_client() {
    let mut world = World::new();
    let (alice, bob) = (world.browser_of("alice"), world.browser_of("bob"));
    world.agree(&alice, &Request::of("spa")).code();
    world.authorize(&bob, &Request::of("spa")).ask();
    world.authorize(&alice, &Request::of("site")).ask();
}

#[test]
fn openid_core_3_1_2_1_prompt_consent_asks_again() {
    let mut world = World::new();
    let alice = world.browser_of("alice");
    world.agree(&alice, &Request::of("spa")).code();
    let request = Request::of("spa").with("prompt", "consent");
    world.authorize(&alice, &request).ask();
    world.agree(&alice, &request).code();
}

#[test]
fn a_user_who_says_no_is_believed() {
    let mut world = World::new();
    let alice = world.browser_of("alice");
    world.kinds();
    let request = Request::of("spa");
    let rows = world.rows();
    let denied = world.decision(&alice, &request, Some(ConsentDecision::Deny));
    assert_eq!(denied.error(), AccessDenied);
    assert_eq!(world.kinds(), [ConsentDenied]);
    assert_eq!(world.rows(), rows, "nothing is written");
    world.authorize(&alice, &request).ask();
}

#[test]
fn an_app_of_the_operators_own_asks_nobody_but_where_it_wants_to() {
    let mut world = World::with(|realm| {
        house::client(realm, "spa").code.consent = ConsentPolicy::Skip;
    });
    let alice = world.browser_of("alice");
    let silent = Request::of("spa").with("prompt", "none");
    world.authorize(&alice, &silent).code();
    let asking = Request::of("spa").with("prompt", "consent");
    world.authorize(&alice, &asking).ask();
    // The operator changes the policy: nobody had agreed.
    world.reconfigure(|realm| house::client(realm, "spa").code.consent = ConsentPolicy::Ask);
    assert_eq!(world.authorize(&alice, &silent).error(), ConsentRequired);
}
