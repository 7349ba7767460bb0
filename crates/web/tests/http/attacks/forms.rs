//! Forged forms (RFC 9700 section 4.7, RFC 6749 section 10.12): a POST counts only with our form, for this browser and this
//! very request.

use grantor_testkit::server::{Answer, Form, TestServer, post, redirect_of};
use grantor_testkit::{AUTHORIZE, AuthorizationRequest, FORUM, PORTAL, SHOP, SPA, client, scope};

/// The token of the sign-out form on a page.
fn sign_out_token(page: &Answer) -> String {
    Form::of(page, "/logout").fields["form_token"].clone()
}

#[tokio::test]
async fn a_consent_form_without_its_own_token_gives_no_consent() {
    let server = TestServer::new().await;
    let (mut alice, form) = super::consent_form(&server, "alice", SHOP).await;
    let (_, bobs) = super::consent_form(&server, "bob", SHOP).await;
    let (_, of_another_session) = super::consent_form(&server, "alice", SHOP).await;
    let of_another_request = alice
        .consent_form(&AuthorizationRequest::new(SHOP).with("scope", "openid email"))
        .await;
    let of_another_app = alice.consent_form(&AuthorizationRequest::new(SPA)).await;
    let sign_out = sign_out_token(&alice.get("/logout").await);
    let sign_in = Form::of(&alice.get("/login").await, "/login").fields["form_token"].clone();

    let mut without = form.clone();
    without.fields.remove("form_token");
    super::assert_unanswered(&alice.submit(without).await);
    for token in [
        "",
        "x",
        &bobs.fields["form_token"],
        &of_another_session.fields["form_token"],
        &of_another_request.fields["form_token"],
        &of_another_app.fields["form_token"],
        &sign_out,
        &sign_in,
    ] {
        for decision in ["approve", "deny"] {
            let forged = form
                .clone()
                .fill("form_token", token)
                .fill("decision", decision);
            super::assert_unanswered(&alice.submit(forged).await);
        }
    }
    // Our form, in a browser without the session, or with another.
    super::assert_unanswered(&server.browser().submit(form.clone()).await);
    let mut bob = server.signed_in("bob").await;
    super::assert_unanswered(&bob.submit(form.clone()).await);
    let silent = alice
        .authorize(&AuthorizationRequest::new(SHOP).with("prompt", "none"))
        .await;
    assert_eq!(silent.error(), "consent_required", "nothing was agreed to");
    assert!(
        redirect_of(&alice.submit(form).await)
            .1
            .contains_key("code"),
        "the rightful form works"
    );
}

/// What was shown is what is agreed to.
#[tokio::test]
async fn a_consent_form_is_valid_for_the_shown_request_only() {
    let server = TestServer::new().await;
    let (mut alice, form) = super::consent_form(&server, "alice", SHOP).await;
    let request = &form.fields["request"];
    for changed in [
        request.replace("scope=openid", "scope=openid+email+offline_access"),
        request.replace("state=st-1", "state=st-2"),
        request.replace("client_id=shop", "client_id=spa"),
        format!("{request}&response_mode=form_post"),
        format!("{request}&"),
        format!("&{request}"),
        request.replace("nonce", "no%6ece"),
        String::new(),
    ] {
        assert_ne!(&changed, request);
        let form = form.clone().fill("request", &changed);
        super::assert_unanswered(&alice.submit(form).await);
    }
}

/// A decision is one of two values.
#[tokio::test]
async fn a_consent_form_without_a_decision_gives_no_consent() {
    let server = TestServer::new().await;
    let (mut alice, mut form) = super::consent_form(&server, "alice", SHOP).await;
    for decision in ["", "yes", "APPROVE", "approve deny"] {
        let page = alice.submit(form.clone().fill("decision", decision)).await;
        crate::authorize::assert_stays(&page, 400);
    }
    form.fields.remove("decision");
    crate::authorize::assert_stays(&alice.submit(form).await, 400);
}

#[tokio::test]
async fn a_get_of_the_consent_form_gives_no_consent() {
    let server = TestServer::new().await;
    let (mut alice, form) = super::consent_form(&server, "alice", SHOP).await;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&form.fields)
        .finish();
    assert_eq!(alice.get(&format!("/consent?{query}")).await.status, 405);
    // The fields of the form mean nothing to the endpoint itself, by either method.
    let at_authorize = format!(
        "{}&form_token={}&decision=approve",
        AuthorizationRequest::new(SHOP).path(),
        form.fields["form_token"]
    );
    let page = alice.get(&at_authorize).await;
    assert!(page.body.contains("value=\"approve\""), "it asks: {page:?}");
    let authorization = AuthorizationRequest::new(SHOP)
        .and("decision", "approve")
        .and("form_token", &form.fields["form_token"]);
    let pairs: Vec<_> = authorization
        .0
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let posted = alice.send(post(AUTHORIZE, &pairs)).await;
    assert!(posted.body.contains("value=\"approve\""), "{posted:?}");
}

/// RFC 9700 section 4.7: signing a victim's browser in as the attacker ("login CSRF") takes a form of ours, too.
#[tokio::test]
async fn a_sign_in_for_an_app_needs_a_form_of_this_browser() {
    let server = TestServer::new().await;
    let to_login = server
        .browser()
        .get(&AuthorizationRequest::new(SPA).path())
        .await;
    let location = to_login.header("location").to_owned();
    let (mut victim, mut attacker) = (server.browser(), server.browser());
    let own = Form::of(&victim.get(&location).await, "/login");
    let attackers = Form::of(&attacker.get(&location).await, "/login");
    let mut without = own.clone();
    without.fields.remove("form_token");
    let mut alice = server.signed_in("alice").await;
    let sign_out = sign_out_token(&alice.get("/logout").await);
    for forged in [
        attackers.clone(),
        without,
        own.clone().fill("form_token", &sign_out),
    ] {
        let forged = forged
            .fill("username", "bob")
            .fill("password", "bob-password");
        let page = victim.submit(forged).await;
        assert_eq!(page.status, 403, "{page:?}");
        assert!(page.body.contains("value=\"sign-in\""), "{page:?}");
        assert!(!victim.cookies.contains_key("__Host-grantor-3d38e146cf9f"));
    }
    // A browser that never saw the form is refused too.
    let filled = own.fill("username", "bob").fill("password", "bob-password");
    let page = server.browser().submit(filled).await;
    assert_eq!(page.status, 403, "{page:?}");
    assert!(
        page.body.contains("Allow cookies for this site"),
        "{page:?}"
    );
}

/// The request is checked again when the form comes back: scopes that the client lost are not given.
#[tokio::test]
async fn a_consent_form_is_checked_against_the_configuration_when_it_is_sent() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let authorization = AuthorizationRequest::new(SHOP).with("scope", "openid email");
    let form = alice
        .consent_form(&authorization)
        .await
        .fill("decision", "approve");
    let later = server.restarted(|realm| client(realm, "shop").scopes = scope("openid"));
    let mut at_later = later.browser();
    at_later.cookies = alice.cookies.clone();
    let answer = at_later.submit_and_follow(form.clone()).await;
    // The page showed another scope than what is left now, so she is asked again.
    Form::of(&answer, "/consent");
    let disabled = server.restarted(|realm| client(realm, "shop").enabled = false);
    let mut at_disabled = disabled.browser();
    at_disabled.cookies = alice.cookies;
    crate::authorize::assert_stays(&at_disabled.submit(form).await, 400);
}

/// Consent for one client, user or scope does not cover another.
#[tokio::test]
async fn consent_is_remembered_for_one_user_one_client_and_these_scopes() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    alice
        .authorize(&AuthorizationRequest::new(SHOP).with("scope", "openid email"))
        .await
        .code();
    let silent = |authorization: AuthorizationRequest| authorization.with("prompt", "none");
    for fewer in ["openid", "email openid", "openid email"] {
        alice
            .authorize(&silent(
                AuthorizationRequest::new(SHOP).with("scope", fewer),
            ))
            .await
            .code();
    }
    let mut bob = server.signed_in("bob").await;
    assert_eq!(
        bob.authorize(&silent(AuthorizationRequest::new(SHOP)))
            .await
            .error(),
        "consent_required"
    );
    for app in [SPA, FORUM] {
        assert_eq!(
            alice
                .authorize(&silent(AuthorizationRequest::new(app)))
                .await
                .error(),
            "consent_required"
        );
    }
    let more = silent(AuthorizationRequest::new(SHOP).with("scope", "openid email offline_access"));
    assert_eq!(alice.authorize(&more).await.error(), "consent_required");
    // A client that skips consent records none.
    alice
        .authorize(&AuthorizationRequest::new(PORTAL))
        .await
        .code();
    assert_eq!(
        bob.authorize(&silent(AuthorizationRequest::new(SHOP)))
            .await
            .error(),
        "consent_required"
    );
}
