//! `Idempotency-Key`.

use std::time::Duration;

use grantor_testkit::server::{Answer, TestServer};
use serde_json::{Value, json};

use super::server;

async fn post(server: &TestServer, token: &str, key: &str, user: &Value) -> Answer {
    let key = [("idempotency-key", key)];
    server
        .api_with(token, "POST", "/users", Some(user), &key)
        .await
}

fn named(name: &str) -> Value {
    json!({ "username": name })
}

#[tokio::test]
async fn a_retry_gets_the_same_answer_and_does_nothing() {
    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    let first = post(&server, &token, "key-1", &named("dora")).await;
    assert_eq!(first.status, 201, "{first:?}");
    server.advance(Duration::from_secs(60));
    let again = post(&server, &token, "key-1", &named("dora")).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    for name in ["location", "etag"] {
        assert_eq!(again.header(name), first.header(name));
    }
    // Without the key, the name is taken.
    let other = server
        .api(&token, "POST", "/users", Some(&named("dora")))
        .await;
    assert_eq!(other.problem(), (409, "taken".to_owned()));
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    post(&server, &token, "key-1", &named("dora")).await;
    let other = post(&server, &token, "key-1", &named("eve")).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused".to_owned()));
    // What was refused is not kept: it may be sent again, mended.
    let bad = post(&server, &token, "key-2", &named("")).await;
    assert_eq!(bad.status, 422);
    let good = post(&server, &token, "key-2", &named("eve")).await;
    assert_eq!(good.status, 201, "{good:?}");
    for bad in ["", "a b", &"k".repeat(256)] {
        let answer = post(&server, &token, bad, &named("x")).await;
        assert_eq!(answer.problem(), (400, "malformed".to_owned()), "{bad:?}");
    }
    let two = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let answer = server
        .api_with(&token, "POST", "/users", Some(&named("x")), &two)
        .await;
    assert_eq!(answer.problem(), (400, "malformed".to_owned()));
}

#[tokio::test]
async fn a_key_ends_after_a_day() {
    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    post(&server, &token, "key-1", &named("dora")).await;
    server.advance(Duration::from_secs(24 * 3600 + 1));
    let token = server.api_machine_token(&["users:write"]).await;
    let other = post(&server, &token, "key-1", &named("eve")).await;
    assert_eq!(other.status, 201, "{other:?}");
}

#[tokio::test]
async fn another_callers_key_is_nothing() {
    let server = server().await;
    let machine = server.api_machine_token(&["users:write"]).await;
    let answer = post(&server, &machine, "key-1", &named("dora")).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    // The answer of the other is not shown, to a user or to the same machine with fewer rights.
    let user = server.api_token("root", &["users:write"]).await;
    let narrow = server.api_machine_token(&["users:write", "self"]).await;
    for token in [user, narrow] {
        let other = post(&server, &token, "key-1", &named("dora")).await;
        assert_eq!(other.problem(), (409, "taken".to_owned()));
    }
    let reader = server.api_machine_token(&["users:read"]).await;
    let other = post(&server, &reader, "key-1", &named("dora")).await;
    assert_eq!(other.problem(), (403, "insufficient_scope".to_owned()));
}

#[tokio::test]
async fn at_most_a_thousand_keys_of_a_caller_live() {
    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    for n in 0..1000 {
        let user = named(&format!("user{n}"));
        let answer = post(&server, &token, &format!("key-{n}"), &user).await;
        assert_eq!(answer.status, 201, "{n}: {answer:?}");
    }
    let more = post(&server, &token, "key-1000", &named("dora")).await;
    assert_eq!(more.problem(), (429, "too_many_requests".to_owned()));
    assert!(
        more.header("retry-after")
            .parse::<u64>()
            .is_ok_and(|it| it > 0)
    );
    let other = server
        .api(&token, "POST", "/users", Some(&named("dora")))
        .await;
    assert_eq!(other.status, 201, "without a key: {other:?}");
    let again = post(&server, &token, "key-7", &named("user7")).await;
    assert_eq!(again.status, 201, "a retry is none more");
}

#[tokio::test]
async fn the_store_holds_no_answer_in_the_clear() {
    use grantor_core::base::row::Index;
    use grantor_core::records::{IdempotentAnswer, Record as _};
    use grantor_store::Store as _;

    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    let user =
        json!({ "username": "dora", "password": "dora-password", "claims": { "c": "tell-tale" } });
    assert_eq!(post(&server, &token, "key-1", &user).await.status, 201);
    let index = Index::Kind {
        realm: "default".to_owned(),
        kind: IdempotentAnswer::KIND.to_owned(),
    };
    let rows = server.store.list(&index, None, 10).await.expect("a list");
    assert_eq!(rows.len(), 1);
    let text = String::from_utf8_lossy(&rows[0].value).into_owned();
    for secret in ["tell-tale", "dora"] {
        assert!(!text.contains(secret), "{text}");
    }
}
