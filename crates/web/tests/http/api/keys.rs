//! `/keys`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::base::time::Timestamp;
use grantor_jose::KeyState;
use grantor_web::{Management, SigningKey, Unavailable};
use serde_json::{Value, json};

use super::server;

#[derive(Default)]
struct Keys {
    rotations: AtomicU64,
}

fn key() -> SigningKey {
    SigningKey {
        kid: "k1".to_owned(),
        alg: "ES256",
        state: KeyState::Active,
        created_at: Timestamp::from_secs(0),
        since: Timestamp::from_secs(1),
    }
}

impl Management for Keys {
    fn keys(&self) -> BoxFuture<'_, Vec<SigningKey>> {
        async { vec![key()] }.boxed()
    }

    fn rotate_keys(&self) -> BoxFuture<'_, Result<Vec<SigningKey>, Unavailable>> {
        self.rotations.fetch_add(1, Ordering::Relaxed);
        async { Ok(vec![key()]) }.boxed()
    }
}

#[tokio::test]
async fn keys_are_listed_and_rotated_by_those_who_hold_the_right() {
    let server = server().await;
    let writer = server.api_machine_token(&["keys:write"]).await;
    let unmanaged = server.api(&writer, "GET", "/keys", None).await;
    assert_eq!(unmanaged.problem(), (503, "unavailable".to_owned()));
    let keys = Arc::new(Keys::default());
    server.app.set_management(Arc::clone(&keys) as _);
    let reader = server.api_machine_token(&["keys:read"]).await;
    let shown = json!({
        "kid": "k1",
        "alg": "ES256",
        "state": "active",
        "created_at": "1970-01-01T00:00:00.000Z",
        "since": "1970-01-01T00:00:01.000Z",
    });
    let listed = server.api(&reader, "GET", "/keys", None).await;
    assert_eq!(
        listed.api_json(),
        json!({ "items": [shown], "next": Value::Null })
    );
    let answer = server.api(&reader, "GET", "/keys?after=x", None).await;
    assert_eq!(answer.problem(), (400, "malformed".to_owned()));
    let answer = server.api(&reader, "POST", "/keys/rotate", None).await;
    assert_eq!(answer.problem(), (403, "insufficient_scope".to_owned()));
    assert_eq!(keys.rotations.load(Ordering::Relaxed), 0);
    let answer = server.api(&writer, "POST", "/keys/rotate", None).await;
    assert_eq!(
        (answer.status, answer.api_json()),
        (200, json!({ "promoted": [shown] }))
    );
    assert_eq!(keys.rotations.load(Ordering::Relaxed), 1);
}
