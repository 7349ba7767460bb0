//! Signing in and out: one answer for what is wrong, bounded guesses, and sessions that end.

use grantor_core::base::error::Cause;
use grantor_core::base::secret::Secret;
use grantor_core::model::realm::SignInLimits;
use grantor_core::people::{Password, SignInReply};

use grantor_testkit::Spans;
use grantor_testkit::world::{Browser, Run, SignedIn, World, declared_user};

#[test]
fn wrong_password_unknown_user_and_disabled_user_get_the_same_answer() {
    let mut world = World::new();
    let mut costs = Vec::new();
    for (name, password) in [
        ("alice", "wrong"),
        ("nobody", "wrong"),
        ("carol", "carol-password"),
        ("carol", "wrong"),
        ("alice", ""),
        ("alice", "Alice-password"),
    ] {
        let mut browser = Browser::new();
        let (cost, response) = world.cost(|world| world.sign_in(&mut browser, name, password));
        assert_eq!(response, SignedIn::Wrong, "{name} {password}");
        assert!(browser.session.is_none());
        costs.push(cost);
    }
    assert!(
        costs.iter().all(|cost| *cost == [2, 0, 0]),
        "nor do the reads tell: {costs:?}"
    );
}

#[test]
fn a_failed_sign_in_tells_the_operator_who_and_why() {
    let mut world = World::new();
    let unknown = world.realm.sealing.unknown_name("my-password");
    for (name, password, username, reason) in [
        ("Alice", "wrong", "alice", Cause::WrongPassword),
        ("carol", "carol-password", "carol", Cause::UserDisabled),
        // Perhaps a password that was typed into the wrong field.
        ("My-Password", "x", unknown.as_str(), Cause::UserGone),
    ] {
        world.events.clear();
        world.sign_in(&mut Browser::new(), name, password);
        let [event] = &world.events[..] else {
            panic!("one event");
        };
        assert_eq!(event.username.as_deref(), Some(username));
        assert_eq!(event.reason, Some(reason));
        let text = serde_json::to_string(event).expect("JSON");
        assert!(!text.to_lowercase().contains("my-password"), "{text}");
    }
    assert_eq!(unknown, world.realm.sealing.unknown_name("my-password"));
}

#[test]
fn an_empty_or_endless_name_or_password_is_wrong_without_a_read() {
    let mut world = World::new();
    let long = "x".repeat(2000);
    for (name, password) in [("", "x"), ("  ", "x"), (&long, "x"), ("alice", &long)] {
        let mut browser = Browser::new();
        let (cost, response) = world.cost(|world| world.sign_in(&mut browser, name, password));
        assert_eq!((cost, response), ([0, 0, 0], SignedIn::Wrong));
    }
}

#[test]
fn a_name_is_compared_without_case_and_spaces() {
    let mut world = World::new();
    for name in ["ALICE", " alice ", "Alice"] {
        let mut browser = Browser::new();
        assert_eq!(
            world.sign_in(&mut browser, name, "alice-password"),
            SignedIn::Yes
        );
        assert_eq!(
            world.visitor(&browser).expect("signed in").username,
            "alice"
        );
    }
}

/// How many of `tries` wrong passwords were checked.
pub(crate) fn wrong(world: &mut World, browser: &Browser, name: &str, tries: u32) -> u32 {
    let looked_at = |_: &u32| {
        let mut browser = browser.clone();
        world.sign_in(&mut browser, name, "wrong") == SignedIn::Wrong
    };
    (0..tries).filter(looked_at).count() as u32
}

pub(crate) fn at(address: String) -> Browser {
    Browser {
        address,
        ..Browser::new()
    }
}

#[test]
fn ten_wrong_passwords_an_hour_for_one_account_from_one_address() {
    let mut world = World::new();
    let mut here = at("198.51.100.1".to_owned());
    assert_eq!(wrong(&mut world, &here, "alice", 30), 10);
    assert_eq!(
        world.sign_in(&mut here, "alice", "alice-password"),
        SignedIn::TooMany
    );
    assert_eq!(
        world.sign_in(&mut here, "ALICE ", "alice-password"),
        SignedIn::TooMany,
        "the same name"
    );
    assert_eq!(
        world.sign_in(&mut here, "bob", "bob-password"),
        SignedIn::Yes
    );
    let mut elsewhere = at("198.51.100.2".to_owned());
    assert_eq!(
        world.sign_in(&mut elsewhere, "alice", "alice-password"),
        SignedIn::Yes
    );
    world.advance(68.mins());
    assert_eq!(
        world.sign_in(&mut here, "alice", "alice-password"),
        SignedIn::Yes
    );
}

#[test]
fn limits_on_wrong_passwords_can_be_raised_for_tests() {
    let mut world = World::new();
    world.reconfigure(|realm| {
        realm.sign_in = SignInLimits {
            per_account_and_address: 150,
            in_all: 150,
        };
    });
    let here = at("198.51.100.1".to_owned());
    assert_eq!(wrong(&mut world, &here, "alice", 200), 150);
}

#[test]
fn one_hundred_wrong_passwords_an_hour_from_one_address() {
    let mut world = World::new();
    let here = at("2001:db8::1".to_owned());
    let looked_at: u32 = (0..30)
        .map(|n| wrong(&mut world, &here, &format!("user{n}"), 10))
        .sum();
    assert_eq!(looked_at, 100);
    let mut neighbour = at("2001:db8::2".to_owned());
    assert_eq!(
        world.sign_in(&mut neighbour, "alice", "alice-password"),
        SignedIn::TooMany,
        "one /64"
    );
    let mut other = at("2001:db8:0:1::1".to_owned());
    assert_eq!(
        world.sign_in(&mut other, "alice", "alice-password"),
        SignedIn::Yes
    );
}

#[test]
fn one_hundred_wrong_passwords_an_hour_for_one_account_but_known_browsers_skip_that() {
    let mut world = World::new();
    let known = world.signed_in("alice");
    world.sign_out(&known);
    let looked_at: u32 = (0..30)
        .map(|n| wrong(&mut world, &at(format!("198.51.100.{n}")), "alice", 10))
        .sum();
    assert_eq!(looked_at, 100);
    let mut new = at("203.0.113.1".to_owned());
    assert_eq!(
        world.sign_in(&mut new, "alice", "alice-password"),
        SignedIn::TooMany
    );
    let mut known = Browser {
        session: None,
        ..known
    };
    let mut of_bob = Browser {
        known: world.signed_in("bob").known,
        ..at("203.0.113.2".to_owned())
    };
    assert_eq!(
        world.sign_in(&mut of_bob, "alice", "alice-password"),
        SignedIn::TooMany,
        "his cookie"
    );
    assert_eq!(
        world.sign_in(&mut known, "alice", "alice-password"),
        SignedIn::Yes
    );
    assert_eq!(
        wrong(&mut world, &known, "alice", 30),
        10,
        "it has a count of its own"
    );
}

#[test]
fn wide_networks_have_limits_of_their_own() {
    type Address = fn(u32) -> String;
    let floods: [(Address, u32); 3] = [
        (|n| format!("2001:db8:1:2{:02x}::1", n % 256), 200),
        (|n| format!("2001:db8:1:{n:x}::1"), 1000),
        (|n| format!("198.51.100.{}", n % 250), 1000),
    ];
    for (address, limit) in floods {
        let mut world = World::new();
        let guesses = (0..2500).filter(|&n| {
            let name = format!("made-up-{n}");
            world.sign_in(&mut at(address(n)), &name, "wrong") == SignedIn::Wrong
        });
        assert_eq!(guesses.count(), limit as usize, "{}", address(0));
        let mut elsewhere = at("2001:db8:2::1".to_owned());
        assert_eq!(
            world.sign_in(&mut elsewhere, "alice", "alice-password"),
            SignedIn::Yes
        );
    }
}

#[test]
fn simultaneous_right_sign_ins_of_one_account_use_up_no_attempt() {
    let mut world = World::new();
    let here = at("198.51.100.1".to_owned());
    assert_eq!(wrong(&mut world, &here, "alice", 9), 9);
    let mut runs: Vec<_> = (0..64)
        .map(|_| Run::new(&mut world, here.sign_in("alice", "alice-password")))
        .collect();
    let mut signed_in = 0;
    while !runs.is_empty() {
        runs.retain_mut(|run| match run.effect(&mut world) {
            Some(end) => {
                let reply = end.expect("the server answers").reply;
                signed_in += usize::from(matches!(reply, Ok(SignInReply::SignedIn { .. })));
                false
            }
            None => true,
        });
    }
    assert_eq!(signed_in, 64);
}

/// The password of alice is guessed from many addresses, until a new browser may not try any more.
pub(crate) fn use_up_the_account(world: &mut World) {
    for n in 0..15 {
        wrong(world, &at(format!("198.51.{n}.1")), "alice", 10);
    }
    let mut new = at("203.0.113.1".to_owned());
    assert_eq!(
        world.sign_in(&mut new, "alice", "alice-password"),
        SignedIn::TooMany
    );
}

/// This browser without its session, somewhere else.
pub(crate) fn taken_to(address: String, known: &Browser) -> Browser {
    Browser {
        address,
        session: None,
        ..known.clone()
    }
}

#[test]
fn no_one_locks_a_known_browser_out_from_its_own_address() {
    let mut world = World::new();
    let known = world.signed_in("alice");
    let attacker = at(known.address.clone());
    wrong(&mut world, &attacker, "alice", 30);
    for n in 0..30 {
        wrong(&mut world, &attacker, &format!("made-up-{n}"), 10);
    }
    let mut new = at(known.address.clone());
    assert_eq!(
        world.sign_in(&mut new, "bob", "bob-password"),
        SignedIn::TooMany
    );
    for _ in 0..64 {
        let mut known = taken_to(known.address.clone(), &known);
        assert_eq!(
            world.sign_in(&mut known, "alice", "alice-password"),
            SignedIn::Yes
        );
    }
}

#[test]
fn a_stolen_cookie_of_a_known_browser_is_worth_ten_guesses_a_day() {
    let mut world = World::new();
    let stolen = world.signed_in("alice");
    let guess = |world: &mut World| -> u32 {
        use_up_the_account(world);
        (0..30)
            .map(|n| {
                wrong(
                    world,
                    &taken_to(format!("203.0.{n}.7"), &stolen),
                    "alice",
                    10,
                )
            })
            .sum()
    };
    assert_eq!(guess(&mut world), 10);
    for _ in 0..20 {
        world.advance(68.mins());
        assert_eq!(guess(&mut world), 0);
    }
    world.advance(5.h());
    assert_eq!(guess(&mut world), 10, "the next day");
}

#[test]
fn a_known_browser_is_known_for_one_user_one_password_and_half_a_year() {
    let mut world = World::new();
    let known = world.signed_in("alice");
    let is_known = |world: &mut World, password: &str| {
        use_up_the_account(world);
        let mut browser = taken_to("203.0.113.7".to_owned(), &known);
        world.sign_in(&mut browser, "alice", password) == SignedIn::Yes
    };
    assert!(is_known(&mut world, "alice-password"));
    let mut user = declared_user("alice", true);
    user.password = Password::Hash("plain$new".to_owned());
    assert_eq!(world.provision(user), Some(true));
    world.advance(68.mins());
    assert!(!is_known(&mut world, "new"), "the password is another");

    let mut world = World::new();
    let known = world.signed_in("alice");
    let is_known = |world: &mut World| {
        use_up_the_account(world);
        let mut browser = taken_to("203.0.113.7".to_owned(), &known);
        world.sign_in(&mut browser, "alice", "alice-password") == SignedIn::Yes
    };
    world.advance(179.days());
    assert!(is_known(&mut world));
    world.advance(1.days());
    assert!(!is_known(&mut world), "half a year is over");
}

#[test]
fn a_clock_that_leaps_ahead_and_back_neither_ends_nor_extends_a_limit() {
    let mut world = World::new();
    let mut here = at("198.51.100.1".to_owned());
    assert_eq!(wrong(&mut world, &here, "alice", 10), 10);
    let real = world.now;
    world.now = real + 30.days();
    assert_eq!(wrong(&mut world, &here, "alice", 10), 0, "not ended");
    world.now = real;
    assert_eq!(wrong(&mut world, &here, "alice", 1), 0);
    world.advance(68.mins());
    assert_eq!(
        world.sign_in(&mut here, "alice", "alice-password"),
        SignedIn::Yes,
        "nor extended"
    );
}

#[test]
fn correct_passwords_are_not_counted_as_guesses() {
    let mut world = World::new();
    for _ in 0..300 {
        world.signed_in("alice");
    }
}

#[test]
fn parallel_guesses_of_a_password_stay_inside_the_limits() {
    let mut world = World::new();
    let mut runs: Vec<_> = (0..10_000)
        .map(|n| {
            let browser = at(format!("2001:db8:{:x}::1", n % 500));
            let guess = browser.sign_in("alice", &format!("guess {n}"));
            Run::new(&mut world, guess)
        })
        .collect();
    // In step: all ask the tables before any reads the user.
    let (mut looked_at, mut refused) = (0, 0);
    while !runs.is_empty() {
        runs.retain_mut(|run| match run.effect(&mut world) {
            Some(end) => {
                match end.expect("the server answers").reply {
                    Ok(SignInReply::Wrong) => looked_at += 1,
                    Ok(SignInReply::TooMany { .. }) => refused += 1,
                    other => panic!("a guess was right: {other:?}"),
                }
                false
            }
            None => true,
        });
    }
    assert_eq!((looked_at, refused), (100, 9_900));
}

#[test]
fn a_session_cookie_is_never_reused() {
    let mut world = World::new();
    let mut browser = world.signed_in("alice");
    let first = browser.clone();
    world.sign_in(&mut browser, "alice", "alice-password");
    assert_ne!(text(&first), text(&browser));
    assert_eq!(world.visitor(&first), None, "the old secret is dead");
    assert!(world.visitor(&browser).is_some());
}

fn text(browser: &Browser) -> &str {
    browser.session.as_ref().expect("a cookie").reveal()
}

#[test]
fn a_planted_cookie_does_not_become_a_session() {
    let mut world = World::new();
    // The attacker signs in, and plants the cookie in the victim's browser before the victim signs in.
    let attacker = world.signed_in("bob");
    let mut victim = Browser {
        session: attacker.session.clone(),
        ..Browser::new()
    };
    assert_eq!(
        world.sign_in(&mut victim, "alice", "alice-password"),
        SignedIn::Yes
    );
    assert_eq!(world.visitor(&victim).expect("signed in").username, "alice");
    assert_eq!(
        world.visitor(&attacker),
        None,
        "and it is no way into the victim's session"
    );
    for planted in ["", "grantor_se_", "grantor_se_AAAA", &text(&victim)[1..]] {
        let planted = Browser {
            session: Some(Secret::new(planted)),
            ..Browser::new()
        };
        assert_eq!(world.visitor(&planted), None, "{planted:?}");
    }
}

#[test]
fn expired_session_cookie_does_not_end_other_sessions() {
    let mut world = World::new();
    let mut browser = world.signed_in("alice");
    let stolen = browser.session.clone();
    world.sign_in(&mut browser, "alice", "alice-password");
    // An attacker holds the earlier cookie; it is invalid, so it cannot sign her out either.
    let mut other = Browser {
        session: stolen,
        ..Browser::new()
    };
    assert_eq!(
        world.sign_in(&mut other, "bob", "bob-password"),
        SignedIn::Yes
    );
    assert!(world.visitor(&browser).is_some());
    assert_eq!(world.visitor(&other).expect("signed in").username, "bob");
}
