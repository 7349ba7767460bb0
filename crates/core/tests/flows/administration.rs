//! What the operator does to accounts by command.

use grantor_core::base::error::ErrorCode::{InvalidGrant, InvalidToken};
use grantor_core::engine::event::EventKind;
use std::collections::BTreeMap;

use grantor_core::base::secret::Secret;
use grantor_core::people::{
    AddUser, AddUserReply, ChangeUser, ChangeUserReply, DeleteUser, FindUser, LoginRefused,
    RenameUser, SetEnabled, SetEnabledReply, SetPassword, UserChange,
};
use serde_json::json;

use crate::provisioning::stored;
use grantor_testkit::user_id;
use grantor_testkit::world::{Browser, Decided, SignedIn, World, declared_user};

pub(crate) fn add(world: &mut World, username: &str) -> AddUserReply {
    let user = AddUser {
        username: username.to_owned(),
        password: format!("plain${username}-password"),
        groups: Vec::new(),
        organization: None,
        email: None,
    };
    world.ask(user).reply.expect("no OAuth error")
}

pub(crate) fn set(world: &mut World, username: &str, enabled: bool) -> SetEnabledReply {
    let set = SetEnabled {
        username: username.to_owned(),
        enabled,
    };
    world.ask(set).reply.expect("no OAuth error")
}

fn done(reply: ChangeUserReply) -> bool {
    match reply {
        ChangeUserReply::Done { changed, .. } => changed,
        other => panic!("it is done: {other:?}"),
    }
}

fn password_reply(world: &mut World, username: &str, password: &str) -> ChangeUserReply {
    let set = SetPassword {
        username: username.to_owned(),
        password: Secret::new(password),
    };
    world.ask(set).reply.expect("no OAuth error")
}

pub(crate) fn set_password(world: &mut World, username: &str, password: &str) {
    assert!(done(password_reply(world, username, password)));
}

fn change_reply(world: &mut World, username: &str, change: UserChange) -> ChangeUserReply {
    let change = ChangeUser {
        username: username.to_owned(),
        change,
    };
    world.ask(change).reply.expect("no OAuth error")
}

pub(crate) fn change_user(world: &mut World, username: &str, change: UserChange) {
    assert!(done(change_reply(world, username, change)));
}

fn rename(world: &mut World, username: &str, to: &str) -> ChangeUserReply {
    let rename = RenameUser {
        username: username.to_owned(),
        to: to.to_owned(),
    };
    world.ask(rename).reply.expect("no OAuth error")
}

fn delete(world: &mut World, username: &str) -> ChangeUserReply {
    let username = username.to_owned();
    let reply = world.ask(DeleteUser { username }).reply;
    reply.expect("no OAuth error")
}

#[test]
fn a_password_set_by_command_ends_sessions_and_grants() {
    let mut world = World::new();
    add(&mut world, "dave");
    let tokens = world.device_tokens("tv", "dave");
    let mut browser = world.signed_in("dave");
    world.events.clear();
    let (cost, ()) = world.cost(|world| set_password(world, "DAVE", "correct horse"));
    assert_eq!(cost, [2, 1, 1]);
    assert_eq!(world.take_events(), [EventKind::PasswordChanged]);
    assert_eq!(world.visitor(&browser), None);
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    let old = world.sign_in(&mut browser, "dave", "dave-password");
    assert_eq!(old, SignedIn::Wrong);
    let new = world.sign_in(&mut browser, "dave", "correct horse");
    assert_eq!(new, SignedIn::Yes);
}

#[test]
fn a_change_of_what_tokens_say_ends_nothing_and_can_be_taken_back() {
    let mut world = World::new();
    add(&mut world, "dave");
    let browser = world.signed_in("dave");
    let change = |email: &str, groups: &[&str], nickname: Option<&str>| UserChange {
        email: Some((!email.is_empty()).then(|| email.to_owned())),
        groups: Some(groups.iter().map(|group| (*group).to_owned()).collect()),
        organization: None,
        claims: BTreeMap::from([("nickname".to_owned(), nickname.map(Into::into))]),
    };
    let full = change("d@example.com", &["staff"], Some("D"));
    change_user(&mut world, "dave", full.clone());
    let again = change_reply(&mut world, "dave", full);
    assert!(!done(again), "so it is already");
    let find = |world: &mut World, username: &str| {
        let username = username.to_owned();
        let found = world.ask(FindUser { username }).reply;
        found.expect("no OAuth error")
    };
    let dave = find(&mut world, "Dave").expect("a user");
    assert_eq!(dave.email.as_deref(), Some("d@example.com"));
    assert_eq!(
        (&dave.groups[..], &dave.claims["nickname"]),
        (&["staff".to_owned()][..], &json!("D"))
    );
    assert!(find(&mut world, &dave.id.to_string()).is_some(), "by sub");
    assert!(find(&mut world, "nobody").is_none());
    change_user(&mut world, "dave", change("", &[], None));
    let dave = find(&mut world, "dave").expect("a user");
    assert!(dave.email.is_none() && dave.groups.is_empty() && dave.claims.is_empty());
    assert!(world.visitor(&browser).is_some());
}

#[test]
fn a_renamed_user_keeps_sub_and_sessions_and_takes_no_name_that_is_taken() {
    let mut world = World::new();
    add(&mut world, "dave");
    let browser = world.signed_in("dave");
    for taken in ["alice", " ALICE"] {
        assert_eq!(
            rename(&mut world, "dave", taken),
            ChangeUserReply::Refused(LoginRefused::NameTaken)
        );
    }
    let (cost, reply) = world.cost(|world| rename(world, "dave", "David"));
    assert!(done(reply));
    // The user, and the name's two rows: the new ones, and the end of the old.
    assert_eq!(cost, [4, 1, 5]);
    assert!(world.visitor(&browser).is_some());
    let old = world.sign_in(&mut Browser::new(), "dave", "dave-password");
    assert_eq!(old, SignedIn::Wrong);
    let new = world.sign_in(&mut Browser::new(), "david", "dave-password");
    assert_eq!(new, SignedIn::Yes);
    assert!(done(rename(&mut world, "david", "DAVID")), "only the case");
    assert!(matches!(
        add(&mut world, "dave"),
        AddUserReply::Added { .. }
    ));
}

#[test]
fn a_user_made_again_after_a_deletion_inherits_nothing() {
    let mut world = World::new();
    let AddUserReply::Added { id } = add(&mut world, "dave") else {
        panic!("the name was free");
    };
    let tokens = world.device_tokens("tv", "dave");
    let browser = world.signed_in("dave");
    world.events.clear();
    let (cost, reply) = world.cost(|world| delete(world, "dave"));
    assert!(done(reply));
    assert_eq!(cost, [3, 1, 3]);
    assert_eq!(world.take_events(), [EventKind::UserDeleted]);
    assert_eq!(delete(&mut world, "dave"), ChangeUserReply::Unknown);
    let check = |world: &mut World| {
        assert_eq!(world.visitor(&browser), None);
        assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
        assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    };
    check(&mut world);
    let AddUserReply::Added { id: again } = add(&mut world, "dave") else {
        panic!("the name is free");
    };
    assert_ne!(id, again);
    check(&mut world);
    world.signed_in("dave");
}

#[test]
fn a_declared_user_is_deleted_once_withdrawn_and_declared_again_has_another_epoch() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let declared = ChangeUserReply::Declared("username".to_owned());
    assert_eq!(delete(&mut world, "alice"), declared);
    let before = stored(&world, "alice").epoch;
    world.withdraw("alice");
    assert_eq!(delete(&mut world, "alice"), ChangeUserReply::Unknown);
    let id = user_id("alice");
    assert!(done(delete(&mut world, &id.to_string())), "it has no name");
    assert_eq!(world.provision(declared_user("alice", true)), Some(true));
    assert_ne!(stored(&world, "alice").epoch, before);
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
}

#[test]
fn commands_change_of_a_declared_user_what_the_file_does_not_name() {
    let mut world = World::new();
    let browser = world.signed_in("alice");
    let before = stored(&world, "alice");
    let claim = |name: &str| UserChange {
        claims: BTreeMap::from([(name.to_owned(), Some("x".into()))]),
        ..UserChange::default()
    };
    let email = UserChange {
        email: Some(None),
        ..UserChange::default()
    };
    let groups = UserChange {
        groups: Some(vec!["admins".to_owned()]),
        ..UserChange::default()
    };
    for (change, member) in [
        (email, "email"),
        (groups, "groups"),
        (claim("given_name"), "claims/given_name"),
    ] {
        let reply = change_reply(&mut world, "alice", change);
        assert_eq!(reply, ChangeUserReply::Declared(member.to_owned()));
    }
    let reply = password_reply(&mut world, "alice", "correct horse");
    assert_eq!(reply, ChangeUserReply::Declared("password".to_owned()));
    let reply = rename(&mut world, "alice", "alicia");
    assert_eq!(reply, ChangeUserReply::Declared("username".to_owned()));
    assert!(stored(&world, "alice") == before);
    change_user(&mut world, "alice", claim("nickname"));
    assert_eq!(stored(&world, "alice").claims["nickname"], "x");
    assert!(world.visitor(&browser).is_some());
}

#[test]
fn an_added_user_can_sign_in_and_an_event_records_the_addition() {
    let mut world = World::new();
    let (cost, added) = world.cost(|world| add(world, "dave"));
    assert_eq!(cost, [2, 1, 3]);
    let AddUserReply::Added { id } = added else {
        panic!("the name was free");
    };
    assert_eq!(world.take_events(), [EventKind::UserAdded]);
    let browser = world.signed_in("dave");
    assert_eq!(
        world.visitor(&browser).map(|visitor| visitor.user),
        Some(id)
    );
}

#[test]
fn a_username_can_be_added_once_regardless_of_case() {
    let mut world = World::new();
    assert!(matches!(
        add(&mut world, "dave"),
        AddUserReply::Added { .. }
    ));
    for name in ["dave", " DAVE", "alice"] {
        let (cost, reply) = world.cost(|world| add(world, name));
        assert_eq!(
            (cost, reply),
            ([1, 0, 0], AddUserReply::Refused(LoginRefused::NameTaken)),
            "{name}"
        );
    }
}

#[test]
fn disabling_a_user_ends_grants_at_once() {
    let mut world = World::new();
    add(&mut world, "dave");
    let tokens = world.device_tokens("tv", "dave");
    let (browser, pending) = (world.signed_in("dave"), world.device_codes("tv"));
    world.events.clear();

    let disabled = set(&mut world, "Dave", false);
    assert!(matches!(
        disabled,
        SetEnabledReply::Done { changed: true, .. }
    ));
    assert_eq!(world.take_events(), [EventKind::UserDisabled]);
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
    assert_eq!(world.visitor(&browser), None);
    assert_eq!(world.decide(&browser, &pending, true), Decided::SignIn);
    let refused = world.sign_in(&mut Browser::new(), "dave", "dave-password");
    assert_eq!(refused, SignedIn::Wrong);

    let (cost, again) = world.cost(|world| set(world, "dave", false));
    assert_eq!(cost[1], 0, "once");
    assert!(matches!(
        again,
        SetEnabledReply::Done { changed: false, .. }
    ));

    set(&mut world, "dave", true);
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    assert!(world.device_tokens("tv", "dave").refresh().len() > 20);
}

#[test]
fn commands_cannot_change_declared_or_unknown_users() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    world.events.clear();
    assert_eq!(
        set(&mut world, "alice", false),
        SetEnabledReply::DeclaredInConfig
    );
    assert_eq!(set(&mut world, "nobody", false), SetEnabledReply::Unknown);
    assert!(world.take_events().is_empty());
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

#[test]
fn an_added_user_outlives_a_file_that_does_not_name_it() {
    let mut world = World::new();
    let AddUserReply::Added { id } = add(&mut world, "dave") else {
        panic!("the name was free");
    };
    let withdraw = grantor_core::people::Deprovision {
        id,
        declared: false,
    };
    world.ask(withdraw).reply.expect("no OAuth error");
    world.signed_in("dave");
}
