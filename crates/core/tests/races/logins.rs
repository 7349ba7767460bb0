//! Two users reach for one name or one address, and someone signs in meanwhile: a conditional write decides, and the rows
//! agree with the users.

use grantor_core::people::{
    AddUser, AddUserReply, ChangeUser, DeleteUser, RenameUser, SignInReply, UserChange,
};
use grantor_core::records::{Login, Record as _, User};
use grantor_store::testing::Fault;
use grantor_testkit::world::{Browser, World};

use crate::schedules::{self, every_order};
use crate::{End, Racer, plain, racer};

const ADDRESS: &str = "x@example.com";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// The operator gives dave or erin the address.
    GiveDave,
    GiveErin,
    /// A user with that address is added.
    Add,
    /// Dave is renamed to the name that is also added.
    Rename,
    AddName,
    Delete,
    SignInByName,
    SignInByAddress,
}

const ACTS: [Act; 8] = [
    Act::GiveDave,
    Act::GiveErin,
    Act::Add,
    Act::Rename,
    Act::AddName,
    Act::Delete,
    Act::SignInByName,
    Act::SignInByAddress,
];

struct Scene(World);

fn add(username: &str, email: Option<&str>) -> AddUser {
    AddUser {
        username: username.to_owned(),
        password: format!("plain${username}"),
        groups: Vec::new(),
        organization: None,
        email: email.map(ToOwned::to_owned),
    }
}

impl Scene {
    fn new() -> Self {
        let mut world = World::new();
        for name in ["dave", "erin"] {
            let email = format!("{name}@example.com");
            let reply = world.ask(add(name, Some(&email))).reply;
            assert!(matches!(reply, Ok(AddUserReply::Added { .. })));
        }
        Self(world)
    }
}

impl schedules::Scene for Scene {
    type Act = Act;

    fn world(&mut self) -> &mut World {
        &mut self.0
    }

    fn begin(&mut self, act: Act) -> Box<dyn Racer> {
        let world = &mut self.0;
        let dave = "dave".to_owned();
        let mut give = |username: &str| {
            let change = UserChange {
                email: Some(Some(ADDRESS.to_owned())),
                ..UserChange::default()
            };
            let username = username.to_owned();
            racer(world, ChangeUser { username, change }, plain)
        };
        match act {
            Act::GiveDave => give("dave"),
            Act::GiveErin => give("erin"),
            Act::Add => racer(world, add("fred", Some(ADDRESS)), plain),
            Act::AddName => racer(world, add("zed", None), plain),
            Act::Rename => {
                let to = "zed".to_owned();
                racer(world, RenameUser { username: dave, to }, plain)
            }
            Act::Delete => racer(world, DeleteUser { username: dave }, plain),
            Act::SignInByName | Act::SignInByAddress => {
                let typed = match act {
                    Act::SignInByName => "dave",
                    _ => "dave@example.com",
                };
                let sign_in = Browser::new().sign_in(typed, "dave");
                racer(world, sign_in, |outcome| match outcome.reply {
                    Ok(SignInReply::SignedIn { session, .. }) => End::SignedIn(Some(session)),
                    Ok(_) => End::SignedIn(None),
                })
            }
        }
    }
}

fn all<T: serde::de::DeserializeOwned>(world: &World, kind: &str) -> Vec<T> {
    let rows = world.list_all(kind);
    let rows = rows.iter();
    rows.map(|row| serde_json::from_slice(&row.value).expect("a record"))
        .collect()
}

/// Each row names one user, who has what it says; and each user has a row for each of theirs.
fn check(world: &World, story: &str) {
    let users: Vec<User> = all(world, User::KIND);
    let logins: Vec<Login> = all(world, Login::KIND);
    for login in &logins {
        let only = login.only();
        let user = users.iter().find(|user| Some(user.id) == only);
        let user = user.unwrap_or_else(|| panic!("{login:?} is of one user: {story}"));
        assert!(user.own_logins().contains(&login.login), "{story}");
    }
    let given: usize = users.iter().map(|user| user.logins.len()).sum();
    assert_eq!(given, logins.len(), "{story}");
    for user in &users {
        assert_eq!(user.logins, user.own_logins(), "{story}");
    }
}

#[test]
fn every_interleaving_of_two_requests_for_one_name_or_address() {
    let mut schedules = 0;
    for (at, first) in ACTS.into_iter().enumerate() {
        for second in &ACTS[at..] {
            for fault in [None, Some(Fault::UnknownWritten), Some(Fault::UnknownLost)] {
                let pair = [first, *second];
                schedules += every_order(Scene::new, pair, fault, |scene, schedule| {
                    check(&scene.0, &schedule.story);
                });
            }
        }
    }
    println!("{schedules} schedules");
    assert!(schedules > 300, "they do interleave: {schedules}");
}
