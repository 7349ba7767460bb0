//! `/healthz` and `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use grantor_core::base::row::{Committed, Index, Key, Row, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_core::model::endpoint::Endpoint;
use grantor_store::memory::Memory;
use grantor_store::testing::Faulty;
use grantor_store::{Health, Store, StoreError};
use http::Request;

use grantor_testkit::server::TestServer;
use grantor_testkit::{RealmBuilder, Spans as _};

#[tokio::test]
async fn a_process_is_healthy_before_it_is_ready() {
    let store = Arc::new(Faulty::new(Memory::new()));
    let server = TestServer::over(
        RealmBuilder::standard().build(),
        Arc::clone(&store) as Arc<dyn Store>,
        store,
    );
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/readyz").await.status, 503);
    server.app.set_ready();
    assert_eq!(server.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn nothing_but_healthz_is_answered_before_a_server_is_ready() {
    let store = Arc::new(Faulty::new(Memory::new()));
    let realm = RealmBuilder::standard().build();
    let server = TestServer::over(realm, Arc::clone(&store) as Arc<dyn Store>, store);
    let paths = Endpoint::ALL.into_iter().map(Endpoint::path);
    for path in paths.chain(["/no/such/path", "/assets/style.css", "/api/v1/me"]) {
        for method in ["GET", "POST", "OPTIONS"] {
            let request = Request::builder().method(method).uri(path);
            let answer = server.send(request.body(Body::empty()).expect("a request"));
            let answer = answer.await;
            if path == "/healthz" {
                assert_ne!(answer.status, 503, "{method} {path}");
            } else {
                assert_eq!(answer.status, 503, "{method} {path}");
                assert!(answer.headers.contains_key("retry-after"), "{path}");
                let is_problem = answer.header("content-type") == "application/problem+json";
                assert_eq!(is_problem, path == "/api/v1/me", "{path}");
            }
        }
    }
    // A sign-in with the right password is not refused as one with a wrong one.
    let sign_in = [("username", "alice"), ("password", "correct horse")];
    let answer = server.post("/login", &sign_in).await;
    assert_eq!(answer.status, 503);
    server.app.set_ready();
    assert_eq!(server.get("/").await.status, 200);
}

#[tokio::test]
async fn without_its_store_a_process_is_healthy_and_not_ready() {
    let server = TestServer::new().await;
    server.store.set_down(true);
    assert_eq!(server.get("/healthz").await.status, 200);
    let answer = server.get("/readyz").await;
    assert_eq!(answer.status, 503);
    assert!(
        !answer.body.contains("a fault of the test"),
        "the reason is for the log"
    );
    server.store.set_down(false);
    assert_eq!(server.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_store_whose_clock_is_far_off_is_not_ready() {
    for (seconds, status) in [(30, 200), (31, 503)] {
        let faults = Arc::new(Faulty::new(Memory::new()));
        let store = Arc::new(Skewed(Memory::new(), Duration::from_secs(seconds)));
        let server = TestServer::over(RealmBuilder::standard().build(), store, faults);
        server.app.set_ready();
        assert_eq!(server.get("/readyz").await.status, status, "{seconds} s");
    }
}

/// A store whose clock is not ours.
struct Skewed(Memory, Duration);

impl Store for Skewed {
    fn get(&self, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Row>>, StoreError>> {
        self.0.get(keys)
    }

    fn list(
        &self,
        index: &Index,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        self.0.list(index, after, limit)
    }

    fn commit(
        &self,
        now: Timestamp,
        id: Version,
        writes: Vec<Write>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        self.0.commit(now, id, writes)
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.0.sweep(now, limit)
    }

    fn check(&self, now: Timestamp) -> BoxFuture<'_, Result<Health, StoreError>> {
        async move {
            let health = self.0.check(now).await?;
            Ok(Health {
                clock_skew: self.1,
                ..health
            })
        }
        .boxed()
    }
}

#[tokio::test]
async fn requests_forwarded_from_plain_http_are_refused_except_health_checks() {
    let server = TestServer::new().await;
    let get = |path: &str, scheme: &str| {
        let request = Request::get(path).header("x-forwarded-proto", scheme);
        server.send(request.body(Body::empty()).expect("a request"))
    };
    let refused = get("/.well-known/jwks.json", "http").await;
    assert_eq!(refused.error(), (400, "invalid_request".to_owned()));
    for path in ["/", "/device", "/no/such/path", "/oauth2/token"] {
        assert_eq!(get(path, "http").await.status, 400, "{path}");
    }
    assert_eq!(get("/healthz", "http").await.status, 200);
    assert_eq!(get("/", "https").await.status, 200);
}

#[tokio::test]
async fn a_node_that_cannot_ask_what_others_changed_serves_nothing_after_10_seconds() {
    let server = TestServer::new().await;
    let status = async |path: &str| server.get(path).await.status;
    server.app.confirm_config(server.app.monotonic(), 0, true);
    server.advance(10.s());
    assert_eq!(status("/.well-known/openid-configuration").await, 200);
    server.advance(1.s());
    for path in [
        "/.well-known/openid-configuration",
        "/readyz",
        "/login",
        "/oauth2/userinfo",
    ] {
        assert_eq!(status(path).await, 503, "{path}");
    }
    assert_eq!(status("/healthz").await, 200);
    server.app.confirm_config(server.app.monotonic(), 0, true);
    assert_eq!(status("/readyz").await, 200, "it has asked again");
    // One that is alone has nobody to ask.
    server.app.confirm_config(server.app.monotonic(), 0, false);
    server.advance(1.days());
    assert_eq!(status("/readyz").await, 200);
}
