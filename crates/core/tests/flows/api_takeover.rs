//! Ways to take over what others have, as a reading of the API as an attacker found them.

use grantor_core::base::secret::Secret;
use grantor_core::manage::clients::CreateClient;
use grantor_core::manage::parts::CreatePart;
use grantor_core::manage::users::{
    ChangeManagedUser, CreateUser, EndUserSession, RevokeUserGrant, UserBody,
};
use grantor_core::manage::{Admission, Admitted, ApiCode, ApiOperation, ETag, IfMatch};
use grantor_core::model::client::Client;
use grantor_core::model::config_document::PartKind;
use grantor_core::model::declared_scope::DeclaredScope;
use grantor_core::model::plain_scope::PlainScope;
use grantor_core::people::Provision;
use grantor_core::records::{ManagedClient, User};
use grantor_testkit::world::{World, declared_user};
use grantor_testkit::{AuthorizationRequest, PORTAL, api};
use serde_json::{Map, Value, json};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

/// Where `analysis` is for analysts, whose owners may give it to machines.
fn world() -> World {
    let mut world = World::with(|realm| {
        api::serve(realm);
        let scope = PlainScope {
            declared: DeclaredScope {
                text: "Analyse".to_owned(),
                groups: Some(vec!["analysts".to_owned()]),
                machines: true,
            },
            ..PlainScope::default()
        };
        realm.plain_scopes.insert("analysis".to_owned(), scope);
    });
    world.take_clients();
    world
}

fn machine(world: &mut World, rights: &str) -> Admission {
    let scope: Vec<_> = rights
        .split(' ')
        .map(|name| format!("grantor/{name}"))
        .collect();
    let tokens = world.machine_token(api::MACHINE, &[("scope", &scope.join(" "))]);
    let token = tokens.expect("tokens").access;
    Admission::Header(Some(Secret::new(format!("Bearer {token}"))))
}

fn run<O: ApiOperation>(
    world: &mut World,
    admission: &Admission,
    operation: O,
) -> Result<O::Reply, ApiCode> {
    let outcome = world.ask(Admitted::new(admission, "trace", operation));
    outcome.reply.map_err(|refusal| refusal.code)
}

fn version(world: &World, key: &grantor_core::base::row::Key) -> IfMatch {
    let tag = ETag::from(world.row(key).expect("a row").version).to_string();
    IfMatch::parse(Some(tag.as_bytes())).expect("a version")
}

#[test]
fn a_user_who_exceeds_the_editor_is_disabled_and_gets_no_password_with_it() {
    let mut world = world();
    let user = json!({ "username": "ann", "groups": ["analysts"], "password": "ann's own one" });
    let create = CreateUser {
        object: object(user),
    };
    let ann = run(&mut world, &Admission::Operator(0), create).expect("the operator may");
    let id = ann.user.id.to_string();
    let key = grantor_core::records::key::<User>("default", &id);
    let admission = machine(&mut world, "users:write");
    for (body, code) in [
        (
            json!({ "enabled": false, "password": "the attacker's" }),
            Err(ApiCode::Forbidden),
        ),
        (
            json!({ "groups": [], "password": "the attacker's" }),
            Err(ApiCode::Forbidden),
        ),
        (json!({ "groups": [] }), Err(ApiCode::Forbidden)),
        (json!({ "enabled": false }), Ok(())),
    ] {
        let change = ChangeManagedUser {
            id: id.clone(),
            if_match: version(&world, &key),
            body: UserBody::Patch(object(body.clone())),
        };
        assert_eq!(
            run(&mut world, &admission, change).map(drop),
            code,
            "{body}"
        );
    }
}

#[test]
fn rules_that_give_limited_scopes_or_hide_who_acts_are_for_administrators() {
    let mut world = world();
    let rule = |more: Value| {
        let mut rule = json!({
            "name": "r", "client": "shipping", "audience": "orders.example.com",
            "scopes": { "openid": ["orders.example.com/read"] },
        });
        let members = rule.as_object_mut().expect("an object");
        members.extend(object(more));
        CreatePart {
            kind: PartKind::ExchangeRule,
            body: object(rule),
        }
    };
    let admission = machine(&mut world, "config:write");
    for more in [
        json!({ "impersonation": true }),
        json!({ "scopes": { "openid": ["analysis"] } }),
        json!({ "gives": ["analysis"] }),
    ] {
        let refused = run(&mut world, &admission, rule(more.clone())).map(drop);
        assert_eq!(refused, Err(ApiCode::Forbidden), "{more}");
    }
    assert!(run(&mut world, &admission, rule(json!({}))).is_ok());
    let limited = json!({ "name": "payroll", "text": "Pay", "groups": ["hr"] });
    let limited = CreatePart {
        kind: PartKind::Scope,
        body: object(limited),
    };
    assert_eq!(
        run(&mut world, &admission, limited).map(drop),
        Err(ApiCode::Forbidden)
    );
}

#[test]
fn a_chosen_id_that_a_rule_names_is_not_given_to_someone_else() {
    let mut world = world();
    let rule = json!({
        "name": "r", "client": "reporter", "audience": "orders.example.com",
        "scopes": { "openid": ["orders.example.com/read"] },
    });
    let rule = CreatePart {
        kind: PartKind::ExchangeRule,
        body: object(rule),
    };
    run(&mut world, &Admission::Operator(0), rule).expect("the operator may");
    let admission = machine(&mut world, "clients:write");
    let body = object(json!({ "id": "reporter", "grants": ["token_exchange"] }));
    let taken = run(&mut world, &admission, CreateClient { body }).map(drop);
    assert_eq!(taken, Err(ApiCode::InUse));
}

fn groups(of: &[&str]) -> Option<Vec<String>> {
    Some(of.iter().map(|it| (*it).to_owned()).collect())
}

/// Of a machine that dev made, with its secret.
fn made_by_dev(world: &mut World) -> (String, String) {
    world.provision(Provision {
        groups: groups(&["developers", "analysts"]),
        ..declared_user("dev", true)
    });
    let dev = world.signed_in("dev");
    let request = AuthorizationRequest::new(PORTAL).with("scope", &api::all_rights());
    let token = world.app_tokens_by_page(&dev, &request).access;
    let admission = Admission::Header(Some(Secret::new(format!("Bearer {token}"))));
    let body = object(json!({ "grants": ["client_credentials"], "scopes": ["analysis"] }));
    let made = run(world, &admission, CreateClient { body }).expect("a developer may");
    let secret = made.secret.expect("it is confidential").secret;
    (made.view.id.to_string(), secret.reveal().to_owned())
}

fn is_enabled(world: &World, id: &str) -> bool {
    let client = resolved(world, id);
    client.is_some_and(|client| client.enabled && client.scopes.contains("analysis"))
}

fn resolved(world: &World, id: &str) -> Option<Client> {
    use grantor_core::manage::resolve;
    let key = ManagedClient::key("default", &id.parse().expect("an id"));
    let record = resolve::read(&world.row(&key).expect("a row")).expect("a client");
    let rows: Vec<_> = resolve::dependencies(&world.realm, &record)
        .iter()
        .map(|key| world.row(key))
        .collect();
    resolve::client(&world.realm, &record, &rows, world.now).expect("rows that are right")
}

#[test]
fn whoever_is_declared_under_an_owners_name_later_does_not_inherit_clients() {
    let mut world = world();
    let (id, _) = made_by_dev(&mut world);
    assert!(is_enabled(&world, &id));
    world.withdraw("dev");
    assert!(!is_enabled(&world, &id), "withdrawn");
    world.provision(Provision {
        groups: groups(&["developers", "analysts"]),
        ..declared_user("dev", true)
    });
    assert!(!is_enabled(&world, &id), "someone else");
}

#[test]
fn a_client_is_as_disabled_once_its_owner_belongs_elsewhere_or_has_lost_what_it_holds() {
    let mut world = world();
    let (id, _) = made_by_dev(&mut world);
    let with = |world: &mut World, of: &[&str], organization: Option<&str>| {
        world.provision(Provision {
            groups: groups(of),
            organization: organization.map(|id| id.parse().expect("an id")),
            ..declared_user("dev", true)
        });
    };
    with(&mut world, &["developers"], None);
    assert!(!is_enabled(&world, &id), "not an analyst");
    with(&mut world, &["developers", "analysts"], None);
    assert!(is_enabled(&world, &id), "again");
    with(&mut world, &["developers", "analysts"], Some("acme"));
    assert!(!is_enabled(&world, &id), "moved");
    let client = resolved(&world, &id).expect("it is readable");
    assert!(client.stopped_with_owner, "which the operator is told");
}

#[test]
fn sessions_and_grants_of_someone_with_more_rights_are_not_ended() {
    let mut world = world();
    for (name, of) in [("root", &["admins"][..]), ("ann", &[])] {
        world.provision(Provision {
            groups: groups(of),
            ..declared_user(name, true)
        });
        let browser = world.signed_in(name);
        let (session, user) = world.session_of(&browser);
        let admission = machine(&mut world, "grants:write");
        let end = EndUserSession {
            user: user.to_string(),
            session: session.to_string(),
        };
        let revoke = RevokeUserGrant {
            user: user.to_string(),
            grant: "0".repeat(32),
        };
        let expected = match of.is_empty() {
            true => (Ok(()), Err(ApiCode::NotFound)),
            false => (Err(ApiCode::Forbidden), Err(ApiCode::Forbidden)),
        };
        let done = (
            run(&mut world, &admission, end),
            run(&mut world, &admission, revoke),
        );
        assert_eq!(done, expected, "{name}");
    }
}
