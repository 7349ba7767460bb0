//! A clock that was set back: what is stamped in the future is not fresh.

use grantor_core::base::error::ErrorCode::{InvalidToken, LoginRequired};
use grantor_core::endpoints::authorize::{AUTH_AFTER, sign_in_proof};
use grantor_core::people::{Action, Binding};

use crate::sign_in::{at, taken_to, use_up_the_account};
use grantor_testkit::world::{Browser, CodeLookup, Decided, SignedIn, World, params};
use grantor_testkit::{AuthorizationRequest, Spans as _, client};

/// A live session whose latest sign-in is two hours in the future.
fn signed_in_ahead(world: &mut World) -> Browser {
    let mut alice = world.signed_in("alice");
    world.advance(1.h());
    world.visitor(&alice).expect("signed in");
    let real = world.now;
    world.now = real + 2.h();
    world.sign_in(&mut alice, "alice", "alice-password");
    world.now = real;
    world.visitor(&alice).expect("it was used an hour ago");
    alice
}

#[test]
fn openid_core_3_1_2_1_a_sign_in_in_the_future_is_older_than_any_max_age() {
    let mut world = World::new();
    let mut alice = signed_in_ahead(&mut world);
    let request = AuthorizationRequest::new("portal");
    world.authorize(&alice, &request).code();
    let recent = request.with("max_age", "86400");
    world.authorize(&alice, &recent).sign_in();
    let silent = recent.clone().with("prompt", "none");
    assert_eq!(world.authorize(&alice, &silent).error(), LoginRequired);
    world.sign_in(&mut alice, "alice", "alice-password");
    world.authorize(&alice, &recent).code();
}

#[test]
fn a_sign_in_in_the_future_does_not_serve_prompt_login() {
    let mut world = World::new();
    let mut alice = signed_in_ahead(&mut world);
    let request = AuthorizationRequest::new("portal").with("prompt", "login");
    let sealing = world.realm.sealing.clone();
    let proven = |browser: &Browser| {
        let cookie = browser.session.as_ref().expect("a session");
        let proof = sign_in_proof(&sealing, cookie, &params(&request.pairs()));
        request.clone().with(AUTH_AFTER, &proof)
    };
    world.authorize(&alice, &proven(&alice)).sign_in();
    world.sign_in(&mut alice, "alice", "alice-password");
    world.authorize(&alice, &proven(&alice)).code();
}

#[test]
fn a_sign_in_in_the_future_approves_no_device() {
    let mut world = World::new();
    let mut alice = signed_in_ahead(&mut world);
    let codes = world.device_codes("tv");
    let typed = world.type_code(&alice, &codes.user);
    assert!(matches!(typed, CodeLookup::SignIn), "{typed:?}");
    assert_eq!(world.decide(&alice, &codes, true), Decided::SignIn);
    world.sign_in(&mut alice, "alice", "alice-password");
    assert_eq!(world.decide(&alice, &codes, true), Decided::Approved);
}

#[test]
fn a_session_that_began_in_the_future_has_ended() {
    let mut world = World::new();
    let real = world.now;
    world.now = real + 30.days();
    let alice = world.signed_in("alice");
    world.now = real;
    assert_eq!(world.visitor(&alice), None);
    // As much as the clocks of nodes may differ.
    world.now = real + 30.days() - 30.s();
    assert!(world.visitor(&alice).is_some());
}

#[test]
fn a_use_in_the_future_does_not_keep_an_idle_session() {
    let mut world = World::new();
    let [idle, used] = [world.signed_in("alice"), world.signed_in("alice")];
    let real = world.now;
    for _ in 0..4 {
        world.now = world.now + 7.h();
        for browser in [&idle, &used] {
            world.visitor(browser).expect("signed in");
        }
    }
    world.now = real;
    world.advance(2.h());
    world.visitor(&used).expect("signed in two hours ago");
    world.advance(6.h());
    assert_eq!(world.visitor(&idle), None, "not used for eight hours");
    let own = world.view_account(&used).expect("used six hours ago");
    assert_eq!(own.sessions.len(), 1);
}

#[test]
fn a_browser_that_became_known_in_the_future_is_not_known() {
    let mut world = World::new();
    let real = world.now;
    world.now = real + 30.days();
    let known = world.signed_in("alice");
    world.now = real;
    use_up_the_account(&mut world);
    let mut known = taken_to("198.51.100.77".to_owned(), &known);
    assert_eq!(
        world.sign_in(&mut known, "alice", "alice-password"),
        SignedIn::TooMany
    );
    world.now = real + 30.days();
    assert_eq!(
        world.sign_in(&mut known, "alice", "alice-password"),
        SignedIn::Yes
    );
    assert_eq!(
        world.sign_in(&mut at("198.51.100.77".to_owned()), "bob", "bob-password"),
        SignedIn::Yes
    );
}

#[test]
fn a_form_of_the_future_is_not_accepted() {
    let world = World::new();
    let form = Binding::PreSession("a cookie".to_owned());
    let accepted = |ahead| {
        let token = form.token(&world.realm, Action::SignIn, world.now + ahead);
        form.accepts(&world.realm.sealing, Action::SignIn, &token, world.now)
    };
    assert!(accepted(30.s()));
    assert!(!accepted(31.s()));
}

#[test]
fn a_token_that_was_signed_in_the_future_is_not_active() {
    let mut world = World::new();
    let real = world.now;
    world.now = real + 30.days();
    let tokens = world.device_tokens("console", "alice");
    world.now = real;
    assert!(!world.is_active("console", &tokens.access));
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    let next = world.refresh("console", tokens.refresh()).expect("tokens");
    assert!(
        world.is_active("console", &next.access),
        "the grant goes on"
    );
}

/// It would else stay as long as the clock had leapt.
#[test]
fn without_rotation_a_use_in_the_future_is_replaced_by_the_next_one() {
    let mut world = World::with(|realm| client(realm, "tv").rotation = false);
    let real = world.now;
    world.now = real + 30.days();
    let tokens = world.device_tokens("tv", "alice");
    world.now = real;
    let used = |world: &mut World| {
        let (cost, answer) = world.cost(|world| world.refresh("tv", tokens.refresh()));
        (cost[1], answer.is_ok())
    };
    assert_eq!(used(&mut world), (1, true));
    assert_eq!(used(&mut world), (0, true), "a moment later");
}
