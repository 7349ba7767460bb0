//! User codes, and that nobody guesses them (RFC 8628 sections 5.1 and 6.1).

use grantor_core::base::sealing::{MasterKey, SealingKeys};
use grantor_core::engine::event::EventKind;
use grantor_core::people::LookupUserCodeReply;

use crate::world::people::Looked;
use crate::world::run::Run;
use crate::world::{Browser, Spans, World};

/// A well-formed code that nobody has: deterministic seeds never draw it here.
fn guess(n: usize) -> String {
    let letters: Vec<char> = "BCDFGHJKLMNPQRSTVWXZ".chars().collect();
    let digits = (0..6).map(|place| letters[n / 20_usize.pow(place) % 20]);
    digits.chain("ZZ".chars()).collect()
}

/// How many of `tries` wrong codes were looked up.
fn wrong(world: &mut World, browser: &Browser, tries: usize) -> usize {
    let looked_up = |n: &usize| {
        matches!(
            world.lookup_user_code(browser, &guess(*n)),
            Looked::NotValid
        )
    };
    (0..tries).filter(looked_up).count()
}

#[test]
fn rfc8628_6_1_a_code_is_read_without_case_dashes_and_spaces() {
    let mut world = World::new();
    let browser = world.browser_of("alice");
    let codes = world.device("tv");
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
            matches!(world.lookup_user_code(&browser, &typed), Looked::Asks(_)),
            "{typed}"
        );
    }
}

#[test]
fn one_answer_for_an_unknown_a_malformed_an_expired_and_a_decided_code() {
    let mut world = World::new();
    let expired = world.device("tv");
    world.advance(10.mins());
    let decided = world.device("tv");
    world.approve("alice", &decided);
    let browser = world.browser_of("bob");
    for typed in [
        guess(1),
        "x".to_owned(),
        String::new(),
        expired.user,
        decided.user,
        "é".repeat(9000),
    ] {
        assert!(
            matches!(world.lookup_user_code(&browser, &typed), Looked::NotValid),
            "{typed}"
        );
    }
}

#[test]
fn rfc8628_5_1_twenty_wrong_codes_an_hour_for_an_account() {
    let mut world = World::new();
    let browser = world.browser_of("alice");
    assert_eq!(wrong(&mut world, &browser, 50), 20);
    let codes = world.device("tv");
    assert!(
        matches!(
            world.lookup_user_code(&browser, &codes.user),
            Looked::TooMany
        ),
        "the right one neither"
    );
    let elsewhere = Browser {
        address: "203.0.113.1".to_owned(),
        ..browser.clone()
    };
    assert!(
        matches!(
            world.lookup_user_code(&elsewhere, &codes.user),
            Looked::TooMany
        ),
        "nor from elsewhere"
    );
    let bob = world.browser_of("bob");
    assert!(matches!(
        world.lookup_user_code(&bob, &codes.user),
        Looked::Asks(_)
    ));
    assert!(world.kinds().contains(&EventKind::TriesUsedUp));
    world.advance(68.mins());
    assert_eq!(wrong(&mut world, &browser, 1), 1);
}

#[test]
fn right_codes_cost_no_try() {
    let mut world = World::new();
    let browser = world.browser_of("alice");
    let codes = world.device("tv");
    assert_eq!(wrong(&mut world, &browser, 19), 19);
    for _ in 0..100 {
        assert!(matches!(
            world.lookup_user_code(&browser, &codes.user),
            Looked::Asks(_)
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
        assert_eq!(
            world.provision(crate::world::people::file_user(&name, true)),
            Some(true)
        );
        let browser = world.browser_of(&name);
        looked_up += wrong(&mut world, &browser, 20);
    }
    assert_eq!(looked_up, 200);
}

#[test]
fn ten_thousand_parallel_guesses_stay_inside_the_limits() {
    let mut world = World::new();
    let browser = world.browser_of("alice");
    let codes = world.device("tv");
    let guesses = (0..9_999).map(guess).chain([codes.user]);
    let mut runs: Vec<_> = guesses
        .map(|typed| Run::new(&mut world, browser.lookup_user_code(&typed)))
        .collect();
    // In step: all read the session, then all ask the tables, then all that may look up.
    let (mut looked_up, mut refused) = (0, 0);
    while !runs.is_empty() {
        runs.retain_mut(|run| match run.effect(&mut world) {
            Some(end) => {
                match end.expect("the house answers").reply.expect("no protocol") {
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
fn many_wrong_codes_in_a_pool_are_told_and_lock_nobody_out() {
    let mut world = World::new();
    let quota = grantor_core::engine::limits::Quota {
        counter: grantor_core::engine::limits::Counter::UserCodesPerRealm,
        subject: String::new(),
        limit: u32::MAX,
    };
    let window = grantor_core::engine::limits::Window::Hour;
    world.limits.preload(world.now, &quota, window, 9_999);
    let browser = world.browser_of("alice");
    world.kinds();
    let mut strained = |n: usize| {
        let reply = world.ask(browser.lookup_user_code(&guess(n))).reply;
        matches!(
            reply,
            Ok(LookupUserCodeReply::NotValid { strained: true, .. })
        )
    };
    assert!(!strained(1), "the 10,000th");
    assert!(strained(2), "one above");
    let codes = world.device("tv");
    assert!(
        matches!(
            world.lookup_user_code(&browser, &codes.user),
            Looked::Asks(_)
        ),
        "never a lock"
    );
    assert_eq!(
        world
            .kinds()
            .iter()
            .filter(|kind| **kind == EventKind::ManyWrongUserCodes)
            .count(),
        1
    );
}

#[test]
fn several_nodes_share_the_limits() {
    let mut world = World::with(|realm| realm.nodes = 4);
    let browser = world.browser_of("alice");
    assert_eq!(wrong(&mut world, &browser, 50), 5);
}

#[test]
fn codes_grow_while_many_are_alive() {
    let mut world = World::new();
    let quota = grantor_core::engine::limits::pending::realm_quota();
    let window = grantor_core::engine::limits::Window::Custom(10.mins());
    let letters = |world: &mut World| world.device("tv").user.replace('-', "").len();
    assert_eq!(letters(&mut world), 8);
    // 20^8 / (20 tries * 2^16) = 19,531; one is alive already, and the next counts itself.
    world.limits.preload(world.now, &quota, window, 19_528);
    assert_eq!(letters(&mut world), 8);
    assert_eq!(letters(&mut world), 9);
    let browser = world.browser_of("alice");
    let long = world.device("tv");
    assert_eq!(
        world.lookup_user_code(&browser, &long.user).asker().grant,
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
    assert_eq!(world.device("tv").user.replace('-', "").len(), 9);
}

#[test]
fn a_code_outlives_a_new_master_key() {
    let mut world = World::new();
    let browser = world.browser_of("alice");
    let codes = world.device("tv");
    let rotate = |world: &mut World, older: &[MasterKey]| {
        world.reconfigure(|realm| {
            realm.sealing = SealingKeys::new("default", &MasterKey::new([5; 32]), older);
        });
    };
    rotate(&mut world, &[MasterKey::new([1; 32])]);
    world.lookup_user_code(&browser, &codes.user).asker();
    assert_eq!(
        world.decide(&browser, &codes, true),
        crate::world::Decided::Approved
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
    let codes = world.device("tv");
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
