//! Revocation on the wire (RFC 7009).

use grantor_testkit::server::{
    Answer, REVOKE, TestServer, With as _, authorization_of, post, refused,
};

async fn revoke(server: &TestServer, client: &str, more: &[(&str, &str)]) -> Answer {
    server
        .post(REVOKE, &[&[("client_id", client)], more].concat())
        .await
}

/// RFC 7009 section 2.2: 200, with nothing to read.
fn assert_done(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, ""),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn rfc7009_2_a_refresh_token_is_revoked_and_every_token_of_its_grant() {
    let server = TestServer::new().await;
    let tokens = server.device_tokens("tv", "alice").await;
    let (access, refresh) = (
        tokens.member("access_token"),
        tokens.member("refresh_token"),
    );
    assert_done(&revoke(&server, "tv", &[("token", &refresh)]).await);
    assert_eq!(
        server.refresh("tv", &refresh).await.error(),
        refused(400, "invalid_grant")
    );
    assert_eq!(
        server.userinfo(&access).await.error(),
        refused(401, "invalid_token")
    );
}

#[tokio::test]
async fn rfc7009_2_an_access_token_is_revoked_at_once_and_its_grant_lives() {
    let server = TestServer::new().await;
    let tokens = server.device_tokens("tv", "alice").await;
    let (access, refresh) = (
        tokens.member("access_token"),
        tokens.member("refresh_token"),
    );
    assert_done(&revoke(&server, "tv", &[("token", &access)]).await);
    assert_eq!(
        server.userinfo(&access).await.error(),
        refused(401, "invalid_token")
    );
    assert_eq!(server.refresh("tv", &refresh).await.status, 200);
}

#[tokio::test]
async fn rfc7009_2_2_revoking_an_unknown_token_succeeds() {
    let server = TestServer::new().await;
    for token in ["x", "grantor_rt_AAAA", "a.b.c"] {
        assert_done(&revoke(&server, "tv", &[("token", token)]).await);
    }
}

#[tokio::test]
async fn rfc7009_2_1_a_hint_that_is_wrong_or_unknown_changes_nothing() {
    let server = TestServer::new().await;
    for (name, hint) in [
        ("access_token", "refresh_token"),
        ("refresh_token", "access_token"),
        ("access_token", "no_such_type"),
    ] {
        let tokens = server.device_tokens("tv", "alice").await;
        let token = tokens.member(name);
        assert_done(
            &revoke(
                &server,
                "tv",
                &[("token", &token), ("token_type_hint", hint)],
            )
            .await,
        );
        let access = tokens.member("access_token");
        assert_eq!(
            server.userinfo(&access).await.status,
            401,
            "{name} as {hint}"
        );
    }
}

#[tokio::test]
async fn rfc7009_2_1_the_token_of_another_client_is_refused_and_stays_valid() {
    let server = TestServer::new().await;
    let tokens = server.device_tokens("tv", "alice").await;
    for name in ["access_token", "refresh_token"] {
        let answer = revoke(&server, "tv2", &[("token", &tokens.member(name))]).await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"));
    }
    assert_eq!(
        server.userinfo(&tokens.member("access_token")).await.status,
        200
    );
    assert_eq!(
        server
            .refresh("tv", &tokens.member("refresh_token"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn rfc7009_2_1_a_confidential_client_must_authenticate() {
    let server = TestServer::new().await;
    let token = server
        .machine_token("orders", &[])
        .await
        .member("access_token");
    let answer = revoke(&server, "orders", &[("token", &token)]).await;
    assert_eq!(answer.error(), refused(401, "invalid_client"));
    assert_eq!(
        server.introspect("orders", &token).await.json()["active"],
        true
    );
    let request =
        post(REVOKE, &[("token", &token)]).with("authorization", &authorization_of("orders"));
    assert_done(&server.send(request).await);
    assert_eq!(
        server.introspect("orders", &token).await.json()["active"],
        false
    );
}

#[tokio::test]
async fn rfc7009_2_1_a_token_is_needed() {
    let server = TestServer::new().await;
    assert_eq!(
        revoke(&server, "tv", &[]).await.error(),
        refused(400, "invalid_request")
    );
}
