//! Who is asked what: `prompt`, `max_age` and `id_token_hint` (OpenID Connect Core section 3.1.2.1).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use grantor_testkit::server::{Answer, Form, TestServer, claims, redirect_of};
use grantor_testkit::{
    AuthorizationRequest, NATIVE, PORTAL, SHOP, SHOP_WITH_QUERY, SPA, Spans as _, client,
    redirect_uri,
};

const SECOND: Duration = Duration::from_secs(1);

/// Item 29.
#[tokio::test]
async fn prompt_none_without_a_session_is_login_required() {
    let server = TestServer::new().await;
    let result = server
        .browser()
        .authorize(&AuthorizationRequest::new(SPA).with("prompt", "none"))
        .await;
    assert_eq!(result.error(), "login_required");
    assert!(result.pages.is_empty());
}

/// Item 30.
#[tokio::test]
async fn prompt_none_after_consent_is_silent_and_gives_the_same_user() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let silent = AuthorizationRequest::new(SPA).with("prompt", "none");
    assert_eq!(alice.authorize(&silent).await.error(), "consent_required");
    let first = alice.authorize(&AuthorizationRequest::new(SPA)).await;
    assert_eq!(first.pages, ["consent"]);
    let first = super::id(&server.redeem(SPA, &first.code()).await);
    server.advance(10.mins());
    let second = alice.authorize(&silent).await;
    assert!(second.pages.is_empty());
    let second = super::id(&server.redeem(SPA, &second.code()).await);
    for claim in ["sub", "auth_time", "sid"] {
        assert_eq!(first[claim], second[claim], "{claim}");
    }
    assert_ne!(first["iat"], second["iat"]);
    // For more than the consent covers, the user is asked.
    let more = silent.with("scope", "openid email");
    assert_eq!(alice.authorize(&more).await.error(), "consent_required");
    let asked = alice.authorize(&more.without("prompt")).await;
    assert_eq!(asked.pages, ["consent"]);
}

/// RFC 8252 section 8.6: another program of the machine could ask in this one's name.
#[tokio::test]
async fn a_native_app_needs_consent_each_time() {
    let server = TestServer::with(|realm| {
        let name = "http://localhost/dev".parse().expect("a redirect URI");
        client(realm, NATIVE).code.redirect_uris.push(name);
    })
    .await;
    let mut alice = server.signed_in("alice").await;
    for uri in [
        redirect_uri(NATIVE),
        "http://[::1]:5000/cb",
        "http://localhost:5000/dev",
        "com.example.native:/cb",
    ] {
        let request = AuthorizationRequest::new(NATIVE).with("redirect_uri", uri);
        for _ in 0..2 {
            assert_eq!(alice.authorize(&request).await.pages, ["consent"], "{uri}");
        }
        let silent = alice.authorize(&request.with("prompt", "none")).await;
        assert_eq!(silent.error(), "consent_required");
    }
}

/// Item 31.
#[tokio::test]
async fn prompt_login_asks_for_the_password_again_and_auth_time_is_later() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let first = alice.authorize(&AuthorizationRequest::new(PORTAL)).await;
    assert_eq!(first.pages, ["login"]);
    let first = super::id(&server.redeem(PORTAL, &first.code()).await);
    for prompt in ["login", "select_account", "login consent"] {
        server.advance(SECOND);
        let again = alice
            .authorize(&AuthorizationRequest::new(PORTAL).with("prompt", prompt))
            .await;
        assert_eq!(again.pages[0], "login", "{prompt}");
        let again = super::id(&server.redeem(PORTAL, &again.code()).await);
        assert!(again["auth_time"].as_u64() > first["auth_time"].as_u64());
        assert_eq!(again["sub"], first["sub"]);
    }
    // Without a password nothing happens.
    let asked = alice
        .get(
            &AuthorizationRequest::new(PORTAL)
                .with("prompt", "login")
                .path(),
        )
        .await;
    assert!(asked.header("location").starts_with("/login?"));
}

#[tokio::test]
async fn prompt_consent_asks_again_also_of_clients_that_skip_it() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for app in [SPA, PORTAL] {
        alice
            .authorize(&AuthorizationRequest::new(app))
            .await
            .code();
        let again = alice
            .authorize(&AuthorizationRequest::new(app).with("prompt", "consent"))
            .await;
        assert_eq!(again.pages, ["consent"], "{app:?}");
    }
    for prompt in ["none login", "none consent", "whatever", "create"] {
        let result = alice
            .authorize(&AuthorizationRequest::new(PORTAL).with("prompt", prompt))
            .await;
        assert_eq!(result.error(), "invalid_request", "{prompt}");
    }
}

/// Items 32 and 33.
#[tokio::test]
async fn max_age_asks_again_when_the_sign_in_is_older_and_only_then() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let mut auth_times = Vec::new();
    for (max_age, pages) in [
        ("15000", vec![]),
        ("10000", vec![]),
        ("1", vec!["login"]),
        ("0", vec!["login"]),
        ("18446744073709551615", vec![]),
    ] {
        server.advance(2 * SECOND);
        let result = alice
            .authorize(&AuthorizationRequest::new(PORTAL).with("max_age", max_age))
            .await;
        assert_eq!(result.pages, pages, "{max_age}");
        let id = super::id(&server.redeem(PORTAL, &result.code()).await);
        auth_times.push(id["auth_time"].as_u64().expect("integer seconds"));
        assert!(id["iat"].as_u64() >= id["auth_time"].as_u64());
    }
    let [first, second, third, fourth, fifth] = auth_times[..] else {
        panic!("{auth_times:?}");
    };
    assert_eq!(first, second);
    assert!(second < third && third < fourth);
    assert_eq!(fourth, fifth);
    server.advance(2 * SECOND);
    let silent = AuthorizationRequest::new(PORTAL)
        .with("max_age", "1")
        .with("prompt", "none");
    assert_eq!(alice.authorize(&silent).await.error(), "login_required");
    for wrong in ["-1", "1.5", "x", "99999999999999999999"] {
        let result = alice
            .authorize(&AuthorizationRequest::new(PORTAL).with("max_age", wrong))
            .await;
        assert_eq!(result.error(), "invalid_request", "{wrong}");
    }
}

/// The page of consent takes its time: the sign-in that was demanded does not grow too old meanwhile.
#[tokio::test]
async fn a_required_sign_in_stays_valid_until_consent() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let request = AuthorizationRequest::new(SPA).with("max_age", "1");
    let login = alice.get(&request.path()).await;
    let login = alice.get(login.header("location")).await;
    let form = Form::of(&login, "/login");
    let form = form
        .fill("username", "alice")
        .fill("password", "alice-password");
    let signed_in = alice.submit(form).await;
    server.advance(1.mins());
    let page = alice.get(signed_in.header("location")).await;
    server.advance(1.mins());
    let result = alice.follow(page, "alice", "approve").await;
    assert_eq!(result.pages, ["consent"]);
    result.code();
}

/// Item 34.
#[tokio::test]
async fn an_id_token_hint_of_the_user_is_silent_and_of_another_user_is_not() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let code = alice
        .authorize(&AuthorizationRequest::new(PORTAL))
        .await
        .code();
    let hint = server.redeem(PORTAL, &code).await.member("id_token");
    let silent = AuthorizationRequest::new(PORTAL)
        .with("prompt", "none")
        .with("id_token_hint", &hint);
    alice.authorize(&silent).await.code();
    // An expired one still identifies the user.
    server.advance(60.mins());
    alice.authorize(&silent).await.code();

    let mut bob = server.signed_in("bob").await;
    assert_eq!(bob.authorize(&silent).await.error(), "login_required");
    // At sign-in, the expected user continues; another one returns with an error.
    let hinted = silent.without("prompt");
    let as_bob = bob.authorize_with(&hinted, "bob", "approve").await;
    assert_eq!(
        (as_bob.pages, arrived_error(&as_bob.answer)),
        (vec!["login"], "login_required".to_owned())
    );
    let as_alice = bob.authorize_with(&hinted, "alice", "approve").await;
    assert_eq!(as_alice.pages, ["login"]);
    let id = super::id(&server.redeem(PORTAL, &as_alice.code()).await);
    assert_eq!(id["sub"], claims(&hint)["sub"]);
}

fn arrived_error(answer: &Answer) -> String {
    redirect_of(answer).1["error"].clone()
}

/// OpenID Connect Core section 3.1.2.1: a hint is an "ID Token previously issued by the Authorization Server".
#[tokio::test]
async fn an_id_token_hint_of_another_issuer_is_refused() {
    let server = TestServer::new().await;
    let elsewhere =
        TestServer::with(|realm| realm.issuer = "https://other.example.com".to_owned()).await;
    let tokens = server.app_tokens(&AuthorizationRequest::new(SPA)).await;
    // All servers have the same keys, so only the issuer differs.
    let other_issuer = elsewhere
        .app_tokens(&AuthorizationRequest::new(SPA))
        .await
        .member("id_token");
    let id = tokens.member("id_token");
    let payload = id.split('.').nth(1).expect("a JWT");
    let none = URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}");
    let mut alice = server.signed_in("alice").await;
    for (what, hint) in [
        ("of another issuer", other_issuer),
        ("unsigned", format!("{none}.{payload}.")),
        ("changed", super::changed(&id)),
        ("an access token", tokens.member("access_token")),
        ("a refresh token", tokens.member("refresh_token")),
        ("garbage", "garbage".to_owned()),
        ("dots", "..".to_owned()),
    ] {
        for prompt in ["none", "login"] {
            let request = AuthorizationRequest::new(PORTAL)
                .with("id_token_hint", &hint)
                .with("prompt", prompt);
            let result = alice.authorize(&request).await;
            assert_eq!(result.error(), "invalid_request", "{what}");
            assert!(result.pages.is_empty());
        }
    }
}

/// Item 87: RFC 6749 section 4.1.2.1.
#[tokio::test]
async fn declined_consent_redirects_with_access_denied() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    for redirect_uri in [redirect_uri(SHOP), SHOP_WITH_QUERY] {
        let request = AuthorizationRequest::new(SHOP).with("redirect_uri", redirect_uri);
        let result = alice.authorize_with(&request, "alice", "deny").await;
        let location = result.answer.header("location");
        assert!(location.starts_with(redirect_uri), "{location}");
        assert_eq!(
            (
                result.error().as_str(),
                result.redirect().1["state"].as_str()
            ),
            ("access_denied", "st-1")
        );
    }
    // A declined request records no consent.
    let silent = alice
        .authorize(&AuthorizationRequest::new(SHOP).with("prompt", "none"))
        .await;
    assert_eq!(silent.error(), "consent_required");
}
