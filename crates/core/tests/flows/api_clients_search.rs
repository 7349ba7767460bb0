//! The same search over clients: no sequence of changes ends with a client that holds what its author could not be given, and
//! none takes over one that does.

use std::collections::BTreeMap;

use grantor_core::base::secret::Secret;
use grantor_core::base::time::Timestamp;
use grantor_core::manage::clients::{
    AddSecret, ChangeClient, CreateClient, DeleteClient, DeleteSecret,
};
use grantor_core::manage::{Admission, Admitted, ApiCode, ApiOperation, ETag, Edit, IfMatch};
use grantor_core::model::client::{Client, ConsentPolicy};
use grantor_core::model::declared_scope::DeclaredScope;
use grantor_core::model::grant_type::GrantType;
use grantor_core::model::organization::Availability;
use grantor_core::model::plain_scope::PlainScope;
use grantor_core::model::realm::Realm;
use grantor_core::model::right::{Right, Rights};
use grantor_core::people::Provision;
use grantor_core::records::ManagedClient;
use grantor_testkit::world::{World, declared_user};
use grantor_testkit::{AuthorizationRequest, Chance, PORTAL, api};
use serde_json::{Map, Value, json};

const SEQUENCES: u64 = 400;
const MAX_CHANGES: u64 = 4;
const SCOPES: [&str; 8] = [
    "openid",
    "orders.example.com/read",
    "analysis",
    "batch",
    "own",
    "grantor/self",
    "grantor/clients:write",
    "grantor/users:write",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// A user with clients of their own, in these groups.
    Developer(&'static str),
    /// A machine with these rights.
    Machine(&'static [&'static str]),
}

const ROLES: [Role; 6] = [
    Role::Developer("staff"),
    Role::Developer("analysts"),
    Role::Machine(&["clients:read", "self"]),
    Role::Machine(&["clients:own"]),
    Role::Machine(&["clients:write"]),
    Role::Machine(&["clients:write", "clients:own", "config:write"]),
];

fn plain(groups: Option<&[&str]>, machines: bool, gives: &[Right]) -> PlainScope {
    let groups = groups.map(|groups| groups.iter().map(|it| (*it).to_owned()).collect());
    PlainScope {
        declared: DeclaredScope {
            text: "A scope".to_owned(),
            groups,
            machines,
        },
        gives: gives.iter().copied().collect(),
        ..PlainScope::default()
    }
}

fn declare(realm: &mut Realm) {
    api::serve(realm);
    let scopes = &mut realm.plain_scopes;
    scopes.insert("analysis".to_owned(), plain(Some(&["analysts"]), true, &[]));
    scopes.insert("batch".to_owned(), plain(None, true, &[]));
    scopes.insert("own".to_owned(), plain(None, false, &[Right::ClientsOwn]));
}

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

fn world() -> World {
    let mut world = World::with(declare);
    world.take_clients();
    for body in [
        json!({ "name": "Gives", "grants": ["client_credentials"], "scopes": ["own"] }),
        json!({ "name": "Limited", "grants": ["client_credentials"], "scopes": ["analysis"] }),
        json!({ "name": "Plain", "grants": ["device_code"], "scopes": ["openid"] }),
    ] {
        let create = CreateClient { body: object(body) };
        run(&mut world, &Admission::Operator(0), create).expect("the operator may");
    }
    world
}

fn admission(world: &mut World, role: Role) -> Admission {
    let token = match role {
        Role::Machine(rights) => {
            let scope: Vec<_> = rights
                .iter()
                .map(|name| format!("grantor/{name}"))
                .collect();
            let tokens = world.machine_token(api::MACHINE, &[("scope", &scope.join(" "))]);
            tokens.expect("tokens").access
        }
        Role::Developer(group) => {
            let groups = [group, "developers"].map(ToOwned::to_owned);
            world.provision(Provision {
                groups: Some(groups.to_vec()),
                ..declared_user("alice", true)
            });
            let alice = world.signed_in("alice");
            let request = AuthorizationRequest::new(PORTAL).with("scope", &api::all_rights());
            world.app_tokens_by_page(&alice, &request).access
        }
    };
    Admission::Header(Some(Secret::new(format!("Bearer {token}"))))
}

fn clients(world: &World) -> BTreeMap<String, ManagedClient> {
    let rows = world.list_all("client").into_iter();
    let clients =
        rows.map(|row| serde_json::from_slice::<ManagedClient>(&row.value).expect("a client"));
    clients
        .map(|client| (client.client.to_string(), client))
        .collect()
}

/// Any members, right and wrong ones.
fn members(chance: &mut Chance) -> Map<String, Value> {
    let mut members = Map::new();
    let grants = [
        "authorization_code",
        "device_code",
        "client_credentials",
        "token_exchange",
    ];
    let scopes: Vec<_> = SCOPES.iter().filter(|_| chance.one_in(4)).collect();
    let grants: Vec<_> = grants.iter().filter(|_| chance.one_in(3)).collect();
    for (name, value, of) in [
        ("name", json!("Eve's"), 2),
        ("scopes", json!(scopes), 1),
        ("grants", json!(grants), 2),
        ("enabled", json!(chance.one_in(2)), 3),
        (
            "availability",
            json!(chance.pick(&["everyone", "organization", "owner"])),
            3,
        ),
        ("confidential", json!(chance.one_in(2)), 3),
        ("consent", json!("skip"), 8),
        ("may_act", json!("orders"), 8),
        ("resources", json!(["orders.example.com"]), 8),
        ("owner", json!("00000000-0000-0000-0000-000000000000"), 8),
        ("id", json!("chosen"), 8),
    ] {
        if chance.one_in(of) {
            members.insert(name.to_owned(), value);
        }
    }
    members
}

fn change(world: &mut World, admission: &Admission, chance: &mut Chance) -> Result<(), ApiCode> {
    let all = clients(world);
    let ids: Vec<&String> = all.keys().collect();
    let id = chance.pick(&ids).clone();
    let key = ManagedClient::key("default", &id.parse().expect("an id"));
    let tag = ETag::from(world.row(&key).expect("a row").version).to_string();
    let if_match = IfMatch::parse(Some(tag.as_bytes())).expect("a version");
    match chance.below(8) {
        0..=2 => {
            let body = members(chance);
            run(world, admission, CreateClient { body }).map(drop)
        }
        3 => run(world, admission, DeleteClient { id, if_match }),
        4 => {
            let add = AddSecret {
                client: id,
                expires_at: None,
            };
            run(world, admission, add).map(drop)
        }
        5 => {
            let secret = all[&id].secrets.first().map(|secret| secret.id.clone());
            let delete = DeleteSecret {
                client: id,
                secret: secret.unwrap_or_default(),
            };
            run(world, admission, delete)
        }
        other => {
            let edit = match other {
                6 => Edit::Merge(members(chance)),
                _ => Edit::Replace(members(chance)),
            };
            run(world, admission, ChangeClient { id, edit, if_match }).map(drop)
        }
    }
}

/// What of a client its author could not be given.
fn beyond(world: &World, role: Role, record: &ManagedClient) -> Option<String> {
    let realm = &world.realm;
    let objects = &realm.managed.objects;
    let client = objects.stored_client(&record.client, &record.written, record.confidential)?;
    let held: Rights = match role {
        Role::Developer(_) => [Right::ClientsOwn, Right::Me].into_iter().collect(),
        Role::Machine(names) => {
            let all = Right::ALL.iter().copied();
            all.filter(|right| names.contains(&right.name())).collect()
        }
    };
    let named = Rights::of_scope(&client.scopes);
    if named.iter().any(|right| right != Right::Me) {
        return Some("names a right".to_owned());
    }
    if !realm.rights_given_by(&client.scopes).are_within(held) {
        return Some("has a scope that gives a right".to_owned());
    }
    if client.code.consent == ConsentPolicy::Skip {
        return Some("skips consent".to_owned());
    }
    let acts_alone = client.may_use(GrantType::ClientCredentials);
    let is_analyst = role == Role::Developer("analysts");
    if acts_alone && client.scopes.contains("analysis") && !is_analyst {
        return Some("has a limited scope for itself".to_owned());
    }
    match role {
        Role::Developer(group) => beyond_own(realm, group, record, &client),
        Role::Machine(_) => None,
    }
}

fn beyond_own(
    realm: &Realm,
    group: &str,
    record: &ManagedClient,
    client: &Client,
) -> Option<String> {
    let alice = grantor_testkit::user_id("alice");
    let groups = [group, "developers"].map(ToOwned::to_owned);
    let within = realm.within_limits(&client.scopes, Some(&groups), Timestamp::default());
    let machine_scopes = || {
        let mut scopes = client.scopes.iter();
        scopes.all(|token| realm.declared_scope(token).is_some_and(|it| it.machines))
    };
    let wrong = [
        (record.owner != Some(alice), "is not hers"),
        (
            within != client.scopes,
            "has a scope that she could not be given",
        ),
        (
            client.availability == Availability::Everyone,
            "is there for everyone",
        ),
        (client.code.consent == ConsentPolicy::Skip, "skips consent"),
        (client.actor.is_some(), "has an actor"),
        (!client.resources.is_empty(), "is an API"),
        (client.may_use(GrantType::TokenExchange), "exchanges"),
        (
            record.client.as_str() == "chosen",
            "has an id of her choice",
        ),
        (
            client.may_use(GrantType::ClientCredentials) && !machine_scopes(),
            "acts for itself with scopes that are not for machines",
        ),
    ];
    wrong
        .iter()
        .find(|(is, _)| *is)
        .map(|(_, why)| (*why).to_owned())
}

#[test]
fn no_sequence_of_changes_ends_with_a_client_that_holds_more_than_its_author() {
    let (mut done, mut refused) = (0, BTreeMap::<&str, u32>::new());
    for (at, role) in ROLES.into_iter().enumerate() {
        for seed in 0..SEQUENCES {
            let mut world = world();
            let admission = admission(&mut world, role);
            let before = clients(&world);
            let mut chance = Chance::new(seed * 10 + at as u64);
            for _ in 0..=chance.below(MAX_CHANGES) {
                match change(&mut world, &admission, &mut chance) {
                    Ok(()) => done += 1,
                    Err(code) => *refused.entry(code.name()).or_default() += 1,
                }
                let after = clients(&world);
                for (id, client) in &after {
                    if let Some(why) = beyond(&world, role, client) {
                        // It may be disabled, and nothing else.
                        let mut was = before.get(id).cloned();
                        if let Some(was) = &mut was {
                            let enabled = client.written.get("enabled").cloned();
                            was.written
                                .extend(enabled.map(|it| ("enabled".to_owned(), it)));
                            was.changed = client.changed.clone();
                        }
                        assert_eq!(Some(client), was.as_ref(), "seed {seed} of {role:?}: {why}");
                    }
                }
                for (id, client) in &before {
                    // Not in two steps either: what exceeds its editor is disabled, or stays.
                    if let Some(why) = beyond(&world, role, client)
                        && !why.starts_with("is ")
                    {
                        let now = after
                            .get(id)
                            .map(|now| now.secrets.len() + now.written.len());
                        let disabled = client.secrets.len() + client.written.len() + 1;
                        let limits = [disabled - 1, disabled];
                        assert!(
                            now.is_some_and(|now| limits.contains(&now)),
                            "seed {seed} of {role:?}: {why}"
                        );
                    }
                    let is_there = after.contains_key(id);
                    assert!(
                        is_there || beyond(&world, role, client).is_none(),
                        "seed {seed} of {role:?}"
                    );
                }
            }
        }
    }
    // The search finds what is allowed and what is not.
    assert!(done > 500, "{done}");
    for code in ["forbidden", "invalid", "insufficient_scope", "not_found"] {
        assert!(
            refused.get(code).is_some_and(|times| *times > 20),
            "{refused:?}"
        );
    }
}
