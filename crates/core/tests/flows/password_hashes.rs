//! Stored hashes that are weaker than new ones: each is raised when its user signs in.

use grantor_core::engine::facts::PasswordQueue;
use grantor_core::model::password_hash::StoredHash;
use grantor_core::people::Password;

use crate::administration::{add, set};
use crate::provisioning::{rewrite, stored};
use grantor_testkit::weak_hash;
use grantor_testkit::world::{Browser, SignedIn, World, declared_user, peer};

/// Alice is signed in, and her hash is one from elsewhere.
fn world_with_weak_hash() -> (World, Browser) {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    rewrite(&mut world, "alice", |alice| {
        alice.password = Some(weak_hash("alice-password"));
    });
    world.hashes = 0;
    (world, browser)
}

fn is_weak(world: &World, username: &str) -> bool {
    let hash = stored(world, username).password.expect("a hash");
    StoredHash::parse(&hash).is_ok_and(|hash| hash.is_weak())
}

#[test]
fn a_weak_hash_is_raised_at_sign_in_and_cuts_nobody_off() {
    let (mut world, before) = world_with_weak_hash();
    let tokens = world.device_tokens("tv", "bob");
    world.hashes = 0;
    let (cost, browser) = world.cost(|world| world.signed_in("alice"));
    assert_eq!((cost, world.hashes), ([2, 1, 2], 2), "session and user");
    assert!(!is_weak(&world, "alice"));
    for browser in [&before, &browser] {
        assert!(world.visitor(browser).is_some());
    }
    let (cost, _) = world.cost(|world| world.signed_in("alice"));
    assert_eq!((cost, world.hashes), ([2, 1, 1], 3), "once");
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
    let wrong = world.sign_in(&mut Browser::new(), "alice", "Alice-password");
    assert_eq!(wrong, SignedIn::Wrong);
}

#[test]
fn a_raised_hash_waits_where_its_sign_in_does() {
    let (mut world, known) = world_with_weak_hash();
    let weak = stored(&world, "alice");
    let id = weak.id;
    let new = Browser::new();
    let queues = [
        (new.clone(), PasswordQueue::Network(peer(&new.address))),
        (known, PasswordQueue::KnownBrowser(id)),
    ];
    for (mut browser, queue) in queues {
        rewrite(&mut world, "alice", |alice| {
            alice.password.clone_from(&weak.password);
        });
        world.hashed_in.clear();
        world.sign_in(&mut browser, "alice", "alice-password");
        assert_eq!(world.hashed_in, [queue], "not with the operator's");
    }
}

#[test]
fn a_wrong_password_and_a_disabled_user_raise_nothing() {
    let (mut world, _) = world_with_weak_hash();
    for (enabled, password) in [(true, "wrong"), (false, "alice-password")] {
        rewrite(&mut world, "alice", |alice| alice.enabled = enabled);
        let mut browser = Browser::new();
        let (cost, end) = world.cost(|world| world.sign_in(&mut browser, "alice", password));
        assert_eq!((cost, end), ([2, 0, 0], SignedIn::Wrong));
        assert!(is_weak(&world, "alice"));
    }
    assert_eq!(world.hashes, 2, "one each, as for everybody");
}

#[test]
fn a_raised_hash_of_a_declared_user_stays_raised_over_restarts() {
    let mut world = World::new();
    let mut user = declared_user("alice", true);
    user.password = Password::Hash(weak_hash("alice-password"));
    assert_eq!(world.provision(user.clone()), Some(true));
    let browser = world.signed_in("alice");
    assert!(!is_weak(&world, "alice"));
    world.hashes = 0;
    assert_eq!(world.provision(user.clone()), Some(false));
    assert!(!is_weak(&world, "alice"));
    assert!(world.visitor(&browser).is_some());
    assert_eq!(world.hashes, 0);

    user.password = Password::Hash(weak_hash("another password"));
    assert_eq!(world.provision(user), Some(true));
    assert_eq!(world.visitor(&browser), None, "the declared one changed");
    let old = world.sign_in(&mut Browser::new(), "alice", "alice-password");
    assert_eq!(old, SignedIn::Wrong);
}

#[test]
fn an_unknown_name_a_disabled_user_and_a_wrong_password_are_compared_once_each() {
    let (mut world, _) = world_with_weak_hash();
    add(&mut world, "dave");
    set(&mut world, "dave", false);
    for (name, password) in [
        ("nobody", "wrong"),
        ("dave", "dave-password"),
        ("alice", "wrong"),
        ("bob", "wrong"),
    ] {
        world.hashes = 0;
        let end = world.sign_in(&mut Browser::new(), name, password);
        assert_eq!((end, world.hashes), (SignedIn::Wrong, 1), "{name}");
    }
}
