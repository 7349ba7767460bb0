//! The token endpoint's answers (RFC 6749 sections 4.4, 5 and 6).

use grantor_testkit::DEVICE_CODE;
use grantor_testkit::server::{
    FORM, TOKEN, TestServer, With as _, authorization_of, claims, jose_header, post, raw, refused,
};

#[tokio::test]
async fn rfc6749_5_1_a_machine_gets_an_access_token_and_no_refresh_token() {
    let server = TestServer::new().await;
    let tokens = server.machine_token("orders", &[]).await;
    assert_eq!(tokens.status, 200);
    assert_eq!(
        tokens.members(),
        ["access_token", "expires_in", "scope", "token_type"]
    );
    let json = tokens.json();
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["expires_in"], 600);
    assert_eq!(json["scope"], "orders.example.com/read");
    let claims = claims(&tokens.member("access_token"));
    assert_eq!(
        claims["exp"].as_u64(),
        claims["iat"].as_u64().map(|iat| iat + 600)
    );
    assert_eq!(claims["aud"], "https://orders.example.com");
    assert_eq!(jose_header(&tokens.member("access_token"))["typ"], "at+jwt");
}

#[tokio::test]
async fn rfc6749_5_1_a_device_gets_access_id_and_refresh_token() {
    let server = TestServer::new().await;
    let tokens = server
        .device_tokens_with("tv", "alice", &[("scope", "openid profile")])
        .await;
    assert_eq!(
        tokens.members(),
        [
            "access_token",
            "expires_in",
            "id_token",
            "refresh_token",
            "scope",
            "token_type"
        ]
    );
    let id = claims(&tokens.member("id_token"));
    assert_eq!(id["aud"], "tv");
    assert_eq!(jose_header(&tokens.member("id_token"))["alg"], "RS256");
    assert!(tokens.member("refresh_token").starts_with("grantor_rt_"));
}

#[tokio::test]
async fn rfc6749_5_1_the_scope_that_was_issued_is_named() {
    let server = TestServer::new().await;
    // Asked for in another order, and twice.
    let asked = "orders.example.com/write orders.example.com/read orders.example.com/write";
    let tokens = server.machine_token("orders", &[("scope", asked)]).await;
    let named = tokens.member("scope");
    let mut issued: Vec<_> = named.split(' ').collect();
    issued.sort_unstable();
    assert_eq!(
        issued,
        ["orders.example.com/read", "orders.example.com/write"]
    );
}

#[tokio::test]
async fn rfc6749_6_a_refresh_answers_like_the_first_time_and_narrows_only_downwards() {
    let server = TestServer::new().await;
    let first = server
        .device_tokens_with("tv", "alice", &[("scope", "openid profile")])
        .await;
    let second = server.refresh("tv", &first.member("refresh_token")).await;
    assert_eq!(second.members(), first.members());
    assert_ne!(
        second.member("refresh_token"),
        first.member("refresh_token")
    );
    let token = second.member("refresh_token");
    let refresh = |scope| {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", "tv"),
            ("refresh_token", token.as_str()),
            ("scope", scope),
        ];
        server.send(post(TOKEN, &pairs))
    };
    assert_eq!(
        refresh("openid email").await.error(),
        refused(400, "invalid_scope")
    );
    assert_eq!(refresh("openid").await.member("scope"), "openid");
}

#[tokio::test]
async fn rfc6749_5_2_an_unknown_grant_type_is_unsupported() {
    let server = TestServer::new().await;
    for grant in [
        "password",
        "implicit",
        "device_code",
        "token_exchange",
        "CLIENT_CREDENTIALS",
        "x",
    ] {
        let request = post(TOKEN, &[("grant_type", grant), ("client_id", "tv")]);
        let answer = server.send(request).await;
        assert_eq!(
            answer.error(),
            refused(400, "unsupported_grant_type"),
            "{grant}"
        );
    }
}

#[tokio::test]
async fn rfc6749_5_2_what_a_grant_needs_is_an_invalid_request_where_it_is_missing() {
    let server = TestServer::new().await;
    for body in [
        vec![("client_id", "tv")],
        vec![("grant_type", DEVICE_CODE), ("client_id", "tv")],
        vec![("grant_type", "refresh_token"), ("client_id", "tv")],
    ] {
        let answer = server.post(TOKEN, &body).await;
        assert_eq!(answer.error(), refused(400, "invalid_request"), "{body:?}");
    }
    // Who asks comes first.
    for body in [
        &[][..],
        &[("grant_type", DEVICE_CODE), ("device_code", "x")],
    ] {
        let answer = server.post(TOKEN, body).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{body:?}");
    }
}

#[tokio::test]
async fn rfc6749_5_2_a_grant_that_the_client_may_not_use() {
    let server = TestServer::new().await;
    let pairs = [("grant_type", DEVICE_CODE), ("device_code", "x")];
    let answer = server
        .send(post(TOKEN, &pairs).with("authorization", &authorization_of("orders")))
        .await;
    assert_eq!(answer.error(), refused(400, "unauthorized_client"));
}

#[tokio::test]
async fn rfc6749_5_2_codes_and_tokens_that_are_not_ours_are_an_invalid_grant() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let truncated = &codes.device[..codes.device.len() - 1];
    let foreign = [
        ("grant_type", DEVICE_CODE),
        ("client_id", "tv2"),
        ("device_code", &codes.device),
    ];
    for pairs in [
        [
            ("grant_type", DEVICE_CODE),
            ("client_id", "tv"),
            ("device_code", "x"),
        ],
        [
            ("grant_type", DEVICE_CODE),
            ("client_id", "tv"),
            ("device_code", truncated),
        ],
        foreign,
        [
            ("grant_type", "refresh_token"),
            ("client_id", "tv"),
            ("refresh_token", "x"),
        ],
        [
            ("grant_type", "refresh_token"),
            ("client_id", "tv"),
            ("refresh_token", &codes.device),
        ],
    ] {
        assert_eq!(
            server.post(TOKEN, &pairs).await.error(),
            refused(400, "invalid_grant"),
            "{pairs:?}"
        );
    }
    assert_eq!(
        server.poll(&codes).await.error(),
        refused(400, "authorization_pending")
    );
}

#[tokio::test]
async fn rfc6749_b_names_and_values_are_utf8() {
    let server = TestServer::new().await;
    let body = "grant_type=client%5Fcredentials&caf%C3%A9=%E2%98%95";
    let answer = server
        .send(raw(TOKEN, FORM, body).with("authorization", &authorization_of("orders")))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn rfc8707_2_a_token_is_for_the_resource_that_is_named() {
    let server = TestServer::new().await;
    let named = [("resource", "https://orders.example.com")];
    let tokens = server.machine_token("orders", &named).await;
    assert_eq!(
        claims(&tokens.member("access_token"))["aud"],
        "https://orders.example.com"
    );
    let unknown = [("resource", "https://unknown.example.com")];
    assert_eq!(
        server.machine_token("orders", &unknown).await.error(),
        refused(400, "invalid_target")
    );
}

/// The table of `conformance/README.md`.
#[tokio::test]
async fn rfc6749_5_1_values_have_the_sizes_that_are_documented() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    // 4 bytes of key id, the content, and a tag of 32 bytes that cannot be guessed: 256 bits.
    let sealed = |prefix: &str, reply: usize| prefix.len() + ((4 + reply + 32) * 4).div_ceil(3);
    assert_eq!((codes.device.len(), sealed("grantor_dc_", 32)), (102, 102));
    assert_eq!(codes.user.len(), "XXXX-XXXX".len());
    let tokens = server
        .device_tokens_with("tv", "alice", &[("scope", "openid profile")])
        .await;
    let refresh = tokens.member("refresh_token");
    assert_eq!((refresh.len(), sealed("grantor_rt_", 20)), (86, 86));
    assert!((500..700).contains(&tokens.member("access_token").len()));
    assert!((700..1000).contains(&tokens.member("id_token").len()));
}
