//! What the operator does to accounts by command.

use grantor_core::base::error::ErrorCode::{InvalidGrant, InvalidToken};
use grantor_core::engine::event::EventKind;
use grantor_core::people::{AddUser, AddUserReply, SetEnabled, SetEnabledReply};

use grantor_testkit::world::{Browser, Decided, SignedIn, World};

fn add(world: &mut World, username: &str) -> AddUserReply {
    let user = AddUser {
        username: username.to_owned(),
        password: format!("plain${username}-password"),
        email: None,
    };
    world.ask(user).reply.expect("no OAuth error")
}

fn set(world: &mut World, username: &str, enabled: bool) -> SetEnabledReply {
    let set = SetEnabled {
        username: username.to_owned(),
        enabled,
    };
    world.ask(set).reply.expect("no OAuth error")
}

#[test]
fn an_added_user_can_sign_in_and_an_event_records_the_addition() {
    let mut world = World::new();
    let (cost, added) = world.cost(|world| add(world, "dave"));
    assert_eq!(cost, [1, 1, 2]);
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
            ([1, 0, 0], AddUserReply::NameTaken),
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
    let withdraw = grantor_core::people::Deprovision { id };
    world.ask(withdraw).reply.expect("no OAuth error");
    world.signed_in("dave");
}
