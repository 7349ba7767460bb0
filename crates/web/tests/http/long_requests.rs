//! Requests that are too long for an address, and those that another site sends by POST.

use grantor_testkit::server::{Answer, Browser, Form, TestServer, With as _, post, redirect_of};
use grantor_testkit::{
    AUTHORIZE, AuthorizationRequest, NATIVE, PORTAL, SHOP, client, encoded, redirect_uri,
};

const LOGOUT: &str = "/oauth2/logout";
/// What the form of a page that sends itself goes to.
const AGAIN: &str = "/oauth2/authorize?sent-itself";
const LOGOUT_AGAIN: &str = "/oauth2/logout?sent-itself";
const BYE: &str = "https://shop.example.com/bye";

/// Sends a form as a browser does from another site: without `SameSite` cookies.
async fn from_another_site(server: &TestServer, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let request = post(path, pairs).with("sec-fetch-site", "cross-site");
    server.send(request).await
}

/// Sends the form of a page that sends itself, as its script does.
async fn send_itself(browser: &mut Browser<'_>, page: &Answer, action: &str) -> Answer {
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("assets&#x2f;submit-"), "{page:?}");
    let form = Form::of(page, action);
    let pairs: Vec<_> = form
        .fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let request = post(action, &pairs).with("sec-fetch-site", "same-origin");
    browser.send(request).await
}

/// 7 KiB.
fn long(app: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(app).with("x-long", &"s".repeat(7 * 1024))
}

fn assert_short(answer: &Answer) {
    assert!(answer.header("location").len() <= 2048, "{answer:?}");
}

/// By way of sign-in and consent, none of our redirects is longer than 2 KiB, and no page with a password is sent on.
#[tokio::test]
async fn a_long_request_reaches_its_app_by_short_redirects() {
    let server = TestServer::new().await;
    let request = long(SHOP);
    for by_post in [false, true] {
        let mut alice = server.browser();
        let page = match by_post {
            false => alice.get(&request.path()).await,
            true => {
                let page = from_another_site(&server, AUTHORIZE, &request.pairs()).await;
                send_itself(&mut alice, &page, AGAIN).await
            }
        };
        assert_eq!((page.status, page.header("location")), (200, ""));
        let form = Form::of(&page, "/login").fill("username", "alice");
        let wrong = alice.submit(form.clone().fill("password", "wrong")).await;
        assert_eq!(wrong.status, 400);
        let form = Form::of(&wrong, "/login").fill("username", "alice");
        let signed_in = alice.submit(form.fill("password", "alice-password")).await;
        assert_short(&signed_in);
        let mut page = signed_in;
        if by_post {
            // The consent of before is remembered: no page stands between the form and the app.
            assert_eq!(redirect_of(&page).0, redirect_uri(SHOP));
            continue;
        }
        assert!(!Form::of(&page, AGAIN).fields.contains_key("password"));
        page = send_itself(&mut alice, &page, AGAIN).await;
        let form = Form::of(&page, "/consent").fill("decision", "approve");
        let answer = alice.submit(form.clone()).await;
        assert_eq!(redirect_of(&answer).0, redirect_uri(SHOP));
        // A stale form of a long request begins again, too.
        let stale = alice.submit(form.fill("form_token", "x")).await;
        assert_short(&stale);
        let again = send_itself(&mut alice, &stale, AGAIN).await;
        assert_eq!(redirect_of(&again).0, redirect_uri(SHOP));
    }
}

/// `prompt=login` and a stale form: the sign-in counts, whatever the length.
#[tokio::test]
async fn a_long_request_that_demands_a_sign_in_gets_it_once() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let request = long(PORTAL).with("prompt", "login");
    let result = alice.authorize(&request).await;
    assert_eq!(result.pages, ["login"]);
    result.code();
}

#[tokio::test]
async fn a_post_of_another_site_comes_again_with_the_session() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let code = alice
        .authorize(&AuthorizationRequest::new(PORTAL))
        .await
        .code();
    let hint = server.redeem(PORTAL, &code).await.member("id_token");
    let request = AuthorizationRequest::new(PORTAL)
        .with("prompt", "none")
        .with("id_token_hint", &hint)
        .with("x-long", &"s".repeat(6 * 1024));
    let page = from_another_site(&server, AUTHORIZE, &request.pairs()).await;
    let answer = send_itself(&mut alice, &page, AGAIN).await;
    let (to, params) = redirect_of(&answer);
    assert_eq!(
        (to.as_str(), params.contains_key("code")),
        (redirect_uri(PORTAL), true)
    );
    // Without a session it comes once, not for ever; also of a browser that does not say from where.
    let mut nobody = server.browser();
    let page = nobody.send(post(AUTHORIZE, &request.pairs())).await;
    let form = Form::of(&page, AGAIN);
    let pairs: Vec<_> = form
        .fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let answer = nobody.send(post(AGAIN, &pairs)).await;
    assert_eq!(redirect_of(&answer).1["error"], "login_required");
}

#[tokio::test]
async fn a_sign_out_of_another_site_by_post_with_a_long_hint_is_asked_about() {
    let server = TestServer::with(|realm| {
        client(realm, "shop").logout.redirect_uris = vec![BYE.parse().expect("a URI")];
    })
    .await;
    let mut alice = server.signed_in("alice").await;
    let code = alice
        .authorize(&AuthorizationRequest::new(SHOP))
        .await
        .code();
    let hint = server.redeem(SHOP, &code).await.member("id_token");
    let long = "s".repeat(6 * 1024);
    let pairs = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", BYE),
        ("state", "s"),
        ("x-long", &long),
    ];
    let page = from_another_site(&server, LOGOUT, &pairs).await;
    let asked = send_itself(&mut alice, &page, LOGOUT_AGAIN).await;
    assert!(asked.body.contains("Sign out?"), "{asked:?}");
    let signed_out = alice.submit(Form::of(&asked, "/logout")).await;
    assert_eq!(signed_out.header("location"), format!("{BYE}?state=s"));
    // Signed out already, the hint is enough.
    let again = send_itself(&mut alice, &page, LOGOUT_AGAIN).await;
    assert_eq!(again.header("location"), format!("{BYE}?state=s"));
}

/// The page that sends itself is made without a look at the session, so it tells no site who is signed in; and what it sends
/// decides nothing.
#[tokio::test]
async fn a_page_that_sends_itself_is_no_oracle_and_no_confused_deputy() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let consent = alice.consent_form(&AuthorizationRequest::new(SHOP)).await;
    let sign_out = Form::of(&alice.get("/logout").await, "/logout");
    let mut forged = AuthorizationRequest::new(SHOP);
    for (name, value) in consent.fields.iter().chain(&sign_out.fields) {
        forged = forged.with(name, value);
    }
    let forged = forged
        .with("decision", "approve")
        .with("button", "sign-out")
        // A request object would be refused.
        .without("request");
    for (path, action) in [(AUTHORIZE, AGAIN), (LOGOUT, LOGOUT_AGAIN)] {
        // Nothing is read.
        server.store.set_down(true);
        let page = from_another_site(&server, path, &forged.pairs()).await;
        let with_cookies = post(path, &forged.pairs()).with("sec-fetch-site", "cross-site");
        let same = alice.send(with_cookies).await;
        assert_eq!(page.body, same.body);
        server.store.set_down(false);
        assert_eq!(page.header("set-cookie"), "");
        assert_eq!(page.header("x-frame-options"), "DENY");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("script-src 'self'"));
        let answer = send_itself(&mut alice, &page, action).await;
        assert!(answer.body.contains("value=\"approve\"") || answer.body.contains("Sign out?"));
    }
    assert!(
        alice.get("/").await.body.contains("alice"),
        "still signed in"
    );
    let silent = AuthorizationRequest::new(SHOP).with("prompt", "none");
    assert_eq!(alice.authorize(&silent).await.error(), "consent_required");
}

/// Where the form's answer may redirect, a page that sends itself allows; where the request is not proven, nowhere.
#[tokio::test]
async fn a_page_that_sends_itself_leads_where_its_request_may() {
    let server = TestServer::new().await;
    for (request, expected) in [
        (
            AuthorizationRequest::new(SHOP),
            "form-action 'self' https:;",
        ),
        (
            AuthorizationRequest::new(NATIVE).with("redirect_uri", "com.example.native:/cb"),
            "form-action 'self' https: com.example.native:;",
        ),
        (
            AuthorizationRequest::new(SHOP).with("redirect_uri", "https://evil.example/"),
            "form-action 'self';",
        ),
        (AuthorizationRequest::new("unknown"), "form-action 'self';"),
    ] {
        let page = from_another_site(&server, AUTHORIZE, &request.pairs()).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains(expected), "{policy}");
        assert!(!page.body.contains("action=\"https:"), "{page:?}");
    }
    let unproven = encoded(&[("post_logout_redirect_uri", "https://evil.example/")]);
    let page = from_another_site(&server, LOGOUT, &[("x", &unproven)]).await;
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'self';")
    );
}
