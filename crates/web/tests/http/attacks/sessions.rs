//! Sessions that were planted, kept or stolen.

use grantor_testkit::server::{Answer, Browser, Form, TestServer, With as _, claims, redirect_of};
use grantor_testkit::{AuthorizationRequest, PORTAL, SHOP};

const SESSION: &str = "__Host-grantor-3d38e146cf9f";
const BEFORE: &str = "__Host-grantor-3d38e146cf9f-pre";

/// Whether the app gets a code in this browser without a page.
async fn is_signed_in(browser: &mut Browser<'_>) -> bool {
    let result = browser
        .authorize(&AuthorizationRequest::new(PORTAL).with("prompt", "none"))
        .await;
    result.error().is_empty()
}

/// The attacker knows a cookie that the victim's browser has before the sign-in; it is invalid afterwards.
#[tokio::test]
async fn session_fixation_no_cookie_from_before_a_sign_in_is_a_session_after_it() {
    let server = TestServer::new().await;
    let attacker = server.signed_in("bob").await;
    let bobs = attacker.cookies[SESSION].clone();
    for planted in [
        bobs.as_str(),
        "grantor_se_x",
        "0123456789abcdef0123456789abcdef",
    ] {
        let mut victim = server.browser();
        victim
            .cookies
            .insert(SESSION.to_owned(), planted.to_owned());
        let result = victim
            .authorize_with(
                &AuthorizationRequest::new(PORTAL).with("prompt", "login"),
                "alice",
                "approve",
            )
            .await;
        let tokens = server.redeem(PORTAL, &result.code()).await;
        let userinfo = server.userinfo(&tokens.member("access_token")).await;
        let name = claims(&tokens.member("id_token"))["sub"].clone();
        assert_eq!(userinfo.json()["sub"], name);
        assert_ne!(
            victim.cookies[SESSION], planted,
            "another cookie than the planted one"
        );
        assert!(is_signed_in(&mut victim).await);
        let mut thief = server.browser();
        thief.cookies.insert(SESSION.to_owned(), planted.to_owned());
        assert!(!is_signed_in(&mut thief).await, "{planted}");
    }
}

/// The cookie before sign-in only binds a form: it is not a session.
#[tokio::test]
async fn session_fixation_the_cookie_before_sign_in_is_not_a_session() {
    let server = TestServer::new().await;
    let mut victim = server.browser();
    victim.cookies.insert(
        BEFORE.to_owned(),
        "0123456789abcdef0123456789abcdef".to_owned(),
    );
    victim.sign_in("alice", "alice-password").await;
    assert!(is_signed_in(&mut victim).await);
    let mut attacker = server.browser();
    attacker.cookies.insert(
        BEFORE.to_owned(),
        "0123456789abcdef0123456789abcdef".to_owned(),
    );
    assert!(!is_signed_in(&mut attacker).await);
    // A value that does not look like ours is replaced, and binds nothing.
    for odd in ["x", "0123456789ABCDEF0123456789abcdeg", "\"><script>"] {
        let mut browser = server.browser();
        browser.cookies.insert(BEFORE.to_owned(), odd.to_owned());
        browser.get("/login").await;
        assert_ne!(browser.cookies[BEFORE], odd);
    }
}

/// RFC 6265bis section 8.7: of two cookies with one name, one was planted.
#[tokio::test]
async fn two_session_cookies_are_ignored() {
    let server = TestServer::new().await;
    let alice = server.signed_in("alice").await;
    let bob = server.signed_in("bob").await;
    let request = http::Request::get(
        AuthorizationRequest::new(PORTAL)
            .with("prompt", "none")
            .path(),
    );
    let request = request.body(axum::body::Body::empty()).expect("a request");
    let cookies = format!(
        "{SESSION}={}; {SESSION}={}",
        alice.cookies[SESSION], bob.cookies[SESSION]
    );
    let answer = server.send(request.with("cookie", &cookies)).await;
    assert_eq!(redirect_of(&answer).1["error"], "login_required");
}

/// A session that was ended gives no consent, wherever its cookie still is.
#[tokio::test]
async fn an_ended_session_cannot_consent_and_gets_no_code() {
    let server = TestServer::new().await;
    let (mut alice, form) = super::consent_form(&server, "alice", SHOP).await;
    let kept = alice.cookies.clone();
    let out = Form::of(&alice.get("/logout").await, "/logout");
    alice.submit(out).await;
    super::assert_unanswered(&alice.submit(form.clone()).await);
    alice.cookies = kept;
    assert!(!is_signed_in(&mut alice).await);
    assert_asks_to_sign_in(&alice.submit(form).await);
}

fn assert_asks_to_sign_in(answer: &Answer) {
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(
        answer.header("location").starts_with("/login?"),
        "{answer:?}"
    );
}

/// A repeated sign-in makes a stolen copy of the cookie useless, for apps too.
#[tokio::test]
async fn a_stolen_cookie_ends_with_the_next_sign_in() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let mut thief = server.browser();
    thief.cookies = alice.cookies.clone();
    assert!(is_signed_in(&mut thief).await);
    alice
        .authorize(&AuthorizationRequest::new(PORTAL).with("prompt", "login"))
        .await
        .code();
    assert!(!is_signed_in(&mut thief).await);
    assert!(is_signed_in(&mut alice).await);
}
