//! The users of the configuration file as rows.

use grantor_core::base::secret::Secret;
use grantor_core::people::{Password, ProvisionReply};

use grantor_testkit::user_id;
use grantor_testkit::world::{Browser, SignedIn, World, declared_user};

#[test]
fn an_unchanged_declared_user_is_not_written() {
    let mut world = World::new();
    let (cost, changed) = world.cost(|world| world.provision(declared_user("alice", true)));
    assert_eq!((cost, changed), ([1, 0, 0], Some(false)));
}

#[test]
fn a_new_user_is_two_rows() {
    let mut world = World::new();
    let (cost, changed) = world.cost(|world| world.provision(declared_user("dave", true)));
    assert_eq!((cost, changed), ([1, 1, 2], Some(true)));
    world.signed_in("dave");
}

#[test]
fn changing_a_claim_ends_no_session_or_grant() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let tokens = world.device_tokens("tv", "alice");
    let mut user = declared_user("alice", true);
    user.groups = vec!["admins".to_owned()];
    assert_eq!(world.provision(user), Some(true));
    assert!(world.visitor(&browser).is_some());
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

#[test]
fn a_password_in_plain_text_is_hashed_only_when_it_changed() {
    let mut world = World::new();
    let with = |password: &str, hash: Option<&str>| {
        let mut user = declared_user("alice", true);
        user.password = Password::Plain {
            password: Secret::new(password),
            hash: hash.map(ToOwned::to_owned),
        };
        user
    };
    let browser = world.signed_in("alice");
    assert_eq!(
        world.provision(with("alice-password", None)),
        Some(false),
        "it still fits"
    );
    assert!(world.visitor(&browser).is_some());
    let reply = world.ask(with("new", None)).reply;
    assert_eq!(reply, Ok(ProvisionReply::NeedsHash));
    assert!(world.visitor(&browser).is_some(), "nothing is written yet");
    assert_eq!(world.provision(with("new", Some("plain$new"))), Some(true));
    assert_eq!(
        world.visitor(&browser),
        None,
        "a changed password draws a new epoch"
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
    assert_eq!((cost[1..].to_vec(), changed), (vec![1, 3], Some(true)));
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
