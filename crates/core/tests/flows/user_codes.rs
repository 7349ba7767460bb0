//! User codes, and limits on guessing them (RFC 8628 sections 5.1 and 6.1).

use grantor_core::base::sealing::{MasterKey, SealingKeys};
use grantor_core::engine::event::EventKind;
use grantor_core::people::LookupUserCodeReply;

use grantor_testkit::Spans;
use grantor_testkit::world::{Browser, CodeLookup, Run, World, declared_user};

/// A well-formed code that was never issued: deterministic seeds do not draw it here.
fn guess(n: usize) -> String {
    let letters: Vec<char> = "BCDFGHJKLMNPQRSTVWXZ".chars().collect();
    let digits = (0..6).map(|place| letters[n / 20_usize.pow(place) % 20]);
    digits.chain("ZZ".chars()).collect()
}

/// How many of `tries` wrong codes were looked up.
fn wrong(world: &mut World, browser: &Browser, tries: usize) -> usize {
    let looked_up =
        |n: &usize| matches!(world.type_code(browser, &guess(*n)), CodeLookup::NotValid);
    (0..tries).filter(looked_up).count()
}

#[test]
fn rfc8628_6_1_a_code_is_read_without_case_dashes_and_spaces() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let codes = world.device_codes("tv");
    let plain = codes.user.replace('-', "");
    let spaced: Vec<String> = plain.chars().map(String::from).collect();
    for typed in [
        codes.user.clone(),
        plain.clone(),
        codes.user.to_lowercase(),
        format!("  {}\u{2013}{}. ", &plain[..4], &plain[4..]),
        spaced.join(" "),
    ] {
        assert!(
            matches!(world.type_code(&browser, &typed), CodeLookup::Asks(_)),
            "{typed}"
        );
    }
}

#[test]
fn unknown_malformed_expired_and_decided_codes_get_the_same_answer() {
    let mut world = World::new();
    let expired = world.device_codes("tv");
    world.advance(10.mins());
    let decided = world.device_codes("tv");
    world.approve("alice", &decided);
    let browser = world.signed_in("bob");
    for typed in [
        guess(1),
        "x".to_owned(),
        String::new(),
        expired.user,
        decided.user,
        "é".repeat(9000),
    ] {
        assert!(
            matches!(world.type_code(&browser, &typed), CodeLookup::NotValid),
            "{typed}"
        );
    }
}

#[test]
fn rfc8628_5_1_twenty_wrong_codes_an_hour_for_an_account() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    assert_eq!(wrong(&mut world, &browser, 50), 20);
    let codes = world.device_codes("tv");
    assert!(
        matches!(world.type_code(&browser, &codes.user), CodeLookup::TooMany),
        "the right one neither"
    );
    let elsewhere = Browser {
        address: "203.0.113.1".to_owned(),
        ..browser.clone()
    };
    assert!(
        matches!(
            world.type_code(&elsewhere, &codes.user),
            CodeLookup::TooMany
        ),
        "nor from elsewhere"
    );
    let bob = world.signed_in("bob");
    assert!(matches!(
        world.type_code(&bob, &codes.user),
        CodeLookup::Asks(_)
    ));
    assert!(world.take_events().contains(&EventKind::TriesUsedUp));
    world.advance(68.mins());
    assert_eq!(wrong(&mut world, &browser, 1), 1);
}

#[test]
fn correct_codes_are_not_counted_as_guesses() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let codes = world.device_codes("tv");
    assert_eq!(wrong(&mut world, &browser, 19), 19);
    for _ in 0..100 {
        assert!(matches!(
            world.type_code(&browser, &codes.user),
            CodeLookup::Asks(_)
        ));
    }
    assert_eq!(wrong(&mut world, &browser, 5), 1);
}

#[test]
fn two_hundred_wrong_codes_an_hour_from_an_address() {
    let mut world = World::new();
    let mut looked_up = 0;
    for n in 0..15 {
        let name = format!("user{n}");
        assert_eq!(world.provision(declared_user(&name, true)), Some(true));
        let browser = world.signed_in(&name);
        looked_up += wrong(&mut world, &browser, 20);
    }
    assert_eq!(looked_up, 200);
}

#[test]
fn ten_thousand_parallel_guesses_stay_inside_the_limits() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let codes = world.device_codes("tv");
    let guesses = (0..9_999).map(guess).chain([codes.user]);
    let mut runs: Vec<_> = guesses
        .map(|typed| Run::new(&mut world, browser.type_code(&typed)))
        .collect();
    // In step: all read the session, then all ask the tables, then all that may look up.
    let (mut looked_up, mut refused) = (0, 0);
    while !runs.is_empty() {
        runs.retain_mut(|run| match run.effect(&mut world) {
            Some(end) => {
                match end
                    .expect("the server answers")
                    .reply
                    .expect("no OAuth error")
                {
                    LookupUserCodeReply::NotValid { .. } => looked_up += 1,
                    LookupUserCodeReply::TooMany { .. } => refused += 1,
                    other => panic!("a guess was right: {other:?}"),
                }
                false
            }
            None => true,
        });
    }
    assert_eq!(
        (looked_up, refused),
        (20, 9_980),
        "the right one came last and is among the refused"
    );
}

#[test]
fn many_wrong_codes_in_a_realm_are_logged_and_lock_no_one_out() {
    let mut world = World::new();
    let quota = grantor_core::engine::limits::Quota {
        counter: grantor_core::engine::limits::Counter::UserCodesPerRealm,
        subject: String::new(),
        limit: u32::MAX,
    };
    let window = grantor_core::engine::limits::Window::Hour;
    world.limits.preload(world.now, &quota, window, 9_999);
    let browser = world.signed_in("alice");
    world.take_events();
    let mut strained = |n: usize| {
        let reply = world.ask(browser.type_code(&guess(n))).reply;
        matches!(reply, Ok(LookupUserCodeReply::NotValid { delay: true, .. }))
    };
    assert!(!strained(1), "the 10,000th");
    assert!(strained(2), "one above");
    let codes = world.device_codes("tv");
    assert!(
        matches!(world.type_code(&browser, &codes.user), CodeLookup::Asks(_)),
        "never a lock"
    );
    assert_eq!(
        world
            .take_events()
            .iter()
            .filter(|kind| **kind == EventKind::ManyWrongUserCodes)
            .count(),
        1
    );
}

#[test]
fn several_nodes_share_the_limits() {
    let mut world = World::with(|realm| realm.nodes = 4);
    let browser = world.signed_in("alice");
    assert_eq!(wrong(&mut world, &browser, 50), 5);
}

#[test]
fn codes_grow_while_many_are_alive() {
    let mut world = World::new();
    let quota = grantor_core::engine::limits::pending::realm_quota();
    let window = grantor_core::engine::limits::Window::Custom(10.mins());
    let letters = |world: &mut World| world.device_codes("tv").user.replace('-', "").len();
    assert_eq!(letters(&mut world), 8);
    // 20^8 / (20 tries * 2^16) = 19,531; one is alive already, and the next counts itself.
    world.limits.preload(world.now, &quota, window, 19_528);
    assert_eq!(letters(&mut world), 8);
    assert_eq!(letters(&mut world), 9);
    let browser = world.signed_in("alice");
    let long = world.device_codes("tv");
    assert_eq!(
        world.type_code(&browser, &long.user).device().grant,
        world.grant_of(&long)
    );
    world.advance(12.mins());
    assert_eq!(letters(&mut world), 8, "and shrink again");
}

#[test]
fn with_several_nodes_codes_grow_sooner() {
    let mut world = World::with(|realm| realm.nodes = 10);
    let quota = grantor_core::engine::limits::pending::realm_quota();
    world.limits.preload(
        world.now,
        &quota,
        grantor_core::engine::limits::Window::Custom(10.mins()),
        2_000,
    );
    assert_eq!(world.device_codes("tv").user.replace('-', "").len(), 9);
}

#[test]
fn a_code_outlives_a_new_master_key() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let codes = world.device_codes("tv");
    let rotate = |world: &mut World, older: &[MasterKey]| {
        world.reconfigure(|realm| {
            realm.sealing = SealingKeys::new("default", &MasterKey::new([5; 32]), older);
        });
    };
    rotate(&mut world, &[MasterKey::new([1; 32])]);
    world.type_code(&browser, &codes.user).device();
    assert_eq!(
        world.decide(&browser, &codes, true),
        grantor_testkit::world::Decided::Approved
    );
    assert!(world.poll(&codes).is_ok());
    rotate(&mut world, &[]);
    assert_eq!(
        world.visitor(&browser),
        None,
        "a key that is gone opens nothing"
    );
}

#[test]
fn the_store_holds_no_code() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    let dump = world.dump();
    let plain = codes.user.replace('-', "");
    for secret in [&codes.user, &plain, &codes.device] {
        assert!(!dump.contains(secret.as_str()));
    }
    let tokens = world.device_tokens("tv", "alice");
    let dump = world.dump();
    assert!(dump.contains("alice"), "the dump is one");
    for secret in [&tokens.access, tokens.refresh()] {
        assert!(!dump.contains(secret));
    }
}
