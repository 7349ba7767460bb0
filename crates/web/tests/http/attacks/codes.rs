//! Codes in the wrong hands (RFC 9700 sections 4.5 and 4.8).

use grantor_core::grants::GrantType;

use grantor_testkit::server::{TOKEN, TestServer, claims, refused};
use grantor_testkit::{
    AuthorizationRequest, DEVICE_CODE, FORUM, OTHER_VERIFIER, PORTAL, SHOP, SHOP_WITH_QUERY, SPA,
    VERIFIER, challenge, client, redirect_uri,
};

/// RFC 9700 section 4.5: the attacker puts a victim's code into their own session with the client, whose verifier is then
/// another one.
#[tokio::test]
async fn code_injection_a_victims_code_does_not_fit_the_verifier_of_another_session() {
    let server = TestServer::new().await;
    for app in [SPA, PORTAL] {
        let request = AuthorizationRequest::new(app).pkce(VERIFIER);
        let victims = server.browser().authorize(&request).await.code();
        let mut attacker = server.browser();
        let own = AuthorizationRequest::new(app).pkce(OTHER_VERIFIER);
        let own = attacker.authorize_with(&own, "bob", "approve").await.code();
        for (code, verifier) in [(&victims, OTHER_VERIFIER), (&own, VERIFIER)] {
            let answer = server
                .redeem_with(app, code, &[("code_verifier", verifier)])
                .await;
            assert_eq!(answer.error(), refused(400, "invalid_grant"));
        }
        // The victim does not notice.
        let tokens = server
            .redeem_with(app, &victims, &[("code_verifier", VERIFIER)])
            .await;
        assert_eq!(tokens.status, 200);
        let userinfo = server.userinfo(&tokens.member("access_token")).await;
        assert_eq!(
            userinfo.json()["sub"],
            claims(&tokens.member("id_token"))["sub"]
        );
    }
}

/// RFC 7636 section 4.6.
#[tokio::test]
async fn a_code_with_a_challenge_is_refused_without_its_verifier() {
    let server = TestServer::new().await;
    for app in [SPA, PORTAL] {
        let code = server
            .browser()
            .authorize(&AuthorizationRequest::new(app).pkce(VERIFIER))
            .await
            .code();
        for more in [
            &[][..],
            &[("code_verifier", "")],
            &[("code_verifier", challenge(VERIFIER).as_str())],
            &[("code_verifier", &VERIFIER.to_lowercase())],
            &[("code_challenge", &challenge(VERIFIER))],
        ] {
            let answer = server.redeem_with(app, &code, more).await;
            assert_eq!(answer.error(), refused(400, "invalid_grant"), "{more:?}");
        }
    }
}

/// RFC 9700 section 4.8: the attacker takes the challenge out of the victim's request, so that a code comes which is bound to
/// no verifier. The client still sends its own, and that is refused.
#[tokio::test]
async fn pkce_downgrade_a_verifier_without_a_challenge_is_refused() {
    let server = TestServer::new().await;
    let stripped = server
        .browser()
        .authorize(&AuthorizationRequest::new(SHOP))
        .await
        .code();
    let answer = server
        .redeem_with(SHOP, &stripped, &[("code_verifier", VERIFIER)])
        .await;
    assert_eq!(answer.error(), refused(400, "invalid_grant"));
    // Where PKCE is required there is no such code.
    let bare = AuthorizationRequest::new(SPA)
        .without("code_challenge")
        .without("code_challenge_method");
    assert_eq!(
        server.browser().authorize(&bare).await.error(),
        "invalid_request"
    );
}

/// RFC 9700 section 2.1.1: S256 is the only method that does not show the verifier.
#[tokio::test]
async fn pkce_downgrade_only_s256_is_accepted() {
    let server = TestServer::new().await;
    for app in [SPA, SHOP] {
        for method in ["plain", "", "s256", "S256 plain", "none", "S512"] {
            for challenge in [VERIFIER.to_owned(), challenge(VERIFIER)] {
                let request = AuthorizationRequest::new(app)
                    .with("code_challenge", &challenge)
                    .with("code_challenge_method", method);
                let result = server.browser().authorize(&request).await;
                assert_eq!(result.error(), "invalid_request", "{method}");
            }
        }
    }
    let request = AuthorizationRequest::new(SHOP).with("code_challenge_method", "S256");
    assert_eq!(
        server.browser().authorize(&request).await.error(),
        "invalid_request",
        "a method of nothing"
    );
}

/// RFC 6749 section 4.1.3: the redirect URI of the request is the one of the redemption.
#[tokio::test]
async fn a_code_that_was_sent_to_another_address_is_refused() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let code = alice
        .authorize(&AuthorizationRequest::new(SHOP))
        .await
        .code();
    for uri in [
        SHOP_WITH_QUERY,
        redirect_uri(FORUM),
        "https://shop.example.com/cb/",
        "",
    ] {
        let answer = server
            .redeem_with(SHOP, &code, &[("redirect_uri", uri)])
            .await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"), "{uri}");
    }
    assert_eq!(server.redeem(SHOP, &code).await.status, 200);
}

/// A thief of a used code, without the verifier or the secret, cannot end what its owner has.
#[tokio::test]
async fn a_used_code_without_its_verifier_ends_nothing() {
    let server = TestServer::new().await;
    let code = server
        .browser()
        .authorize(&AuthorizationRequest::new(SPA))
        .await
        .code();
    let tokens = server.redeem(SPA, &code).await;
    for more in [&[][..], &[("code_verifier", OTHER_VERIFIER)]] {
        let answer = server.redeem_with(SPA, &code, more).await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"));
    }
    assert_eq!(
        server.userinfo(&tokens.member("access_token")).await.status,
        200
    );
}

/// Codes, refresh tokens, access tokens and device codes are four kinds of tokens.
#[tokio::test]
async fn no_token_is_accepted_as_another_kind() {
    let server = TestServer::new().await;
    let code = server
        .browser()
        .authorize(&AuthorizationRequest::new(PORTAL))
        .await
        .code();
    let tokens = server.app_tokens(&AuthorizationRequest::new(PORTAL)).await;
    let (access, refresh, id) = (
        tokens.member("access_token"),
        tokens.member("refresh_token"),
        tokens.member("id_token"),
    );
    for not_a_code in [&access, &refresh, &id] {
        let answer = server.redeem(PORTAL, not_a_code).await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"));
    }
    for not_a_refresh_token in [&access, &code, &id] {
        let answer = server.refresh(PORTAL, not_a_refresh_token).await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"));
    }
    for not_an_access_token in [&refresh, &code, &id] {
        let answer = server.userinfo(not_an_access_token).await;
        assert_eq!(answer.error(), refused(401, "invalid_token"));
    }
    assert_eq!(
        server.redeem(PORTAL, &code).await.status,
        200,
        "no harm was done"
    );
}

/// RFC 9700 section 4.3.2: what is in an address is logged: codes and secrets are taken from bodies only.
#[tokio::test]
async fn a_code_in_the_address_of_the_token_endpoint_is_refused() {
    let server = TestServer::new().await;
    let code = server
        .browser()
        .authorize(&AuthorizationRequest::new(SPA))
        .await
        .code();
    let rest = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("client_id", SPA),
        ("redirect_uri", redirect_uri(SPA)),
        ("code_verifier", VERIFIER),
    ];
    let path = format!("{}?code={code}", TOKEN);
    assert_eq!(
        server.post(&path, &rest).await.error(),
        refused(400, "invalid_request"),
        "also where it is in the body"
    );
}

/// Device codes and authorization codes have the same content, and are two kinds.
#[tokio::test]
async fn device_codes_and_authorization_codes_are_not_interchangeable() {
    let server = TestServer::with(|realm| {
        for id in ["tv", "spa"] {
            let both = vec![GrantType::AuthorizationCode, GrantType::DeviceCode];
            client(realm, id).grants = both;
        }
    })
    .await;
    let device = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    alice.approve(&device).await;
    let redeem = [
        ("grant_type", "authorization_code"),
        ("client_id", "tv"),
        ("code", device.device.as_str()),
    ];
    let answer = server.post(TOKEN, &redeem).await;
    assert_eq!(answer.error(), refused(400, "invalid_grant"));
    let code = alice
        .authorize(&AuthorizationRequest::new(SPA))
        .await
        .code();
    let poll = [
        ("grant_type", DEVICE_CODE),
        ("client_id", "spa"),
        ("device_code", code.as_str()),
    ];
    let answer = server.post(TOKEN, &poll).await;
    assert_eq!(answer.error(), refused(400, "invalid_grant"));
    assert_eq!(server.poll(&device).await.status, 200);
    assert_eq!(server.redeem(SPA, &code).await.status, 200);
}
