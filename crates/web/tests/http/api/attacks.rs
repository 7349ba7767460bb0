//! Attacks on the management API.

use grantor_testkit::server::{With as _, api_request, raw};
use grantor_testkit::{AuthorizationRequest, PORTAL, api, user_id};
use serde_json::json;

use super::{dora, made, patched, server};

#[tokio::test]
async fn only_access_tokens_for_the_api_open_it() {
    let server = server().await;
    let root = server.api_token("root", &["users:read"]).await;
    assert_eq!(server.api(&root, "GET", "/users", None).await.status, 200);

    let request = AuthorizationRequest::new(PORTAL).with("scope", "openid orders.example.com/read");
    let for_orders = server.app_tokens(&request).await;
    let ordinary = server.app_tokens(&AuthorizationRequest::new(PORTAL)).await;
    let offline =
        AuthorizationRequest::new(PORTAL).with("scope", "openid offline_access grantor/users:read");
    let ended = server
        .browser()
        .authorize_with(&offline, "root", "approve")
        .await;
    let offline = server.redeem(PORTAL, &ended.code()).await;
    let machine = server
        .machine_token("orders", &[("scope", "orders.example.com/read")])
        .await;
    let tokens = [
        for_orders.member("access_token"),
        for_orders.member("id_token"),
        ordinary.member("access_token"),
        offline.member("refresh_token"),
        offline.member("id_token"),
        machine.member("access_token"),
        String::new(),
        "x".repeat(10_000),
    ];
    for token in tokens {
        let answer = server.api(&token, "GET", "/users", None).await;
        assert_eq!(answer.status, 401, "{token}: {answer:?}");
        assert_eq!(answer.problem().1, "invalid_token");
        assert!(
            answer.header("www-authenticate").starts_with("Bearer "),
            "{answer:?}"
        );
    }
    let ordinary = server.api_token("alice", &["self"]).await;
    assert_eq!(server.api(&ordinary, "GET", "/me", None).await.status, 200);
    let answer = server.api(&ordinary, "GET", "/users", None).await;
    assert_eq!(answer.problem(), (403, "insufficient_scope".to_owned()));
}

#[tokio::test]
async fn a_user_who_asks_for_every_right_gets_what_their_groups_give() {
    let server = server().await;
    server.add_member("dev", &["developers"]).await;
    let all: Vec<_> = api::all_rights()
        .split(' ')
        .map(|token| token.trim_start_matches("grantor/").to_owned())
        .collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    for (user, rights) in [
        ("alice", json!(["self"])),
        ("dev", json!(["clients:own", "self"])),
    ] {
        let token = server.api_token(user, &all).await;
        let me = server.api(&token, "GET", "/me", None).await;
        assert_eq!(me.api_json()["rights"], rights, "{user}");
        let answer = server.api(&token, "GET", "/users", None).await;
        assert_eq!(answer.problem(), (403, "insufficient_scope".to_owned()));
    }
}

#[tokio::test]
async fn a_cookie_counts_for_nothing() {
    let server = server().await;
    let mut browser = server.browser();
    browser.sign_in("root", "root-password").await;
    let cookies: Vec<_> = browser
        .cookies
        .iter()
        .map(|(n, v)| format!("{n}={v}"))
        .collect();
    for (method, path) in [("GET", "/users"), ("POST", "/users"), ("GET", "/me")] {
        let request = api_request(method, path, Some(&dora()));
        let request = request
            .with("cookie", &cookies.join("; "))
            .with("origin", "https://id.example.com");
        let answer = server.send(request).await;
        assert_eq!(answer.problem(), (401, "invalid_token".to_owned()));
    }
    // A form of another site cannot be read as an object, whatever it was admitted by.
    let token = server.api_token("root", &["users:write"]).await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let request = raw("/api/v1/users", content_type, dora().to_string());
        let request = request.with("authorization", &format!("Bearer {token}"));
        let answer = server.send(request).await;
        assert_eq!(answer.problem(), (415, "unsupported_media_type".to_owned()));
    }
}

#[tokio::test]
async fn members_that_nobody_may_write_are_refused() {
    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    let (id, etag) = made(&server, &token, dora()).await;
    for (name, value) in [
        ("id", json!(user_id("root").to_string())),
        ("epoch", json!(0)),
        ("from_file", json!(true)),
        ("logins", json!(["root"])),
        ("declared", json!(["groups"])),
        ("declared_credential", json!("MAC")),
        ("password_hash", json!("$argon2id$")),
        ("changed", json!({ "by": "operator:0" })),
        ("min_writer", json!(9)),
        ("organization_id", json!("x")),
        ("__proto__", json!({})),
    ] {
        let mut user = json!({ "username": "eve" });
        user[name] = value.clone();
        let answer = server.api(&token, "POST", "/users", Some(&user)).await;
        assert_eq!(answer.problem(), (422, "invalid".to_owned()), "{name}");
        assert_eq!(answer.pointers(), [format!("/{name}")]);
        let answer = patched(&server, &token, (&id, &etag), json!({ name: value })).await;
        // An empty object changes nothing of what is not there, by RFC 7396 it makes one.
        assert_eq!(answer.problem(), (422, "invalid".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn an_id_leads_to_a_user_and_to_nothing_else() {
    let server = server().await;
    let token = server
        .api_machine_token(&["users:write", "grants:write"])
        .await;
    let alice = user_id("alice").to_string();
    for id in [
        "..",
        "%2e%2e",
        "..%2fuser",
        "%2e%2e%2fsession%2fx",
        "alice",
        "*",
        "%00",
        "%ff",
        &alice.to_uppercase(),
        &alice.replace('-', ""),
        &format!("{alice}%2f"),
        &format!("{{{alice}}}"),
    ] {
        let answer = server
            .api(&token, "GET", &format!("/users/{id}"), None)
            .await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{id}");
        for kind in ["sessions", "grants"] {
            let path = format!("/users/{id}/{kind}");
            assert_eq!(
                server.api(&token, "GET", &path, None).await.status,
                404,
                "{path}"
            );
            let path = format!("/users/{alice}/{kind}/{id}");
            assert_eq!(
                server.api(&token, "DELETE", &path, None).await.status,
                404,
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn large_and_deep_bodies_are_refused() {
    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    let send = async |body: String| {
        let request = raw("/api/v1/users", "application/json", body);
        let request = request.with("authorization", &format!("Bearer {token}"));
        server.send(request).await.problem()
    };
    let large = format!("{{\"username\":\"{}\"}}", "x".repeat(300 * 1024));
    assert_eq!(send(large).await, (413, "too_large".to_owned()));
    let deep = format!(
        "{{\"claims\":{}1{}}}",
        "{\"a\":".repeat(100_000 / 5),
        "}".repeat(20_000)
    );
    assert_eq!(send(deep).await, (400, "malformed".to_owned()));
    for body in ["", "[]", "null", "\"x\"", "{", "{}{}", "\u{feff}{}"] {
        assert_eq!(
            send(body.to_owned()).await,
            (400, "malformed".to_owned()),
            "{body}"
        );
    }
    let wide = json!({ "username": "dora", "claims": { "c": "x".repeat(70_000) } });
    assert_eq!(send(wide.to_string()).await, (422, "invalid".to_owned()));
}

#[tokio::test]
async fn a_user_grows_by_no_number_of_changes_beyond_the_limit() {
    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    let (id, mut etag) = made(&server, &token, dora()).await;
    for n in 0..6 {
        let claim = json!({ "claims": { format!("c{n}"): "x".repeat(16_000) } });
        let answer = patched(&server, &token, (&id, &etag), claim).await;
        let expected = if n < 4 { 200 } else { 422 };
        assert_eq!(answer.status, expected, "{n}");
        if answer.status == 200 {
            etag = answer.header("etag").to_owned();
        }
    }
}

#[tokio::test]
async fn a_password_is_in_no_answer_and_no_debug() {
    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    let short = json!({ "username": "dora", "password": "s3cr3t!" });
    let answer = server.api(&token, "POST", "/users", Some(&short)).await;
    assert_eq!(answer.pointers(), ["/password"]);
    assert!(!format!("{answer:?}").contains("s3cr3t!"));
    let answer = server.api(&token, "POST", "/users", Some(&dora())).await;
    assert!(!answer.body.contains("dora-password") && !answer.body.contains("argon2"));
    let serde_json::Value::Object(object) = dora() else {
        panic!("an object");
    };
    use grantor_core::manage::users::{CreateUser, UserBody};
    let create = CreateUser {
        object: object.clone(),
    };
    let text = format!("{create:?} {:?}", UserBody::Put(object));
    assert!(!text.contains("dora"), "{text}");
}

#[tokio::test]
async fn where_the_api_is_not_enabled_no_path_of_it_is_there() {
    let server = grantor_testkit::server::TestServer::with(|realm| {
        api::serve(realm);
        realm.api.enabled = false;
    })
    .await;
    let token = server.api_machine_token(&["users:write"]).await;
    for (path, method) in grantor_web::api::methods() {
        let answer = server.api(&token, method, path, Some(&dora())).await;
        assert_eq!(
            answer.problem(),
            (404, "not_found".to_owned()),
            "{method} {path}"
        );
    }
}
