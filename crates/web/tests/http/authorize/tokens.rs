//! What a code becomes (RFC 6749 section 4.1.3, OpenID Connect Core section 3.1.3), once, and how it is refreshed.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use grantor_testkit::server::{Form, TOKEN, TestServer, claims, jose_header, refused};
use grantor_testkit::{
    APP_SECRET, AuthorizationRequest, FORUM, ISSUER, PORTAL, SHOP, SPA, Spans as _, VERIFIER,
    client, redirect_uri,
};

const OFFLINE: &str = "openid offline_access";

/// Items 47, 48 and 60.
#[tokio::test]
async fn a_code_becomes_tokens() {
    let server = TestServer::new().await;
    for app in [SPA, SHOP] {
        let tokens = server
            .app_tokens(&AuthorizationRequest::new(app).with("scope", "openid email"))
            .await;
        let members = [
            "access_token",
            "expires_in",
            "id_token",
            "refresh_token",
            "scope",
            "token_type",
        ];
        assert_eq!(tokens.members(), members);
        let json = tokens.json();
        assert_eq!(
            (json["token_type"].as_str(), json["expires_in"].as_u64()),
            (Some("Bearer"), Some(600))
        );
        for name in ["access_token", "refresh_token"] {
            let token = tokens.member(name);
            assert!(token.bytes().all(|b| (0x20..=0x7e).contains(&b)), "VSCHAR");
            assert!(super::entropy(&token) > 128.0, "{name}");
        }
    }
}

/// Items 49 to 51: OpenID Connect Core sections 2 and 3.1.3.6.
#[tokio::test]
async fn an_id_token_has_subject_audience_and_times() {
    let server = TestServer::with(|realm| {
        // The default.
        client(realm, PORTAL).id_token_alg = grantor_jose::Algorithm::Rs256;
    })
    .await;
    let mut alice = server.signed_in("alice").await;
    server.advance(5.mins());
    let code = alice
        .authorize(&AuthorizationRequest::new(PORTAL))
        .await
        .code();
    let tokens = server.redeem(PORTAL, &code).await;
    // `claims` verifies with the key that the header names.
    let (id, header) = (super::id(&tokens), jose_header(&tokens.member("id_token")));
    assert_eq!(
        (header["alg"].as_str(), header["kid"].is_string()),
        (Some("RS256"), true)
    );
    assert_eq!(
        (id["iss"].as_str(), id["aud"].as_str()),
        (Some(ISSUER), Some("portal"))
    );
    assert!(!id["sub"].as_str().expect("text").is_empty());
    let seconds = |name: &str| id[name].as_u64().expect("integer seconds");
    assert_eq!(seconds("exp"), seconds("iat") + 600);
    assert_eq!(seconds("auth_time"), seconds("iat") - 300);
    assert_eq!((&id["amr"][0], &id["acr"]), (&"pwd".into(), &"1".into()));
    assert_eq!(id.get("azp"), None);
    let access = tokens.member("access_token");
    let hash = digest::digest(&digest::SHA256, access.as_bytes());
    assert_eq!(id["at_hash"], URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
    assert_eq!(claims(&access)["sub"], id["sub"]);
}

#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let server = TestServer::new().await;
    let tokens = server
        .app_tokens(&AuthorizationRequest::new(SPA).with("scope", "email"))
        .await;
    assert!(!tokens.members().contains(&"id_token".to_owned()));
}

/// Item 54: RFC 6749 section 4.1.2: "If an authorization code is used more than once, the authorization server MUST deny
/// the request and SHOULD revoke (when possible) all tokens previously issued based on that authorization code."
#[tokio::test]
async fn a_code_used_twice_is_refused_and_its_tokens_are_revoked() {
    for later in [0, 30] {
        for app in [SPA, SHOP] {
            let server = TestServer::new().await;
            let request = AuthorizationRequest::new(app)
                .with("scope", "openid orders.example.com/read offline_access");
            let request = request.with("resource", "https://orders.example.com");
            let code = server.browser().authorize(&request).await.code();
            let tokens = server.redeem(app, &code).await;
            let (access, refresh) = (
                tokens.member("access_token"),
                tokens.member("refresh_token"),
            );
            assert_eq!(
                server.introspect("orders", &access).await.json()["active"],
                true
            );
            assert_eq!(server.userinfo(&access).await.status, 200);
            server.advance(Duration::from_secs(later));
            let again = server.redeem(app, &code).await;
            assert_eq!(again.error(), refused(400, "invalid_grant"));
            assert_eq!(
                server.userinfo(&access).await.error(),
                refused(401, "invalid_token")
            );
            assert_eq!(
                server.introspect("orders", &access).await.body,
                "{\"active\":false}"
            );
            let refreshed = server.refresh(app, &refresh).await;
            assert_eq!(refreshed.error(), refused(400, "invalid_grant"));
        }
    }
}

/// Item 91: RFC 6749 section 4.1.2: the code "MUST expire shortly after it is issued".
#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for (seconds, status) in [(59, 200), (60, 400), (62, 400), (3600, 400)] {
        let code = alice
            .authorize(&AuthorizationRequest::new(PORTAL))
            .await
            .code();
        server.advance(Duration::from_secs(seconds));
        assert_eq!(
            server.redeem(PORTAL, &code).await.status,
            status,
            "{seconds}"
        );
    }
}

/// Item 55: RFC 6749 section 2.3.1.
#[tokio::test]
async fn a_secret_comes_by_basic_or_in_the_body() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let secret = APP_SECRET;
    for (secret, expected) in [(secret, 200), ("wrong", 401), ("", 401)] {
        let code = alice
            .authorize(&AuthorizationRequest::new(PORTAL))
            .await
            .code();
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", redirect_uri(PORTAL)),
            ("client_id", PORTAL),
            ("client_secret", secret),
        ];
        let answer = server.post(TOKEN, &pairs).await;
        assert_eq!(answer.status, expected, "{answer:?}");
        if expected == 401 {
            assert_eq!(answer.error(), refused(401, "invalid_client"));
            // The code is still its owner's.
            assert_eq!(server.redeem(PORTAL, &code).await.status, 200);
        }
    }
}

/// Item 58: OpenID Connect Core section 12.2.
#[tokio::test]
async fn a_refreshed_id_token_has_the_same_user_and_a_new_iat() {
    let server = TestServer::new().await;
    let first = server
        .app_tokens(&AuthorizationRequest::new(SHOP).with("scope", "openid email offline_access"))
        .await;
    server.advance(2.mins());
    let second = server.refresh(SHOP, &first.member("refresh_token")).await;
    let narrowed = [("scope", "openid")];
    let third = server
        .refresh_with(SHOP, &second.member("refresh_token"), &narrowed)
        .await;
    let before = super::id(&first);
    for (tokens, scope) in [(&second, "openid email offline_access"), (&third, "openid")] {
        let id = super::id(tokens);
        for name in ["iss", "sub", "aud", "auth_time", "sid", "acr", "amr"] {
            assert_eq!(id[name], before[name], "{name}");
        }
        assert!(id["iat"].as_u64() > before["iat"].as_u64());
        assert_eq!((id.get("azp"), id.get("nonce")), (None, None));
        assert_eq!(tokens.json()["token_type"], "Bearer");
        let granted = tokens.member("scope");
        let mut granted: Vec<_> = granted.split(' ').collect();
        granted.sort_unstable();
        let mut expected: Vec<_> = scope.split(' ').collect();
        expected.sort_unstable();
        assert_eq!(granted, expected);
        assert_ne!(tokens.member("access_token"), first.member("access_token"));
    }
}

/// Item 59, and RFC 6749 section 10.5: the owner does not notice, and nothing ends.
#[tokio::test]
async fn another_clients_code_or_refresh_token_is_an_invalid_grant_and_ends_nothing() {
    let server = TestServer::new().await;
    let request = AuthorizationRequest::new(SHOP).with("scope", OFFLINE);
    let code = server.browser().authorize(&request).await.code();
    for app in [FORUM, PORTAL, SPA] {
        let there = [("redirect_uri", redirect_uri(SHOP))];
        let stolen = server.redeem_with(app, &code, &there).await;
        assert_eq!(stolen.error(), refused(400, "invalid_grant"));
    }
    let tokens = server.redeem(SHOP, &code).await;
    assert_eq!(tokens.status, 200);
    for app in [FORUM, SPA] {
        let there = [
            ("redirect_uri", redirect_uri(SHOP)),
            ("code_verifier", VERIFIER),
        ];
        let replayed = server.redeem_with(app, &code, &there).await;
        assert_eq!(replayed.error(), refused(400, "invalid_grant"));
        let stolen = server.refresh(app, &tokens.member("refresh_token")).await;
        assert_eq!(stolen.error(), refused(400, "invalid_grant"));
    }
    assert_eq!(
        server.userinfo(&tokens.member("access_token")).await.status,
        200
    );
    let refreshed = server.refresh(SHOP, &tokens.member("refresh_token")).await;
    assert_eq!(refreshed.status, 200);
}

/// Item 61: RFC 6749 section 5.2; `error` looks at members and characters.
#[tokio::test]
async fn every_refusal_of_a_code_is_an_error_of_rfc6749() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let code = alice
        .authorize(&AuthorizationRequest::new(PORTAL))
        .await
        .code();
    let kind = ("grant_type", "authorization_code");
    let own = ("redirect_uri", redirect_uri(PORTAL));
    for (pairs, error) in [
        (vec![kind, own], "invalid_request"),
        (vec![kind, own, ("code", "x")], "invalid_grant"),
        (
            vec![kind, own, ("code", &code[..code.len() - 1])],
            "invalid_grant",
        ),
        (vec![kind, ("code", &code)], "invalid_grant"),
        (
            vec![
                kind,
                ("code", &code),
                ("redirect_uri", "https://portal.example.com/cb/"),
            ],
            "invalid_grant",
        ),
        (
            vec![kind, own, ("code", &code), ("code_verifier", "short")],
            "invalid_grant",
        ),
        (
            vec![kind, own, ("code", &code), ("code", &code)],
            "invalid_request",
        ),
        (vec![own, ("code", &code)], "invalid_request"),
        (
            vec![("grant_type", "code"), own, ("code", &code)],
            "unsupported_grant_type",
        ),
    ] {
        let answer = server.request_tokens(PORTAL, &pairs).await;
        assert_eq!(answer.error(), refused(400, error), "{pairs:?}");
    }
    // None of them used it up.
    assert_eq!(server.redeem(PORTAL, &code).await.status, 200);
}

/// OpenID Connect Core section 11: without offline_access, what was granted is for as long as the user is there.
#[tokio::test]
async fn tokens_end_with_their_session_but_for_offline_access() {
    let server = TestServer::new().await;
    for (scope, alive) in [("openid", false), (OFFLINE, true)] {
        let mut alice = server.signed_in("alice").await;
        let code = alice
            .authorize(&AuthorizationRequest::new(PORTAL).with("scope", scope))
            .await
            .code();
        let tokens = server.redeem(PORTAL, &code).await;
        let waiting = alice
            .authorize(&AuthorizationRequest::new(PORTAL).with("scope", scope))
            .await
            .code();
        let out = Form::of(&alice.get("/logout").await, "/logout");
        alice.submit(out).await;
        let status = server.userinfo(&tokens.member("access_token")).await.status;
        assert_eq!(status == 200, alive, "{scope}");
        let refreshed = server
            .refresh(PORTAL, &tokens.member("refresh_token"))
            .await;
        assert_eq!(refreshed.status == 200, alive, "{scope}");
        // A code that was on its way.
        assert_eq!(
            server.redeem(PORTAL, &waiting).await.status == 200,
            alive,
            "{scope}"
        );
    }
}
