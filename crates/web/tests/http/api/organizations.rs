//! Callers who belong to an organization: they see and change what belongs to it, and learn nothing of anything else.

use std::time::Duration;

use grantor_core::model::right::Right;
use grantor_testkit::server::TestServer;
use grantor_testkit::user_id;
use serde_json::{Value, json};

use super::{made, organization, patched};

/// `ann` administers acme and `gus` globex, which have one user each; `root` administers all.
async fn server() -> TestServer {
    let server = super::server().await;
    for (name, groups, of) in [
        ("ann", &["admins"][..], "acme"),
        ("al", &["staff"], "acme"),
        ("gus", &["admins"], "globex"),
        ("gil", &["staff"], "globex"),
    ] {
        server
            .add_member_of(name, groups, Some(organization(of)))
            .await;
    }
    server
}

async fn token(server: &TestServer, user: &str) -> String {
    let all: Vec<_> = Right::ALL.iter().map(|right| right.name()).collect();
    server.api_token(user, &all).await
}

async fn listed(server: &TestServer, token: &str, path: &str) -> Vec<String> {
    let answer = server.api(token, "GET", path, None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let page = answer.api_json();
    let items = page["items"].as_array().expect("a list").iter();
    let mut names: Vec<String> = items
        .map(|user| user["username"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn an_organizations_administrator_has_no_right_over_all() {
    let server = server().await;
    let me = server
        .api(&token(&server, "ann").await, "GET", "/me", None)
        .await
        .api_json();
    assert_eq!(me["organization"], "acme");
    let rights: Vec<_> = me["rights"].as_array().expect("a list").iter().collect();
    for right in Right::ALL {
        assert_eq!(
            rights.contains(&&json!(right.name())),
            !right.is_global(),
            "{right:?}"
        );
    }
}

#[tokio::test]
async fn another_organizations_user_is_not_there() {
    let server = server().await;
    let ann = token(&server, "ann").await;
    let own = format!("/users/{}", user_id("al"));
    assert_eq!(server.api(&ann, "GET", &own, None).await.status, 200);
    for other in ["gil", "gus", "bob", "root"] {
        let path = format!("/users/{}", user_id(other));
        for (method, path) in [
            ("GET", path.clone()),
            ("PATCH", path.clone()),
            ("PUT", path.clone()),
            ("DELETE", path.clone()),
            ("GET", format!("{path}/sessions")),
            ("GET", format!("{path}/grants")),
            ("DELETE", format!("{path}/sessions/{:032x}", 0)),
            ("DELETE", format!("{path}/grants/{:032x}", 0)),
        ] {
            let body = json!({ "enabled": false });
            let any = [("if-match", "\"00\"")];
            let answer = server
                .api_with(&ann, method, &path, Some(&body), &any)
                .await;
            assert_eq!(
                answer.problem(),
                (404, "not_found".to_owned()),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn lists_and_searches_hold_own_users_alone() {
    let server = server().await;
    let (ann, root) = (token(&server, "ann").await, token(&server, "root").await);
    assert_eq!(listed(&server, &ann, "/users").await, ["al", "ann"]);
    assert_eq!(listed(&server, &ann, "/users?q=a").await, ["al", "ann"]);
    assert_eq!(listed(&server, &ann, "/users?q=an").await, ["ann"]);
    assert!(listed(&server, &ann, "/users?q=g").await.is_empty());
    assert!(listed(&server, &ann, "/users?q=alice").await.is_empty());
    assert!(
        listed(&server, &root, "/users")
            .await
            .contains(&"gil".to_owned())
    );
    // A cursor is bound to the organization.
    let page = server
        .api(&root, "GET", "/users?limit=1", None)
        .await
        .api_json();
    let cursor = page["next"].as_str().expect("more");
    let answer = server
        .api(&ann, "GET", &format!("/users?after={cursor}"), None)
        .await;
    assert_eq!(answer.problem(), (400, "malformed".to_owned()));
    let page = server
        .api(&ann, "GET", "/users?limit=1", None)
        .await
        .api_json();
    let cursor = page["next"].as_str().expect("more");
    let gus = token(&server, "gus").await;
    for other in [&gus, &root] {
        let answer = server
            .api(other, "GET", &format!("/users?after={cursor}"), None)
            .await;
        assert_eq!(answer.problem(), (400, "malformed".to_owned()));
    }
}

#[tokio::test]
async fn what_they_make_belongs_there_and_stays() {
    let server = server().await;
    let (ann, root) = (token(&server, "ann").await, token(&server, "root").await);
    let user = json!({ "username": "new", "groups": ["admins"] });
    let (user, etag) = made(&server, &ann, user).await;
    let path = format!("/users/{user}");
    let shown = server.api(&ann, "GET", &path, None).await.api_json();
    assert_eq!(shown["organization"], "acme");
    for organization in [json!("globex"), Value::Null] {
        let change = json!({ "organization": organization });
        let answer = patched(&server, &ann, (&user, &etag), change.clone()).await;
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{change}");
        assert_eq!(answer.pointers(), ["/organization"]);
    }
    let foreign = json!({ "username": "other", "organization": "globex" });
    let answer = server.api(&ann, "POST", "/users", Some(&foreign)).await;
    assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
    let own = json!({ "username": "other", "organization": "acme" });
    assert_eq!(
        server.api(&ann, "POST", "/users", Some(&own)).await.status,
        201
    );
    // Who belongs to none moves users, where there is such an organization.
    let answer = patched(
        &server,
        &root,
        (&user, &etag),
        json!({ "organization": "x" }),
    )
    .await;
    assert_eq!(answer.problem(), (422, "invalid".to_owned()));
    let moved = patched(
        &server,
        &root,
        (&user, &etag),
        json!({ "organization": "globex" }),
    )
    .await;
    assert_eq!(moved.status, 200, "{moved:?}");
    assert_eq!(server.api(&ann, "GET", &path, None).await.status, 404);
    assert_eq!(listed(&server, &ann, "/users?q=new").await, [""; 0]);
    let gus = token(&server, "gus").await;
    assert_eq!(listed(&server, &gus, "/users?q=new").await, ["new"]);
}

#[tokio::test]
async fn an_organization_gives_no_way_to_rights_over_all() {
    let server = server().await;
    // Without an organization, an administrator of one would be an administrator of all.
    let machine = server
        .api_machine_token(&["users:write", "clients:write", "grants:write"])
        .await;
    let ann = format!("/users/{}", user_id("ann"));
    let shown = server.api(&machine, "GET", &ann, None).await;
    let etag = shown.header("etag").to_owned();
    let change = json!({ "organization": null });
    let id = user_id("ann").to_string();
    let answer = patched(&server, &machine, (&id, &etag), change).await;
    assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
    // All that an organization's administrator could be given, and no more.
    let all: Vec<_> = Right::ALL
        .iter()
        .filter(|it| !it.is_global())
        .map(|it| it.name())
        .collect();
    let within = server.api_machine_token(&all).await;
    let user = json!({ "username": "new", "groups": ["admins"], "organization": "acme" });
    let (user, etag) = made(&server, &within, user).await;
    let change = json!({ "organization": null });
    let answer = patched(&server, &within, (&user, &etag), change).await;
    assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn taken_names_are_refused_without_a_word_and_cannot_be_searched_for() {
    let server = server().await;
    let ann = token(&server, "ann").await;
    let ask = async |name: &str| {
        let user = json!({ "username": name });
        server.api(&ann, "POST", "/users", Some(&user)).await
    };
    let taken = ask("gil").await;
    assert_eq!(taken.problem(), (409, "taken".to_owned()));
    assert!(!taken.body.contains("globex") && !taken.body.contains(&user_id("gil").to_string()));
    for _ in 1..30 {
        assert_eq!(ask("gil").await.status, 409);
    }
    // Then neither a taken name nor a free one is answered.
    for name in ["gil", "bob", "nobody"] {
        assert_eq!(
            ask(name).await.problem(),
            (429, "too_many_requests".to_owned()),
            "{name}"
        );
    }
    let root = token(&server, "root").await;
    let user = json!({ "username": "gil" });
    for _ in 0..40 {
        let answer = server.api(&root, "POST", "/users", Some(&user)).await;
        assert_eq!(answer.status, 409, "who sees all has no need to guess");
    }
    server.advance(Duration::from_secs(2 * 3600));
    let ann = token(&server, "ann").await;
    let user = json!({ "username": "nobody" });
    assert_eq!(
        server.api(&ann, "POST", "/users", Some(&user)).await.status,
        201
    );
}

#[tokio::test]
async fn a_group_that_limits_a_scope_is_given_by_those_who_could_be_given_it() {
    let server = super::server_with(|realm| {
        grantor_testkit::limit(realm, "orders.example.com/write", &["analysts"]);
        grantor_testkit::limit(realm, "files.example.com/read", &["auditors"]);
        // The machine may ask for the one, and not for the other.
        let machine = grantor_testkit::client(realm, grantor_testkit::api::MACHINE);
        let scopes = machine
            .scopes
            .iter()
            .filter(|token| *token != "files.example.com/read");
        machine.scopes = scopes.collect();
    })
    .await;
    let machine = server.api_machine_token(&["users:write"]).await;
    let analyst = json!({ "username": "ana", "groups": ["analysts"] });
    let (_, _) = made(&server, &machine, analyst).await;
    let auditor = json!({ "username": "aud", "groups": ["auditors"] });
    let answer = server.api(&machine, "POST", "/users", Some(&auditor)).await;
    assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
    assert_eq!(answer.pointers(), ["/groups"]);
    let root = token(&server, "root").await;
    let (id, etag) = made(&server, &root, auditor).await;
    // What exceeds its editor otherwise can only be disabled.
    for change in [
        json!({ "claims": { "n": 1 } }),
        json!({ "password": "another-password" }),
    ] {
        let answer = patched(&server, &machine, (&id, &etag), change).await;
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
    }
    let path = format!("/users/{id}");
    let gone = server
        .api_with(&machine, "DELETE", &path, None, &[("if-match", &etag)])
        .await;
    assert_eq!(gone.problem(), (403, "forbidden".to_owned()));
    let disabled = patched(&server, &machine, (&id, &etag), json!({ "enabled": false })).await;
    assert_eq!(disabled.status, 200, "{disabled:?}");
    let etag = disabled.header("etag").to_owned();
    let enabled = patched(&server, &machine, (&id, &etag), json!({ "enabled": true })).await;
    assert_eq!(enabled.problem(), (403, "forbidden".to_owned()));
    let out = patched(&server, &machine, (&id, &etag), json!({ "groups": [] })).await;
    // Else a password could be set with it, and the group given back later.
    assert_eq!(out.problem(), (403, "forbidden".to_owned()));
}
