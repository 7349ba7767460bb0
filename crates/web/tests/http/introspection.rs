//! Introspection on the wire (RFC 7662).

use grantor_testkit::server::{
    INTROSPECT, TestServer, With as _, authorization_of, basic, post, refused,
};
use grantor_testkit::{ISSUER, Spans as _};

#[tokio::test]
async fn rfc7662_2_2_an_active_token_says_what_it_is() {
    let server = TestServer::new().await;
    let token = server
        .machine_token("orders", &[])
        .await
        .member("access_token");
    let answer = server.introspect("orders", &token).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json["active"], true);
    assert_eq!(json["client_id"], "orders");
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["scope"], "orders.example.com/read");
    assert_eq!(json["aud"], "https://orders.example.com");
    assert_eq!(json["iss"], ISSUER);
    assert_eq!(
        json["exp"].as_u64(),
        json["iat"].as_u64().map(|iat| iat + 600)
    );
}

#[tokio::test]
async fn rfc7662_2_2_an_inactive_answer_has_one_member() {
    let server = TestServer::new().await;
    let ended = server
        .machine_token("orders", &[])
        .await
        .member("access_token");
    // Not for an API of the client that asks.
    let others = server.device_tokens("tv", "alice").await;
    server.advance(10.mins());
    for token in [
        "x",
        "a.b.c",
        &ended,
        &others.member("access_token"),
        &others.member("refresh_token"),
    ] {
        let answer = server.introspect("orders", token).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "{\"active\":false}")
        );
        answer.json();
    }
}

#[tokio::test]
async fn rfc7662_4_a_token_with_a_broken_signature_is_inactive() {
    let server = TestServer::new().await;
    let token = server
        .machine_token("orders", &[])
        .await
        .member("access_token");
    let (signed, signature) = token.rsplit_once('.').expect("a JWT");
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    for broken in [
        format!("{signed}.{flipped}{}", &signature[1..]),
        format!("{signed}."),
        signed.to_owned(),
    ] {
        assert_eq!(
            server.introspect("orders", &broken).await.body,
            "{\"active\":false}"
        );
    }
}

#[tokio::test]
async fn rfc7662_4_only_authorized_clients_can_introspect() {
    let server = TestServer::new().await;
    let token = server
        .device_tokens_with(
            "tv",
            "alice",
            &[("scope", "openid orders.example.com/read")],
        )
        .await
        .member("access_token");
    assert_eq!(
        server.introspect("orders", &token).await.json()["active"],
        true,
        "the API it is for"
    );
    let request =
        post(INTROSPECT, &[("token", &token)]).with("authorization", &authorization_of("console"));
    assert_eq!(
        server.send(request).await.body,
        "{\"active\":false}",
        "another client"
    );
}

#[tokio::test]
async fn rfc7662_2_1_a_wrong_or_unknown_hint_changes_nothing() {
    let server = TestServer::new().await;
    let token = server
        .machine_token("orders", &[])
        .await
        .member("access_token");
    for hint in ["refresh_token", "access_token", "no_such_type"] {
        let request = post(INTROSPECT, &[("token", &token), ("token_type_hint", hint)]);
        let answer = server
            .send(request.with("authorization", &authorization_of("orders")))
            .await;
        assert_eq!(answer.json()["active"], true, "{hint}");
    }
}

#[tokio::test]
async fn rfc7662_2_3_bad_credentials_are_401_and_a_missing_token_400() {
    let server = TestServer::new().await;
    for header in [basic("orders", "wrong"), "Bearer x".to_owned()] {
        let request = post(INTROSPECT, &[("token", "x")]).with("authorization", &header);
        assert_eq!(
            server.send(request).await.error(),
            refused(401, "invalid_client")
        );
    }
    let request = post(INTROSPECT, &[]).with("authorization", &authorization_of("orders"));
    assert_eq!(
        server.send(request).await.error(),
        refused(400, "invalid_request")
    );
}
