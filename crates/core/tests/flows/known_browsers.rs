//! What wrong passwords in known browsers count for.

use grantor_core::engine::limits::{Counter, Quota, Window};

use crate::sign_in::{taken_to, use_up_the_account, wrong};
use grantor_testkit::Spans as _;
use grantor_testkit::world::{Browser, SignedIn, World};

#[test]
fn right_sign_ins_to_ones_own_account_mint_no_tries_without_end() {
    let mut world = World::new();
    let known: Vec<Browser> = (0..30).map(|_| world.signed_in("alice")).collect();
    let looked_at: u32 = known
        .iter()
        .map(|known| {
            wrong(
                &mut world,
                &taken_to(known.address.clone(), known),
                "alice",
                15,
            )
        })
        .sum();
    // All known browsers of the user together, and then what a new one has.
    assert_eq!(looked_at, 100 + 10);
    let mut known = taken_to(known[0].address.clone(), &known[0]);
    assert_eq!(
        world.sign_in(&mut known, "alice", "alice-password"),
        SignedIn::TooMany
    );
    let mut of_bob = world.signed_in("bob");
    assert_eq!(
        world.sign_in(&mut of_bob, "bob", "bob-password"),
        SignedIn::Yes
    );
}

#[test]
fn a_known_browser_keeps_its_cookie_while_it_is_valid() {
    let mut world = World::new();
    let mut browser = world.signed_in("alice");
    let shown = |browser: &Browser| {
        browser
            .known
            .as_ref()
            .expect("a cookie")
            .reveal()
            .to_owned()
    };
    let first = shown(&browser);
    world.advance(100.days());
    world.sign_in(&mut browser, "alice", "alice-password");
    assert_eq!(shown(&browser), first, "the same id and the same end");
    world.advance(80.days());
    world.sign_in(&mut browser, "alice", "alice-password");
    assert_ne!(shown(&browser), first, "it had expired");
    let second = shown(&browser);
    world.sign_in(&mut browser, "bob", "bob-password");
    assert_ne!(shown(&browser), second, "another user");
}

#[test]
fn a_full_table_of_known_browsers_leaves_the_count_of_their_user() {
    let mut world = World::new();
    for n in 0..80_000 {
        let quota = Quota {
            counter: Counter::PasswordsPerKnownBrowser,
            subject: format!("cookie {n}"),
            limit: 10,
        };
        world.limits.preload(world.now, &quota, Window::Day, 5);
    }
    for _ in 0..30 {
        let known = world.signed_in("alice");
        use_up_the_account(&mut world);
        let mut known = taken_to("203.0.113.7".to_owned(), &known);
        assert_eq!(
            world.sign_in(&mut known, "alice", "alice-password"),
            SignedIn::Yes
        );
        world.advance(68.mins());
    }
}
