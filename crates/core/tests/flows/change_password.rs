//! The user changes the password on the page of the account.

use grantor_core::base::error::ErrorCode::InvalidGrant;
use grantor_core::engine::event::EventKind;
use grantor_core::model::credentials::InvalidPassword;
use grantor_core::people::account::ChangePasswordReply;
use grantor_core::records::{self, Session};
use serde_json::{Value, json};

use crate::administration::{add, set_password};
use grantor_testkit::Spans as _;
use grantor_testkit::world::{Browser, SignedIn, World};

const OLD: &str = "dave-password";
const NEW: &str = "correct horse";

/// Dave, whom no file declares, at a browser.
fn world_with_dave() -> (World, Browser) {
    let mut world = World::new();
    add(&mut world, "dave");
    let browser = world.signed_in("dave");
    world.events.clear();
    (world, browser)
}

fn change(
    world: &mut World,
    browser: &mut Browser,
    current: &str,
    new: &str,
) -> ChangePasswordReply {
    let request = browser.change_password(current, new);
    let reply = world.ask(request).reply.expect("no OAuth error");
    if let ChangePasswordReply::Changed { session, .. } = &reply {
        browser.session = Some(session.clone());
    }
    reply
}

#[test]
fn a_changed_password_ends_all_but_this_browsers_session() {
    let (mut world, mut browser) = world_with_dave();
    let (mut phone, stolen) = (world.signed_in("dave"), browser.clone());
    let tokens = world.device_tokens("tv", "dave");
    world.events.clear();
    let (cost, reply) = world.cost(|world| change(world, &mut browser, OLD, NEW));
    assert!(matches!(reply, ChangePasswordReply::Changed { .. }));
    assert_eq!(cost, [1, 1, 2]);
    assert_eq!(world.take_events(), [EventKind::PasswordChanged]);
    assert!(world.visitor(&browser).is_some());
    for ended in [&phone, &stolen] {
        assert_eq!(world.visitor(ended), None, "also the cookie of before");
    }
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert_eq!(world.sign_in(&mut phone, "dave", OLD), SignedIn::Wrong);
    assert_eq!(world.sign_in(&mut phone, "dave", NEW), SignedIn::Yes);
    assert!(!world.dump().contains("\"correct horse\""));
}

#[test]
fn whoever_does_not_know_the_old_password_changes_nothing_and_guesses_in_bounds() {
    let (mut world, mut browser) = world_with_dave();
    let mut wrong = 0;
    loop {
        match change(&mut world, &mut browser, "a guess", NEW) {
            ChangePasswordReply::WrongPassword => wrong += 1,
            ChangePasswordReply::TooMany { .. } => break,
            other => panic!("{other:?}"),
        }
        assert!(wrong < 100, "an end");
    }
    assert_eq!(wrong, 10);
    let (cost, reply) = world.cost(|world| change(world, &mut browser, OLD, NEW));
    assert!(matches!(reply, ChangePasswordReply::TooMany { .. }));
    assert_eq!(cost[1..], [0, 0]);
    // Its owner can sign in meanwhile, and change it later.
    let mut elsewhere = world.signed_in("dave");
    world.advance(2.h());
    let reply = change(&mut world, &mut elsewhere, OLD, NEW);
    assert!(matches!(reply, ChangePasswordReply::Changed { .. }));
}

#[test]
fn whoever_holds_one_session_does_not_stop_its_user_from_changing_the_password_in_another() {
    let (mut world, mut stolen) = world_with_dave();
    let mut own = world.signed_in("dave");
    for _ in 0..30 {
        change(&mut world, &mut stolen, "a guess", NEW);
    }
    let reply = change(&mut world, &mut own, OLD, NEW);
    assert!(
        matches!(reply, ChangePasswordReply::Changed { .. }),
        "{reply:?}"
    );
}

#[test]
fn many_sessions_of_an_account_guess_its_password_in_bounds() {
    let (mut world, _) = world_with_dave();
    let mut wrong = 0;
    for _ in 0..20 {
        let mut session = world.signed_in("dave");
        for _ in 0..20 {
            let reply = change(&mut world, &mut session, "a guess", NEW);
            wrong += usize::from(matches!(reply, ChangePasswordReply::WrongPassword));
        }
    }
    assert_eq!(wrong, 50);
}

#[test]
fn a_right_password_costs_no_try() {
    let (mut world, mut browser) = world_with_dave();
    let (mut old, mut new) = (OLD, NEW);
    for _ in 0..30 {
        let reply = change(&mut world, &mut browser, old, new);
        assert!(matches!(reply, ChangePasswordReply::Changed { .. }));
        (old, new) = (new, old);
    }
}

#[test]
fn an_unfit_new_password_costs_neither_a_try_nor_a_hash() {
    let (mut world, mut browser) = world_with_dave();
    world.hashes = 0;
    for (new, why) in [
        ("", InvalidPassword::Empty),
        ("seven77", InvalidPassword::Short),
        (&"x".repeat(1025), InvalidPassword::Long),
    ] {
        let reply = change(&mut world, &mut browser, OLD, new);
        assert!(matches!(reply, ChangePasswordReply::Unfit(is) if is == why));
    }
    let long = "x".repeat(1025);
    let reply = change(&mut world, &mut browser, &long, NEW);
    assert!(matches!(reply, ChangePasswordReply::WrongPassword));
    assert_eq!(world.hashes, 0);
}

#[test]
fn a_declared_password_is_not_changed_here_and_the_page_knows() {
    let (mut world, mut browser) = world_with_dave();
    let mut alice = world.signed_in("alice");
    let reply = change(&mut world, &mut alice, "alice-password", NEW);
    assert!(matches!(reply, ChangePasswordReply::NotHere));
    let view = world.view_account(&alice).expect("signed in");
    assert!(!view.may_change_password);
    let view = world.view_account(&browser).expect("signed in");
    assert!(view.may_change_password);
    set_password(&mut world, "dave", NEW);
    let reply = change(&mut world, &mut browser, NEW, OLD);
    assert!(
        matches!(reply, ChangePasswordReply::SignIn),
        "it was cut off"
    );
    let reply = change(&mut world, &mut Browser::new(), NEW, OLD);
    assert!(matches!(reply, ChangePasswordReply::SignIn));
}

/// What was proven in a session, and when, stands in its row: each sign-in begins it again, and a factor that is proven again
/// gets its new time.
#[test]
fn a_session_keeps_what_was_proven_and_when() {
    let (mut world, mut browser) = world_with_dave();
    let row = |world: &World, browser: &Browser| {
        let session = browser.cookie().expect("a session").session().to_string();
        let row = world.row(&records::key::<Session>("default", &session));
        serde_json::from_slice::<Value>(&row.expect("a row").value).expect("JSON")
    };
    let proven = |at: u64| json!([{ "amr": "pwd", "at": at }]);
    let first = world.now.as_millis();
    assert_eq!(row(&world, &browser)["proven"], proven(first));
    assert_eq!(row(&world, &browser)["acr"], "1");
    world.advance(1.mins());
    assert_eq!(world.sign_in(&mut browser, "dave", OLD), SignedIn::Yes);
    assert_eq!(row(&world, &browser)["proven"], proven(first + 60_000));
    world.advance(1.mins());
    change(&mut world, &mut browser, OLD, NEW);
    assert_eq!(row(&world, &browser)["proven"], proven(first + 120_000));
}
