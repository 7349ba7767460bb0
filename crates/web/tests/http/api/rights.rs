//! Who may do what: every route, for each role.

use std::collections::BTreeSet;

use grantor_core::model::right::Right;
use grantor_testkit::server::{TestServer, api_request};
use grantor_testkit::user_id;
use serde_json::{Value, json};

use super::{dora, made, patched, server};

/// Each route with the rights of which one is enough; none is needed where there is none. Writing includes reading.
const NEEDED: &[(&str, &str, &[&str])] = &[
    ("GET", "/me", &[]),
    ("GET", "/users", &["users:read", "users:write"]),
    ("POST", "/users", &["users:write"]),
    ("GET", "/users/{id}", &["users:read", "users:write"]),
    ("PATCH", "/users/{id}", &["users:write"]),
    ("PUT", "/users/{id}", &["users:write"]),
    ("DELETE", "/users/{id}", &["users:write"]),
    (
        "GET",
        "/users/{id}/sessions",
        &["grants:read", "grants:write"],
    ),
    (
        "DELETE",
        "/users/{id}/sessions/{session}",
        &["grants:write"],
    ),
    (
        "GET",
        "/users/{id}/grants",
        &["grants:read", "grants:write"],
    ),
    ("DELETE", "/users/{id}/grants/{grant}", &["grants:write"]),
    (
        "GET",
        "/clients",
        &["clients:read", "clients:write", "clients:own"],
    ),
    ("POST", "/clients", &["clients:write", "clients:own"]),
    (
        "GET",
        "/clients/{id}",
        &["clients:read", "clients:write", "clients:own"],
    ),
    ("PATCH", "/clients/{id}", &["clients:write", "clients:own"]),
    ("PUT", "/clients/{id}", &["clients:write", "clients:own"]),
    ("DELETE", "/clients/{id}", &["clients:write", "clients:own"]),
    (
        "GET",
        "/organizations",
        &["organizations:read", "organizations:write"],
    ),
    ("POST", "/organizations", &["organizations:write"]),
    (
        "GET",
        "/organizations/{id}",
        &["organizations:read", "organizations:write"],
    ),
    ("PATCH", "/organizations/{id}", &["organizations:write"]),
    ("PUT", "/organizations/{id}", &["organizations:write"]),
    ("DELETE", "/organizations/{id}", &["organizations:write"]),
    ("GET", "/resources", &["config:read", "config:write"]),
    ("POST", "/resources", &["config:write"]),
    ("GET", "/resources/{name}", &["config:read", "config:write"]),
    ("PATCH", "/resources/{name}", &["config:write"]),
    ("PUT", "/resources/{name}", &["config:write"]),
    ("DELETE", "/resources/{name}", &["config:write"]),
    ("GET", "/scopes", &["config:read", "config:write"]),
    ("POST", "/scopes", &["config:write"]),
    ("GET", "/scopes/{name}", &["config:read", "config:write"]),
    ("PATCH", "/scopes/{name}", &["config:write"]),
    ("PUT", "/scopes/{name}", &["config:write"]),
    ("DELETE", "/scopes/{name}", &["config:write"]),
    ("GET", "/exchange-rules", &["config:read", "config:write"]),
    ("POST", "/exchange-rules", &["config:write"]),
    (
        "GET",
        "/exchange-rules/{name}",
        &["config:read", "config:write"],
    ),
    ("PATCH", "/exchange-rules/{name}", &["config:write"]),
    ("PUT", "/exchange-rules/{name}", &["config:write"]),
    ("DELETE", "/exchange-rules/{name}", &["config:write"]),
    (
        "GET",
        "/clients/{id}/secrets",
        &["clients:read", "clients:write", "clients:own"],
    ),
    (
        "POST",
        "/clients/{id}/secrets",
        &["clients:write", "clients:own"],
    ),
    (
        "DELETE",
        "/clients/{id}/secrets/{secret}",
        &["clients:write", "clients:own"],
    ),
    ("GET", "/keys", &["keys:read", "keys:write"]),
    ("POST", "/keys/rotate", &["keys:write"]),
    ("GET", "/events", &["events:read"]),
    ("GET", "/traces/{trace_id}", &["events:read"]),
];

struct Role {
    name: String,
    /// Nobody has none.
    token: Option<String>,
    /// What the token holds and its caller could still be given.
    rights: Vec<&'static str>,
}

async fn roles(server: &TestServer) -> Vec<Role> {
    server.add_member("dev", &["developers"]).await;
    let all: Vec<&'static str> = Right::ALL.iter().map(|right| right.name()).collect();
    let role = |name: &str, token: Option<String>, rights: &[&'static str]| Role {
        name: name.to_owned(),
        token,
        rights: rights.to_vec(),
    };
    let mut roles = vec![
        role("nobody", None, &[]),
        role(
            "user",
            Some(server.api_token("alice", &all).await),
            &["self"],
        ),
        role(
            "developer",
            Some(server.api_token("dev", &all).await),
            &["self", "clients:own"],
        ),
        role(
            "administrator",
            Some(server.api_token("root", &all).await),
            &all,
        ),
    ];
    let acme = Some(super::organization("acme"));
    server.add_member_of("ann", &["admins"], acme).await;
    let within: Vec<_> = Right::ALL
        .iter()
        .filter(|right| !right.is_global())
        .collect();
    let within: Vec<&'static str> = within.into_iter().map(|right| right.name()).collect();
    roles.push(role(
        "administrator of an organization",
        Some(server.api_token("ann", &all).await),
        &within,
    ));
    for right in &all {
        let token = server.api_machine_token(&[right]).await;
        roles.push(role(
            &format!("machine with {right}"),
            Some(token),
            &[right],
        ));
        let token = server.api_token("root", &[right]).await;
        roles.push(role(
            &format!("administrator with {right}"),
            Some(token),
            &[right],
        ));
    }
    roles
}

#[tokio::test]
async fn every_route_is_for_those_who_hold_its_right() {
    let server = server().await;
    let routes: BTreeSet<_> = grantor_web::api::methods().collect();
    let listed: BTreeSet<_> = NEEDED
        .iter()
        .map(|(method, path, _)| (*path, *method))
        .collect();
    assert_eq!(routes, listed, "the table has each route");
    for role in roles(&server).await {
        for (method, path, needed) in NEEDED {
            let path = path
                .replace("{id}", &user_id("bob").to_string())
                .replace("{session}", "00")
                .replace("{trace_id}", "00")
                .replace("{grant}", "00")
                .replace("{secret}", "00")
                .replace("{name}", "nothing");
            let body = json!({});
            let mut request = api_request(method, &path, Some(&body));
            if let Some(token) = &role.token {
                let value = format!("Bearer {token}").parse().expect("a value");
                request.headers_mut().insert("authorization", value);
            }
            request
                .headers_mut()
                .insert("if-match", "\"00\"".parse().expect("a value"));
            let answer = server.send(request).await;
            let code = match answer.status {
                200 => String::new(),
                _ => answer.problem().1,
            };
            let who = format!("{} {method} {path}: {answer:?}", role.name);
            let may = needed.is_empty() || role.rights.iter().any(|right| needed.contains(right));
            match (role.token.is_some(), may) {
                (false, _) => assert_eq!(
                    (answer.status, code.as_str()),
                    (401, "invalid_token"),
                    "{who}"
                ),
                (true, false) => {
                    assert_eq!(
                        (answer.status, code.as_str()),
                        (403, "insufficient_scope"),
                        "{who}"
                    );
                }
                (true, true) => assert!(
                    !["invalid_token", "insufficient_scope", "server_error"]
                        .contains(&code.as_str()),
                    "{who}"
                ),
            }
        }
    }
}

async fn user_of(server: &TestServer, token: &str, id: &str) -> (Value, String) {
    let answer = server
        .api(token, "GET", &format!("/users/{id}"), None)
        .await;
    (answer.api_json(), answer.header("etag").to_owned())
}

/// A user of these groups whom the store has, and not the file: so nothing but rights protects it.
async fn member(server: &TestServer, groups: &[&str]) -> String {
    let every: Vec<_> = Right::ALL.iter().map(|right| right.name()).collect();
    let root = server.api_token("root", &every).await;
    let user =
        json!({ "username": groups.concat(), "password": "a-good-password", "groups": groups });
    made(server, &root, user).await.0
}

#[tokio::test]
async fn nobody_takes_over_or_makes_who_could_be_given_more_rights() {
    let server = server().await;
    let machine = server
        .api_machine_token(&["users:write", "clients:write", "config:write"])
        .await;
    let narrow = server.api_token("root", &["users:write"]).await;
    for groups in [&["admins"][..], &["developers"]] {
        let id = member(&server, groups).await;
        for token in [&machine, &narrow] {
            let (before, etag) = user_of(&server, token, &id).await;
            assert_eq!(before["groups"], json!(groups));
            for change in [
                json!({ "password": "an-attackers-password" }),
                json!({ "email": "attacker@example.com" }),
                json!({ "username": "renamed" }),
                json!({ "groups": [] }),
                json!({ "enabled": false }),
                json!({ "claims": { "email_verified": false } }),
            ] {
                let answer = patched(&server, token, (&id, &etag), change.clone()).await;
                assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{change}");
            }
            let path = format!("/users/{id}");
            let gone = server
                .api_with(token, "DELETE", &path, None, &[("if-match", &etag)])
                .await;
            assert_eq!(gone.problem(), (403, "forbidden".to_owned()));
            let new = json!({ "username": "eve", "groups": groups });
            let answer = server.api(token, "POST", "/users", Some(&new)).await;
            assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
            assert_eq!(answer.pointers(), ["/groups"]);
            assert_eq!(
                user_of(&server, token, &id).await,
                (before, etag),
                "nothing happened"
            );
        }
    }
    let (id, etag) = made(&server, &machine, dora()).await;
    let answer = patched(
        &server,
        &machine,
        (&id, &etag),
        json!({ "groups": ["admins"] }),
    )
    .await;
    assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn rights_end_with_the_group_and_the_account() {
    let server = server().await;
    let every: Vec<_> = Right::ALL.iter().map(|right| right.name()).collect();
    let root = server.api_token("root", &every).await;
    let id = member(&server, &["admins"]).await;
    let ended = server
        .api_token_with("admins", "a-good-password", &["users:read"])
        .await;
    assert_eq!(server.api(&ended, "GET", "/users", None).await.status, 200);
    let (_, etag) = user_of(&server, &root, &id).await;
    let changed = patched(&server, &root, (&id, &etag), json!({ "groups": [] })).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let answer = server.api(&ended, "GET", "/users", None).await;
    assert_eq!(
        answer.problem(),
        (403, "insufficient_scope".to_owned()),
        "with the same token"
    );
    let etag = changed.header("etag").to_owned();
    patched(&server, &root, (&id, &etag), json!({ "enabled": false })).await;
    let answer = server.api(&ended, "GET", "/me", None).await;
    assert_eq!(answer.problem(), (401, "invalid_token".to_owned()));
}

#[tokio::test]
async fn other_methods_are_answered_with_those_of_the_path() {
    let server = server().await;
    let token = server.api_token("root", &["users:read"]).await;
    for (method, path, allowed) in [
        ("DELETE", "/me", "GET"),
        ("PUT", "/users", "GET, POST"),
        ("POST", "/users/x", "GET, PATCH, PUT, DELETE"),
        ("PUT", "/users/x/sessions/y", "DELETE"),
    ] {
        let answer = server.api(&token, method, path, Some(&json!({}))).await;
        assert_eq!(
            answer.problem(),
            (405, "method_not_allowed".to_owned()),
            "{path}"
        );
        assert_eq!(answer.header("allow"), allowed);
    }
    let answer = server.api(&token, "GET", "/nothing", None).await;
    assert_eq!(answer.problem(), (404, "not_found".to_owned()));
}
