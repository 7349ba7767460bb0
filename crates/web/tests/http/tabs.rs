//! Several tabs of one browser, old pages, and browsers without cookies: nothing that knows where it was going ends there.

use std::time::Duration;

use grantor_core::engine::event::EventKind;
use grantor_testkit::server::{Browser, Form, TestServer, With as _, post, redirect_of};
use grantor_testkit::{AuthorizationRequest, FORUM, PORTAL, SHOP, SITE, SPA, redirect_uri};

const SESSION: &str = "__Host-grantor-3d38e146cf9f";
const PRE_SESSION: &str = "__Host-grantor-3d38e146cf9f-pre";
const EIGHT_HOURS: Duration = Duration::from_secs(8 * 60 * 60);

/// The sign-in form that a request leads to, filled in.
async fn sign_in_form(browser: &mut Browser<'_>, request: &AuthorizationRequest) -> Form {
    let to_login = browser.get(&request.path()).await;
    let page = browser.get(to_login.header("location")).await;
    Form::of(&page, "/login")
        .fill("username", "alice")
        .fill("password", "alice-password")
}

#[tokio::test]
async fn the_first_sign_in_of_five_tabs_serves_all_five_apps() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let apps = [SPA, SHOP, PORTAL, FORUM, SITE];
    let mut tabs = Vec::new();
    for app in apps {
        tabs.push(sign_in_form(&mut alice, &AuthorizationRequest::new(app)).await);
    }
    let mut session = None;
    for (app, form) in apps.into_iter().zip(tabs) {
        let answer = alice.submit(form).await;
        // No other password is looked at.
        let cookie = alice.cookies[SESSION].clone();
        assert_eq!(session.get_or_insert(cookie.clone()), &cookie);
        let result = alice.follow(answer, "alice", "approve").await;
        assert!(!result.pages.contains(&"login"), "{app}: {result:?}");
        let (to, params) = result.redirect();
        assert_eq!(to, redirect_uri(app));
        assert!(params.contains_key("code"), "{params:?}");
    }
    let events = server.take_events();
    let sign_ins = events
        .iter()
        .filter(|(_, kind)| *kind == EventKind::SignedIn);
    assert_eq!(sign_ins.count(), 1);
}

#[tokio::test]
async fn a_stale_form_whose_request_needs_its_own_sign_in_comes_back_filled_in() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let request = AuthorizationRequest::new(PORTAL).with("prompt", "login");
    let form = sign_in_form(&mut alice, &request).await;
    let other = sign_in_form(&mut alice, &AuthorizationRequest::new(SPA)).await;
    alice.submit(other).await;
    let page = alice.submit(form).await;
    assert_eq!(page.status, 403);
    assert!(
        page.body.contains("Please enter your password again"),
        "{page:?}"
    );
    assert!(page.body.contains("value=\"alice\""), "{page:?}");
    assert!(!page.body.contains("alice-password"), "{page:?}");
    let result = alice.follow(page, "alice", "approve").await;
    assert_eq!(result.pages, ["login"]);
    result.code();
}

/// Somebody else signed in in another tab: whoever filled in this form must not go on as them.
#[tokio::test]
async fn a_stale_form_of_another_user_comes_back_instead_of_going_on() {
    let server = TestServer::new().await;
    let mut browser = server.browser();
    let form = sign_in_form(&mut browser, &AuthorizationRequest::new(PORTAL)).await;
    let other = sign_in_form(&mut browser, &AuthorizationRequest::new(SPA)).await;
    let other = other
        .fill("username", "bob")
        .fill("password", "bob-password");
    browser.submit(other).await;
    let page = browser.submit(form).await;
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.body.contains("value=\"alice\""), "{page:?}");
    browser.follow(page, "alice", "approve").await.code();
}

/// The form is older than its token lives, and nobody is signed in.
#[tokio::test]
async fn an_old_sign_in_form_comes_back_and_signs_in() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let form = sign_in_form(&mut alice, &AuthorizationRequest::new(PORTAL)).await;
    server.advance(EIGHT_HOURS);
    let page = alice.submit(form).await;
    assert_eq!(page.status, 403);
    assert!(
        !alice.cookies.contains_key(SESSION),
        "its password was not looked at"
    );
    alice.follow(page, "alice", "approve").await.code();
}

#[tokio::test]
async fn a_browser_without_cookies_is_told_so_and_goes_on_once_it_has_them() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let form = sign_in_form(&mut alice, &AuthorizationRequest::new(PORTAL)).await;
    alice.cookies.clear();
    let page = alice.submit(form.clone()).await;
    assert_eq!(page.status, 403);
    assert!(
        page.body.contains("Allow cookies for this site"),
        "{page:?}"
    );
    assert!(page.body.contains("value=\"alice\""), "{page:?}");
    alice.follow(page, "alice", "approve").await.code();
    // One of our cookies is enough to know that cookies come.
    alice.cookies.retain(|name, _| name.ends_with("-known"));
    let page = alice.submit(form).await;
    assert!(
        page.body.contains("Please enter your password again"),
        "{page:?}"
    );
}

/// Login CSRF: another site's form signs no one in, and tells nothing of who is signed in.
#[tokio::test]
async fn another_sites_sign_in_form_begins_again_without_a_look_at_it() {
    let server = TestServer::new().await;
    let mut attacker = server.browser();
    let form = sign_in_form(&mut attacker, &AuthorizationRequest::new(PORTAL)).await;
    let pairs: Vec<_> = form
        .fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    // The browser adds no SameSite cookie.
    let forged = post("/login", &pairs).with("sec-fetch-site", "cross-site");
    let answer = server.send(forged).await;
    crate::assert_begins_again(&answer, "/login");
    // Where it does, as for a form of a sibling site, it is as stale as any other.
    let mut victim = server.signed_in("bob").await;
    let cookies = victim.cookies.clone();
    for mut forged in [
        form.clone(),
        form.clone().fill("return_to", "https://evil.example/"),
    ] {
        forged
            .fields
            .insert("username".to_owned(), "alice".to_owned());
        let answer = victim.submit(forged).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(!answer.body.contains("evil.example"), "{answer:?}");
        let kept = victim.cookies.get(SESSION) == cookies.get(SESSION);
        assert!(kept, "bob's session, and no other");
    }
}

/// Whoever plants a pre-session cookie has a form for it; but it is gone with the sign-in, and no session comes of it.
#[tokio::test]
async fn a_planted_pre_session_cookie_fixes_no_session() {
    let server = TestServer::new().await;
    let (mut attacker, mut victim) = (server.browser(), server.browser());
    let attackers = sign_in_form(&mut attacker, &AuthorizationRequest::new(PORTAL)).await;
    victim.cookies.clone_from(&attacker.cookies);
    let form = sign_in_form(&mut victim, &AuthorizationRequest::new(PORTAL)).await;
    victim.submit(form).await;
    assert!(!victim.cookies.contains_key(PRE_SESSION));
    assert!(
        attacker
            .get("/account")
            .await
            .header("location")
            .starts_with("/login")
    );
    // Planted again, it is a cookie that a form of the attacker's fits: that signs in with what it holds, in a session of its
    // own, and the planted cookie goes.
    victim.cookies.insert(
        PRE_SESSION.to_owned(),
        attacker.cookies[PRE_SESSION].clone(),
    );
    let session = victim.cookies[SESSION].clone();
    victim.submit(attackers).await;
    assert_ne!(victim.cookies[SESSION], session);
    assert!(!victim.cookies.contains_key(PRE_SESSION));
}

#[tokio::test]
async fn stale_forms_of_consent_device_logout_and_account_lead_to_where_they_were_going() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    let consent = alice.consent_form(&AuthorizationRequest::new(SHOP)).await;
    let code = Form::of(&alice.get("/device").await, "/device").fill("user_code", &codes.user);
    let device = Form::of(&alice.type_code(&codes.user).await, "/device/decision");
    let logout = Form::of(&alice.get("/oauth2/logout?client_id=shop").await, "/logout");
    let account = Form::of(&alice.get("/account").await, "/account/everywhere");
    // Someone else signs in in another tab.
    alice.sign_in("bob", "bob-password").await;
    for decision in ["approve", "deny"] {
        let page = alice
            .submit_and_follow(consent.clone().fill("decision", decision))
            .await;
        assert!(page.body.contains("action=\"/consent\""), "{page:?}");
        assert!(page.body.contains("bob"), "{page:?}");
        let filled_in = format!("value=\"{}\"", codes.user);
        let typed = device.clone().fill("user_code", &codes.user);
        let page = alice
            .submit_and_follow(typed.fill("decision", decision))
            .await;
        assert!(page.body.contains(&filled_in), "{page:?}");
        let page = alice
            .submit_and_follow(device.clone().fill("decision", decision))
            .await;
        assert!(page.body.contains("id=\"user_code\""), "{page:?}");
        let page = alice.submit_and_follow(code.clone()).await;
        assert!(page.body.contains(&filled_in), "{page:?}");
    }
    let page = alice.submit_and_follow(logout).await;
    assert!(page.body.contains("is asking you to sign out"), "{page:?}");
    let page = alice.submit_and_follow(account).await;
    assert!(page.body.contains("so nothing was changed"), "{page:?}");
    assert!(
        server.poll(&codes).await.status == 400,
        "nothing was decided"
    );
}

/// RFC 8628 section 3.3, and a person who presses Reload, Back, or the button twice.
#[tokio::test]
async fn a_decision_sent_again_shows_what_was_decided() {
    let server = TestServer::new().await;
    for (decision, shown) in [("approve", "Device connected"), ("deny", "Request denied")] {
        let codes = server.device_codes("tv").await;
        let mut alice = server.signed_in("alice").await;
        let code = Form::of(&alice.get("/device").await, "/device").fill("user_code", &codes.user);
        let asked = alice.submit(code.clone()).await;
        let form = Form::of(&asked, "/device/decision").fill("decision", decision);
        let answer = alice.submit(form.clone()).await;
        let done = answer.header("location").to_owned();
        for other in [decision, "approve", "deny"] {
            for page in [
                alice.get(&done).await,
                alice
                    .submit_and_follow(form.clone().fill("decision", other))
                    .await,
                // The page of before, which browsers send again.
                alice.submit_and_follow(code.clone()).await,
            ] {
                assert_eq!(page.status, 200, "{page:?}");
                assert!(page.body.contains(shown), "{page:?}");
            }
        }
        server.poll(&codes).await;
        assert!(
            alice.get(&done).await.body.contains(shown),
            "after the device came for it, too"
        );
        // Of others it tells nothing.
        let mut bob = server.signed_in("bob").await;
        crate::assert_begins_again(&bob.get(&done).await, "/device");
        let page = bob.type_code(&codes.user).await;
        assert_eq!(page.status, 400);
        assert!(!page.body.contains("The tv"), "{page:?}");
        assert!(
            server
                .browser()
                .get(&done)
                .await
                .header("location")
                .starts_with("/login?")
        );
    }
}

#[tokio::test]
async fn a_sign_out_sent_again_says_that_the_user_is_signed_out() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for address in ["/logout", "/oauth2/logout?client_id=shop"] {
        alice.sign_in("alice", "alice-password").await;
        let form = Form::of(&alice.get(address).await, "/logout");
        let first = alice.submit(form.clone()).await;
        let again = alice.submit_and_follow(form).await;
        for page in [first, again] {
            assert_eq!(page.status, 200, "{page:?}");
            assert!(page.body.contains("id=\"signed-out\""), "{page:?}");
        }
    }
}

/// Back from the app, or a second press of the button: a code again, and no error.
#[tokio::test]
async fn a_consent_sent_again_leads_to_the_app_again() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let form = alice.consent_form(&AuthorizationRequest::new(SHOP)).await;
    let form = form.fill("decision", "approve");
    let first = redirect_of(&alice.submit(form.clone()).await).1["code"].clone();
    let second = redirect_of(&alice.submit(form).await).1["code"].clone();
    assert_ne!(first, second);
}
