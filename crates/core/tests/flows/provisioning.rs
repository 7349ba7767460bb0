//! The users of the configuration file as rows.

use std::collections::BTreeMap;

use grantor_core::base::sealing::{MasterKey, SealingKeys};
use grantor_core::base::secret::Secret;
use grantor_core::people::{Password, PreparePassword, Provision, ProvisionReply, UserChange};
use grantor_core::records::User;

use crate::administration::{change_user, set_password};
use grantor_testkit::user_id;
use grantor_testkit::world::{Browser, SignedIn, World, declared_user};

/// A declared user's row.
pub(crate) fn stored(world: &World, username: &str) -> User {
    world.user(user_id(username)).expect("a user")
}

/// The row as somebody else wrote it.
pub(crate) fn rewrite(world: &mut World, username: &str, change: impl FnOnce(&mut User)) {
    let mut user = stored(world, username);
    change(&mut user);
    world.put_user(&user);
}

#[test]
fn an_unchanged_declared_user_is_not_written() {
    let mut world = World::new();
    let (cost, changed) = world.cost(|world| world.provision(declared_user("alice", true)));
    assert_eq!((cost, changed), ([1, 0, 0], Some(false)));
}

#[test]
fn a_new_user_is_four_rows() {
    let mut world = World::new();
    let (cost, changed) = world.cost(|world| world.provision(declared_user("dave", true)));
    // The user, the row of earlier versions, and those of name and address.
    assert_eq!((cost, changed), ([2, 1, 4], Some(true)));
    world.signed_in("dave");
}

#[test]
fn changing_a_claim_ends_no_session_or_grant() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let tokens = world.device_tokens("tv", "alice");
    let mut user = declared_user("alice", true);
    user.groups = Some(vec!["admins".to_owned()]);
    assert_eq!(world.provision(user), Some(true));
    assert!(world.visitor(&browser).is_some());
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

#[test]
fn a_password_in_plain_text_is_hashed_only_when_it_changed() {
    let mut world = World::new();
    let with = |password: &str| {
        let mut user = declared_user("alice", true);
        user.password = Password::Plain(Secret::new(password));
        user
    };
    let browser = world.signed_in("alice");
    world.hashes = 0;
    assert_eq!(world.provision(with("alice-password")), Some(true));
    assert_eq!(world.hashes, 1, "it was declared as a hash before");
    assert!(world.visitor(&browser).is_some(), "it still fits");
    assert_eq!(world.provision(with("alice-password")), Some(false));
    assert_eq!(world.hashes, 1, "a MAC says that it is the same");
    assert_eq!(world.provision(with("new")), Some(true));
    assert_eq!(world.hashes, 3, "compared, and hashed");
    assert_eq!(
        world.visitor(&browser),
        None,
        "a changed password draws a new epoch"
    );
    assert_eq!(
        world.sign_in(&mut Browser::new(), "alice", "new"),
        SignedIn::Yes
    );
}

#[test]
fn a_prepared_password_was_hashed_before_anything_is_written() {
    let mut world = World::new();
    let with = |password: &str| Provision {
        password: Password::Plain(Secret::new(password)),
        ..declared_user("alice", true)
    };
    let browser = world.signed_in("alice");
    let prepare = |world: &mut World, password: &str| {
        let Ok(prepared) = world.ask(PreparePassword(with(password))).reply;
        prepared
    };
    // The same as before, the same again, another one: compared; neither; compared and hashed.
    for (password, hashes, changed) in [
        ("alice-password", 1, true),
        ("alice-password", 0, false),
        ("new", 2, true),
    ] {
        world.hashes = 0;
        let (cost, prepared) = world.cost(|world| prepare(world, password));
        assert_eq!((cost, world.hashes), ([1, 0, 0], hashes));
        assert!(!format!("{prepared:?}").contains(password));
        assert_eq!(world.provision(prepared), Some(changed));
        assert_eq!(world.hashes, hashes, "{password}");
        assert_eq!(world.visitor(&browser).is_some(), password != "new");
        // The MAC is that of the declared password.
        assert_eq!(world.provision(with(password)), Some(false));
        assert_eq!(world.hashes, hashes);
    }
    // What was prepared for another stored hash does not count.
    let prepared = prepare(&mut world, "newer");
    rewrite(&mut world, "alice", |user| {
        user.password = Some("plain$newest".to_owned());
    });
    world.hashes = 0;
    assert_eq!(world.provision(prepared), Some(true));
    assert_eq!(world.hashes, 2);
    let signed_in = world.sign_in(&mut Browser::new(), "alice", "newer");
    assert_eq!(signed_in, SignedIn::Yes);
}

#[test]
fn two_hundred_declared_passwords_cost_no_hash_at_the_next_start() {
    let mut world = World::new();
    let users: Vec<Provision> = (0..200)
        .map(|number| Provision {
            password: Password::Plain(Secret::new(format!("password of {number}"))),
            ..declared_user(&format!("user-{number}"), true)
        })
        .collect();
    let start = |world: &mut World| {
        world.hashes = 0;
        let written = users
            .iter()
            .filter_map(|user| world.provision(user.clone()));
        let written = written.filter(|written| *written).count();
        (world.hashes, written)
    };
    assert_eq!(start(&mut world), (200, 200));
    let (cost, next) = world.cost(start);
    assert_eq!((cost, next), ([200, 0, 0], (0, 0)));
}

#[test]
fn a_declared_password_is_recognised_under_the_next_master_key_and_cuts_nobody_off() {
    let mut world = World::new();
    let mut user = declared_user("alice", true);
    user.password = Password::Plain(Secret::new("alice-password"));
    assert_eq!(world.provision(user.clone()), Some(true));
    let [old, new] = [1, 2].map(|byte| MasterKey::new([byte; 32]));
    let epoch = |world: &World| stored(world, "alice").epoch;
    let before = epoch(&world);
    world.hashes = 0;
    for older in [vec![old], vec![]] {
        let keys = SealingKeys::new("default", &new, &older);
        world.reconfigure(|realm| realm.sealing = keys);
        let written = !older.is_empty();
        assert_eq!(world.provision(user.clone()), Some(written), "once");
    }
    assert_eq!((world.hashes, epoch(&world)), (0, before));
}

#[test]
fn equal_declared_passwords_of_two_users_do_not_look_equal_in_the_store() {
    let mut world = World::new();
    let macs = ["dave", "erin"].map(|name| {
        let mut user = declared_user(name, true);
        user.password = Password::Plain(Secret::new("the same password"));
        assert_eq!(world.provision(user), Some(true));
        stored(&world, name).declared_credential.expect("a MAC")
    });
    assert_ne!(macs[0], macs[1]);
    assert!(!world.dump().contains("\"the same password\""));
}

#[test]
fn a_row_of_an_older_version_gets_its_mac_and_cuts_nobody_off() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let older = |user: &mut User| {
        user.declared = None;
        user.declared_credential = None;
    };
    for password in [
        Password::Hash("plain$alice-password".to_owned()),
        Password::Plain(Secret::new("alice-password")),
    ] {
        rewrite(&mut world, "alice", older);
        let user = Provision {
            password,
            groups: None,
            ..declared_user("alice", true)
        };
        assert_eq!(world.provision(user.clone()), Some(true));
        assert!(world.visitor(&browser).is_some());
        // All that it held was the file's.
        assert!(stored(&world, "alice").groups.is_empty());
        assert_eq!(world.provision(user), Some(false));
        let browser = world.signed_in("alice");
        assert!(world.visitor(&browser).is_some());
    }
}

/// A user of whom the file says the name, and one claim.
fn sparse() -> Provision {
    Provision {
        password: Password::None,
        email: None,
        groups: None,
        claims: BTreeMap::from([("given_name".to_owned(), "Dave".into())]),
        ..declared_user("dave", true)
    }
}

#[test]
fn provisioning_changes_only_what_the_file_names() {
    let mut world = World::new();
    assert_eq!(world.provision(sparse()), Some(true));
    set_password(&mut world, "dave", "dave-password");
    let browser = world.signed_in("dave");
    let change = UserChange {
        email: Some(Some("dave@example.com".to_owned())),
        groups: Some(vec!["staff".to_owned()]),
        organization: None,
        claims: BTreeMap::from([("nickname".to_owned(), Some("D".into()))]),
    };
    change_user(&mut world, "dave", change);
    let changed = stored(&world, "dave");
    assert_eq!(world.provision(sparse()), Some(false));
    assert!(stored(&world, "dave") == changed);
    assert!(world.visitor(&browser).is_some());

    // What the file names later is the file's, and goes when it names it no longer.
    let named = Provision {
        email: Some("file@example.com".to_owned()),
        groups: Some(Vec::new()),
        password: Password::Hash("plain$of-the-file".to_owned()),
        ..sparse()
    };
    assert_eq!(world.provision(named), Some(true));
    let now = stored(&world, "dave");
    assert_eq!(now.email.as_deref(), Some("file@example.com"));
    assert!(now.groups.is_empty() && now.claims["nickname"] == "D");
    assert_eq!(world.provision(sparse()), Some(true));
    let now = stored(&world, "dave");
    assert_eq!((now.email, now.password), (None, None));
    let refused = world.sign_in(&mut Browser::new(), "dave", "of-the-file");
    assert_eq!(refused, SignedIn::Wrong);
}

#[test]
fn a_user_declared_again_under_a_withdrawn_name_inherits_nothing() {
    let mut world = World::new();
    assert_eq!(world.provision(sparse()), Some(true));
    set_password(&mut world, "dave", "dave-password");
    let tokens = world.device_tokens("tv", "dave");
    let groups = Some(vec!["admins".to_owned()]);
    let change = UserChange {
        groups,
        ..UserChange::default()
    };
    change_user(&mut world, "dave", change);
    // Disabled first, then no longer named.
    let disabled = Provision {
        enabled: false,
        ..sparse()
    };
    assert_eq!(world.provision(disabled), Some(true));
    world.withdraw("dave");
    let (cost, ()) = world.cost(|world| world.withdraw("dave"));
    assert_eq!(cost, [1, 0, 0], "once");
    assert_eq!(world.provision(sparse()), Some(true));
    let dave = stored(&world, "dave");
    assert!(dave.groups.is_empty() && dave.password.is_none());
    let refused = world.sign_in(&mut Browser::new(), "dave", "dave-password");
    assert_eq!(refused, SignedIn::Wrong);
    assert!(world.refresh("tv", tokens.refresh()).is_err());
}

#[test]
fn a_user_declared_again_under_another_name_leaves_the_old_name_to_whoever_has_it_now() {
    let mut world = World::new();
    world.withdraw("alice");
    let mut other = declared_user("bob", true);
    other.username = "alice".to_owned();
    assert_eq!(world.provision(other), Some(true));
    let mut again = declared_user("alice", true);
    again.username = "alicia".to_owned();
    assert_eq!(world.provision(again), Some(true));
    let mut browser = Browser::new();
    assert_eq!(
        world.sign_in(&mut browser, "alice", "bob-password"),
        SignedIn::Yes
    );
}

#[test]
fn a_user_without_a_password_cannot_sign_in_with_one() {
    let mut world = World::new();
    let mut user = declared_user("alice", true);
    user.password = Password::None;
    assert_eq!(world.provision(user), Some(true));
    for password in ["", "alice-password", "plain$"] {
        let mut browser = Browser::new();
        assert_eq!(
            world.sign_in(&mut browser, "alice", password),
            SignedIn::Wrong
        );
    }
}

#[test]
fn a_user_removed_from_the_file_is_disabled_and_cut_off() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let tokens = world.device_tokens("tv", "alice");
    world.withdraw("alice");
    assert_eq!(world.visitor(&browser), None);
    assert!(world.refresh("tv", tokens.refresh()).is_err());
    let (cost, ()) = world.cost(|world| world.withdraw("alice"));
    assert_eq!(cost, [1, 0, 0], "once");
    assert_eq!(
        world.provision(declared_user("alice", true)),
        Some(true),
        "it comes back"
    );
    assert!(
        world.refresh("tv", tokens.refresh()).is_err(),
        "what was granted does not"
    );
    world.signed_in("alice");
}

#[test]
fn withdrawing_an_unknown_user_does_nothing() {
    let mut world = World::new();
    let (cost, ()) = world.cost(|world| world.withdraw("nobody"));
    assert_eq!(cost, [1, 0, 0]);
}

#[test]
fn a_renamed_user_keeps_everything_and_leaves_the_old_name_free() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let mut renamed = declared_user("alice", true);
    renamed.username = "alicia".to_owned();
    let (cost, changed) = world.cost(|world| world.provision(renamed));
    assert_eq!((cost[1..].to_vec(), changed), (vec![1, 5], Some(true)));
    let mut browser = Browser::new();
    assert_eq!(
        world.sign_in(&mut browser, "alice", "alice-password"),
        SignedIn::Wrong
    );
    assert_eq!(
        world.sign_in(&mut browser, "alicia", "alice-password"),
        SignedIn::Yes
    );
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
    let mut other = declared_user("bob", true);
    other.username = "alice".to_owned();
    assert_eq!(world.provision(other), Some(true), "the name is free");
}

#[test]
fn changing_only_the_case_of_a_username_keeps_the_same_name() {
    let mut world = World::new();
    let mut renamed = declared_user("alice", true);
    renamed.username = "Alice".to_owned();
    assert_eq!(world.provision(renamed), Some(true));
    world.signed_in("alice");
}

#[test]
fn a_name_that_another_user_has_is_refused() {
    let mut world = World::new();
    let mut thief = declared_user("mallory", true);
    thief.username = "ALICE".to_owned();
    let (cost, reply) = world.cost(|world| world.ask(thief).reply);
    assert_eq!(reply, Ok(ProvisionReply::NameTaken));
    assert_eq!(cost, [1, 0, 0]);
    let browser = world.signed_in("alice");
    assert_eq!(
        world.visitor(&browser).expect("signed in").user,
        user_id("alice")
    );
}
