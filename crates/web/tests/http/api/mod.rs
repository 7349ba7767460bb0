//! The management API, as its callers see it.

mod attacks;
mod bearer;
mod events;
mod idempotency;
mod keys;
mod lists;
mod organizations;
mod rights;
mod users;

use grantor_core::model::ids::OrganizationId;
use grantor_core::model::organization::Organization;
use grantor_core::model::realm::Realm;
use grantor_testkit::api;
use grantor_testkit::server::{Answer, TestServer};
use serde_json::{Value, json};

pub(crate) fn organization(id: &str) -> OrganizationId {
    id.parse().expect("an id")
}

/// A server with the API, two organizations, and an administrator.
pub(crate) async fn server() -> TestServer {
    server_with(|_| {}).await
}

pub(crate) async fn server_with(change: impl FnOnce(&mut Realm)) -> TestServer {
    let server = TestServer::with(|realm| {
        api::serve(realm);
        for name in ["acme", "globex"] {
            let organization = Organization {
                id: organization(name),
                name: name.to_owned(),
                enabled: true,
            };
            realm
                .organizations
                .insert(organization.id.clone(), organization);
        }
        change(realm);
    })
    .await;
    server.add_member("root", &["admins"]).await;
    server.take_events();
    server
}

/// Makes a user, who must be taken. Returns the id and the ETag.
pub(crate) async fn made(server: &TestServer, token: &str, user: Value) -> (String, String) {
    let answer = server.api(token, "POST", "/users", Some(&user)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.api_json()["id"].as_str().expect("an id").to_owned();
    (id, answer.header("etag").to_owned())
}

/// Changes a user by a merge patch.
pub(crate) async fn patched(
    server: &TestServer,
    token: &str,
    (id, etag): (&str, &str),
    patch: Value,
) -> Answer {
    let path = format!("/users/{id}");
    let condition = [("if-match", etag)];
    server
        .api_with(token, "PATCH", &path, Some(&patch), &condition)
        .await
}

pub(crate) fn dora() -> Value {
    json!({
        "username": "dora",
        "email": "dora@example.com",
        "password": "dora-password",
        "groups": ["staff"],
        "claims": { "given_name": "Dora" },
    })
}
