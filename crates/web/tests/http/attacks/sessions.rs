//! Sessions that were planted, kept or stolen.

use crate::apps::{Ask, PORTAL};
use crate::browser::{Browser, Form};
use crate::house::{House, PASSWORD};
use crate::wire::{Answer, With};

const SESSION: &str = "__Host-grantor-default";
const BEFORE: &str = "__Host-grantor-default-pre";

/// Whether the app is told of somebody in this browser, without a page.
async fn is_signed_in(browser: &mut Browser<'_>) -> bool {
    let trip = browser
        .authorize(&Ask::of(&PORTAL).with("prompt", "none"))
        .await;
    trip.error().is_empty()
}

/// The attacker knows a cookie that the victim's browser has before the sign-in; afterwards it is worth nothing.
#[tokio::test]
async fn session_fixation_no_cookie_from_before_a_sign_in_is_a_session_after_it() {
    let house = House::new().await;
    let attacker = Browser::signed_in(&house, "bob").await;
    let bobs = attacker.cookies[SESSION].clone();
    for planted in [
        bobs.as_str(),
        "grantor_se_x",
        "0123456789abcdef0123456789abcdef",
    ] {
        let mut victim = Browser::new(&house);
        victim
            .cookies
            .insert(SESSION.to_owned(), planted.to_owned());
        let trip = victim
            .authorize_as(
                &Ask::of(&PORTAL).with("prompt", "login"),
                "alice",
                "approve",
            )
            .await;
        let tokens = house.redeem(&PORTAL, &trip.code()).await;
        let userinfo = house.userinfo(&tokens.member("access_token")).await;
        let name = crate::wire::claims(&tokens.member("id_token"))["sub"].clone();
        assert_eq!(userinfo.json()["sub"], name);
        assert_ne!(
            victim.cookies[SESSION], planted,
            "another cookie than the planted one"
        );
        assert!(is_signed_in(&mut victim).await);
        let mut thief = Browser::new(&house);
        thief.cookies.insert(SESSION.to_owned(), planted.to_owned());
        assert!(!is_signed_in(&mut thief).await, "{planted}");
    }
}

/// The cookie before sign-in only binds a form: whoever knows it is not signed in with it.
#[tokio::test]
async fn session_fixation_the_cookie_before_sign_in_signs_nobody_in() {
    let house = House::new().await;
    let mut victim = Browser::new(&house);
    victim.cookies.insert(
        BEFORE.to_owned(),
        "0123456789abcdef0123456789abcdef".to_owned(),
    );
    victim.sign_in("alice", PASSWORD).await;
    assert!(is_signed_in(&mut victim).await);
    let mut attacker = Browser::new(&house);
    attacker.cookies.insert(
        BEFORE.to_owned(),
        "0123456789abcdef0123456789abcdef".to_owned(),
    );
    assert!(!is_signed_in(&mut attacker).await);
    // What has not the look of ours is replaced, and binds nothing.
    for odd in ["x", "0123456789ABCDEF0123456789abcdeg", "\"><script>"] {
        let mut browser = Browser::new(&house);
        browser.cookies.insert(BEFORE.to_owned(), odd.to_owned());
        browser.get("/login").await;
        assert_ne!(browser.cookies[BEFORE], odd);
    }
}

/// RFC 6265bis section 8.7: of two cookies with one name, one was planted.
#[tokio::test]
async fn of_two_session_cookies_neither_is_taken() {
    let house = House::new().await;
    let alice = Browser::signed_in(&house, "alice").await;
    let bob = Browser::signed_in(&house, "bob").await;
    let request = http::Request::get(Ask::of(&PORTAL).with("prompt", "none").path());
    let request = request.body(axum::body::Body::empty()).expect("a request");
    let cookies = format!(
        "{SESSION}={}; {SESSION}={}",
        alice.cookies[SESSION], bob.cookies[SESSION]
    );
    let answer = house.send(request.with("cookie", &cookies)).await;
    assert_eq!(crate::apps::arrived(&answer).1["error"], "login_required");
}

/// A session that was ended agrees to nothing more, wherever its cookie still is.
#[tokio::test]
async fn an_ended_session_agrees_to_nothing_and_gets_no_code() {
    let house = House::new().await;
    let (mut alice, form) = super::asked(&house, "alice", &crate::apps::SHOP).await;
    let kept = alice.cookies.clone();
    let out = Form::of(&alice.get("/logout").await, "/logout");
    alice.submit(out).await;
    super::assert_expired(&alice.submit(form.clone()).await);
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

/// A password typed anew makes a stolen copy of the cookie worthless, for apps too.
#[tokio::test]
async fn a_stolen_cookie_ends_with_the_next_sign_in() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let mut thief = Browser::new(&house);
    thief.cookies = alice.cookies.clone();
    assert!(is_signed_in(&mut thief).await);
    alice
        .authorize(&Ask::of(&PORTAL).with("prompt", "login"))
        .await
        .code();
    assert!(!is_signed_in(&mut thief).await);
    assert!(is_signed_in(&mut alice).await);
}
