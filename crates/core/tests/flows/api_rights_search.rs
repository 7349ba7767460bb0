//! A search for a way to more rights: each role makes up to four changes of users, drawn by a seed. Whoever could be given
//! more than the role holds must be as they were, and no one else may get there.

use std::collections::BTreeMap;

use grantor_core::base::secret::Secret;
use grantor_core::manage::users::{ChangeManagedUser, CreateUser, DeleteManagedUser, UserBody};
use grantor_core::manage::{
    Admission, Admitted, ApiCode, ApiOperation, ETag, IfMatch, rights_of_user,
};
use grantor_core::model::right::{Right, Rights};
use grantor_core::people::Provision;
use grantor_core::records::User;
use grantor_testkit::world::{World, declared_user};
use grantor_testkit::{Chance, api};
use serde_json::{Map, Value, json};

const SEQUENCES: u64 = 400;
const MAX_CHANGES: u64 = 4;
const GROUPS: [&str; 4] = ["staff", "admins", "developers", "analysts"];
const NAMES: [&str; 6] = ["eve", "mallory", "root", "boss", "dev", "dora"];

/// What a machine's token may hold. Who else holds `users:write` is an administrator.
const ROLES: [&[&str]; 6] = [
    &["self"],
    &["users:read", "grants:write"],
    &["users:write"],
    &["users:write", "clients:own"],
    &[
        "users:write",
        "clients:write",
        "config:write",
        "grants:write",
    ],
    &[
        "clients:write",
        "users:write",
        "organizations:write",
        "config:write",
        "grants:write",
        "keys:write",
        "clients:own",
        "self",
    ],
];

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("an object: {other}"),
    }
}

fn run<O: ApiOperation>(
    world: &mut World,
    admission: &Admission,
    operation: O,
) -> Result<O::Reply, ApiCode> {
    let outcome = world.ask(Admitted::new(admission, "trace", operation));
    outcome.reply.map_err(|refusal| refusal.code)
}

/// A world with someone of each group, whom the file declares or the store alone has.
fn world() -> World {
    let mut world = World::with(api::serve);
    let groups = |groups: &[&str]| Some(groups.iter().map(|it| (*it).to_owned()).collect());
    world.provision(Provision {
        groups: groups(&["admins"]),
        ..declared_user("root", true)
    });
    for (name, of) in [("boss", "admins"), ("dev", "developers"), ("dora", "staff")] {
        let user = json!({ "username": name, "groups": [of], "password": "a-good-password" });
        let create = CreateUser {
            object: object(user),
        };
        run(&mut world, &Admission::Operator(0), create).expect("the operator may");
    }
    world
}

fn users(world: &World) -> BTreeMap<String, User> {
    let rows = world.list_all("user").into_iter();
    let users = rows.map(|row| serde_json::from_slice::<User>(&row.value).expect("a user"));
    users.map(|user| (user.id.to_string(), user)).collect()
}

fn groups(chance: &mut Chance) -> Value {
    let chosen = GROUPS.iter().filter(|_| chance.one_in(3));
    json!(chosen.collect::<Vec<_>>())
}

/// Any members, right and wrong ones.
fn members(chance: &mut Chance) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in [
        ("username", json!(chance.pick(&NAMES))),
        ("groups", groups(chance)),
        ("enabled", json!(chance.one_in(2))),
        ("password", json!("an-attackers-password")),
        (
            "email",
            json!(format!("{}@example.com", chance.pick(&NAMES))),
        ),
        (
            "claims",
            json!({ "email_verified": chance.one_in(2), "groups_": ["admins"] }),
        ),
    ] {
        if chance.one_in(2) {
            members.insert(name.to_owned(), value);
        }
    }
    members
}

fn change(world: &mut World, admission: &Admission, chance: &mut Chance) -> Result<(), ApiCode> {
    let all = users(world);
    let ids: Vec<&String> = all.keys().collect();
    let id = chance.pick(&ids).clone();
    let key = grantor_core::records::key::<User>("default", &id);
    let tag = ETag::from(world.row(&key).expect("a row").version).to_string();
    let if_match = IfMatch::parse(Some(tag.as_bytes())).expect("a version");
    match chance.below(5) {
        0 | 1 => {
            let mut object = members(chance);
            object.insert("username".to_owned(), json!(chance.pick(&NAMES)));
            run(world, admission, CreateUser { object }).map(drop)
        }
        2 => run(world, admission, DeleteManagedUser { id, if_match }),
        other => {
            let body = match other {
                3 => UserBody::Patch(members(chance)),
                _ => UserBody::Put(members(chance)),
            };
            run(world, admission, ChangeManagedUser { id, if_match, body }).map(drop)
        }
    }
}

/// Without what anyone has.
fn beyond(world: &World, user: &User, held: Rights) -> bool {
    let rights = rights_of_user(&world.realm, user);
    let rights: Rights = rights.iter().filter(|right| *right != Right::Me).collect();
    !rights.are_within(held)
}

#[test]
fn no_sequence_of_changes_ends_with_more_rights_than_its_author_holds() {
    let (mut done, mut refused) = (0, BTreeMap::<&str, u32>::new());
    for (at, role) in ROLES.into_iter().enumerate() {
        let held: Rights = role
            .iter()
            .filter_map(|name| {
                let mut all = Right::ALL.iter().copied();
                all.find(|right| right.name() == *name)
            })
            .collect();
        for seed in 0..SEQUENCES {
            let mut world = world();
            let scope: Vec<_> = role.iter().map(|name| format!("grantor/{name}")).collect();
            let tokens = world.machine_token(api::MACHINE, &[("scope", &scope.join(" "))]);
            let token = tokens.expect("tokens").access;
            let admission = Admission::Header(Some(Secret::new(format!("Bearer {token}"))));
            let before = users(&world);
            let mut chance = Chance::new(seed * 10 + at as u64);
            for _ in 0..=chance.below(MAX_CHANGES) {
                match change(&mut world, &admission, &mut chance) {
                    Ok(()) => done += 1,
                    Err(code) => *refused.entry(code.name()).or_default() += 1,
                }
                let after = users(&world);
                for (id, user) in &after {
                    if beyond(&world, user, held) {
                        let who = format!(
                            "seed {seed} of {role:?}: {} {:?}",
                            user.username, user.groups
                        );
                        assert_eq!(Some(user), before.get(id), "{who}");
                    }
                }
                for (id, user) in &before {
                    let is_there = after.contains_key(id);
                    assert!(
                        is_there || !beyond(&world, user, held),
                        "seed {seed} of {role:?}"
                    );
                }
            }
        }
    }
    // The search finds what is allowed and what is not.
    assert!(done > 500, "{done}");
    for code in [
        "forbidden",
        "taken",
        "declared",
        "invalid",
        "insufficient_scope",
    ] {
        assert!(
            refused.get(code).is_some_and(|times| *times > 20),
            "{refused:?}"
        );
    }
}
