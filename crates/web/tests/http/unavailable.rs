//! A store or signer that is down: 503, never a protocol error, and the device keeps polling.

use grantor_store::testing::Fault;

use grantor_testkit::server::{Answer, DEVICE_AUTHORIZATION, Form, TestServer, refused};

fn assert_away(answer: &Answer) {
    assert_eq!(answer.error(), refused(503, "temporarily_unavailable"));
    assert_eq!(answer.header("retry-after"), "1");
    assert!(
        !answer.body.contains("fault"),
        "the reason is for the log: {answer:?}"
    );
}

fn assert_page_away(page: &Answer) {
    assert_eq!((page.status, page.header("retry-after")), (503, "1"));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.body.contains("id=\"trace-id\""));
}

#[tokio::test]
async fn every_endpoint_that_needs_the_store_answers_503_when_it_is_down() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let tokens = server
        .device_tokens_with(
            "tv",
            "alice",
            &[("scope", "openid orders.example.com/read")],
        )
        .await;
    let (access, refresh) = (
        tokens.member("access_token"),
        tokens.member("refresh_token"),
    );
    server.store.set_down(true);
    assert_away(&server.poll(&codes).await);
    assert_away(&server.refresh("tv", &refresh).await);
    assert_away(&server.userinfo(&access).await);
    assert_away(&server.introspect("orders", &access).await);
    assert_away(
        &server
            .post(DEVICE_AUTHORIZATION, &[("client_id", "tv")])
            .await,
    );
    assert_away(&server.revoke("tv", &refresh).await);
    // What needs no row needs no store.
    assert_eq!(server.machine_token("orders", &[]).await.status, 200);
    assert_eq!(server.get("/.well-known/jwks.json").await.status, 200);
    server.store.set_down(false);
    assert_eq!(
        server.poll(&codes).await.error(),
        refused(400, "slow_down"),
        "the second poll in no time"
    );
    assert_eq!(
        server.refresh("tv", &refresh).await.status,
        200,
        "nothing was used up"
    );
}

#[tokio::test]
async fn an_approved_device_gets_its_tokens_after_a_failed_commit() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    server.approve("alice", &codes).await;
    server.store.inject(Fault::Commit);
    assert_away(&server.poll(&codes).await);
    assert_eq!(server.poll(&codes).await.status, 200);
}

#[tokio::test]
async fn a_signer_that_is_down_uses_up_no_code() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    server.approve("alice", &codes).await;
    server.set_signer_down(true);
    assert_away(&server.poll(&codes).await);
    assert_away(&server.machine_token("orders", &[]).await);
    server.set_signer_down(false);
    assert_eq!(server.poll(&codes).await.status, 200);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_out() {
    for fault in [Fault::UnknownWritten, Fault::UnknownLost] {
        let server = TestServer::new().await;
        let codes = server.device_codes("tv").await;
        server.approve("alice", &codes).await;
        server.store.inject(fault);
        assert_eq!(server.poll(&codes).await.status, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn pages_explain_that_the_store_is_down() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    let asked = alice.type_code(&codes.user).await;
    let approve = Form::of(&asked, "/device/decision").fill("decision", "approve");
    let code = Form::of(&alice.get("/device").await, "/device").fill("user_code", &codes.user);
    let out = Form::of(&alice.get("/logout").await, "/logout");
    let mut visitor = server.browser();
    let login = Form::of(&visitor.get("/login").await, "/login");
    server.store.set_down(true);
    for path in ["/", "/device", "/logout"] {
        assert_page_away(&alice.get(path).await);
    }
    assert_page_away(&alice.submit(code).await);
    assert_page_away(&alice.submit(approve.clone()).await);
    assert_page_away(&alice.submit(out).await);
    assert_page_away(
        &visitor
            .submit(login.fill("username", "bob").fill("password", "x"))
            .await,
    );
    assert_eq!(
        visitor.get("/login").await.status,
        200,
        "which needs no row"
    );
    server.store.set_down(false);
    let done = alice.submit_and_follow(approve).await;
    assert!(
        done.body.contains("id=\"done\""),
        "the same form still works: {done:?}"
    );
}

#[tokio::test]
async fn a_failing_store_counts_no_guess() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    server.store.set_down(true);
    for _ in 0..20 {
        assert_eq!(alice.sign_in("alice", "wrong").await.status, 503);
    }
    server.store.set_down(false);
    assert_eq!(alice.sign_in("alice", "alice-password").await.status, 303);
}
