//! Forms are accepted only if they were made for this browser and this action; a GET changes nothing.

use grantor_testkit::encoded;
use grantor_testkit::server::{Answer, Form, TestServer, refused};

use crate::assert_begins_again;

/// The sign-in form again: its password was not looked at.
fn assert_asks_again(page: &Answer) {
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.body.contains("value=\"sign-in\""), "{page:?}");
    assert!(!page.body.contains("bob-password"), "{page:?}");
}

/// Nothing was decided.
fn assert_undecided(page: &Answer) {
    assert_begins_again(page, "/device/decision");
}

#[tokio::test]
async fn an_approval_form_without_its_own_token_approves_nothing() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    let mut bob = server.signed_in("bob").await;
    let asked = alice.type_code(&codes.user).await;
    let form = Form::of(&asked, "/device/decision").fill("decision", "approve");
    let bobs = Form::of(&bob.type_code(&codes.user).await, "/device/decision");
    let of_code_form = Form::of(&alice.get("/device").await, "/device");
    let other = server.device_codes("tv").await;
    let of_other_grant = Form::of(&alice.type_code(&other.user).await, "/device/decision");

    let mut without = form.clone();
    without.fields.remove("form_token");
    assert_undecided(&alice.submit(without).await);
    for token in [
        "",
        "x",
        &bobs.fields["form_token"],
        &of_code_form.fields["form_token"],
        &of_other_grant.fields["form_token"],
    ] {
        assert_undecided(&alice.submit(form.clone().fill("form_token", token)).await);
    }
    // Our form, in a browser without the session.
    assert_undecided(&server.browser().submit(form.clone()).await);
    assert_undecided(&bob.submit(form.clone()).await);
    assert_eq!(
        server.poll(&codes).await.error(),
        refused(400, "authorization_pending")
    );
    let done = alice.submit_and_follow(form).await;
    assert!(
        done.body.contains("id=\"done\""),
        "the rightful form still works"
    );
}

#[tokio::test]
async fn a_foreign_form_cannot_sign_in_or_out() {
    let server = TestServer::new().await;
    let (mut victim, mut attacker) = (server.browser(), server.browser());
    victim.get("/login").await;
    let attackers = Form::of(&attacker.get("/login").await, "/login");
    let foreign = attackers
        .fill("username", "bob")
        .fill("password", "bob-password");
    assert_asks_again(&victim.submit(foreign).await);
    assert!(!victim.cookies.contains_key("__Host-grantor-3d38e146cf9f"));

    let mut alice = server.signed_in("alice").await;
    let mut bob = server.signed_in("bob").await;
    let bobs = Form::of(&bob.get("/logout").await, "/logout");
    assert_begins_again(&alice.submit(bobs).await, "/logout");
    assert!(
        alice.get("/").await.body.contains("alice"),
        "still signed in"
    );
}

#[tokio::test]
async fn a_code_is_looked_up_by_our_form_only() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    let form = Form::of(&alice.get("/device").await, "/device").fill("user_code", &codes.user);
    assert_begins_again(&alice.submit(form.fill("form_token", "x")).await, "/device");
}

#[tokio::test]
async fn a_get_changes_nothing_whatever_it_says() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    let asked = Form::of(&alice.type_code(&codes.user).await, "/device/decision");
    let query = encoded(&[
        ("user_code", &codes.user),
        ("decision", "approve"),
        ("grant", &asked.fields["grant"]),
        ("form_token", &asked.fields["form_token"]),
    ]);
    for path in ["/device", "/device/decision", "/logout", "/login", "/"] {
        alice.get(&format!("{path}?{query}")).await;
    }
    assert_eq!(
        server.poll(&codes).await.error(),
        refused(400, "authorization_pending")
    );
    assert!(
        alice.get("/").await.body.contains("alice"),
        "still signed in"
    );
}

#[tokio::test]
async fn a_decision_is_approve_or_deny_and_nothing_else() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    let form = Form::of(&alice.type_code(&codes.user).await, "/device/decision");
    assert_eq!(
        alice.submit(form.clone()).await.status,
        400,
        "no button, no decision"
    );
    assert_eq!(alice.submit(form.fill("decision", "yes")).await.status, 400);
    assert_eq!(
        server.poll(&codes).await.error(),
        refused(400, "authorization_pending")
    );
}

#[tokio::test]
async fn session_fixation_a_cookie_from_before_the_sign_in_is_invalid_after_it() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let planted = alice.cookies.clone();
    alice.sign_in("alice", "alice-password").await;
    assert_ne!(
        alice.cookies, planted,
        "signing in again gives another cookie"
    );
    let mut attacker = server.browser();
    attacker.cookies = planted;
    assert_eq!(
        attacker.get("/device").await.status,
        303,
        "the old one is no session"
    );
}

#[tokio::test]
async fn a_session_ends_at_sign_out_and_its_cookie_with_it() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let kept = alice.cookies.clone();
    let form = Form::of(&alice.get("/logout").await, "/logout");
    let out = alice.submit(form).await;
    assert_eq!(out.status, 200);
    assert!(!alice.cookies.contains_key("__Host-grantor-3d38e146cf9f"));
    alice.cookies = kept;
    assert_eq!(alice.get("/device").await.status, 303);
}
