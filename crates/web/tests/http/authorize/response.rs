//! What is returned to a client: by redirect or by POST, and never more than it should be.

use std::collections::BTreeMap;

use grantor_testkit::server::{FlowResult, Form, TestServer, With as _, post, redirect_of};
use grantor_testkit::{
    AUTHORIZE, AuthorizationRequest, ISSUER, PORTAL, SHOP, SHOP_WITH_QUERY, SPA, redirect_uri,
};

/// Requests for each error that is returned by redirect, with the error.
pub(crate) const FAULTS: [(&str, &str, &str); 17] = [
    ("response_type", "", "invalid_request"),
    ("response_type", "token", "unsupported_response_type"),
    ("response_mode", "fragment", "invalid_request"),
    ("scope", "unknown", "invalid_scope"),
    ("scope", "open\"id", "invalid_scope"),
    ("prompt", "none", "login_required"),
    ("prompt", "none login", "invalid_request"),
    ("max_age", "soon", "invalid_request"),
    ("claims", "{", "invalid_request"),
    ("id_token_hint", "x", "invalid_request"),
    ("code_challenge", "short", "invalid_request"),
    ("request", "x", "request_not_supported"),
    ("request_uri", "x", "request_uri_not_supported"),
    ("registration", "x", "registration_not_supported"),
    ("resource", "https://unknown.example.com", "invalid_target"),
    (
        "authorization_details",
        "[{\"type\":\"payment\"}]",
        "invalid_authorization_details",
    ),
    ("dpop_jkt", "x", "invalid_request"),
];

/// The error of a request with one of the faults, in a browser without a session.
async fn refused(server: &TestServer, app: &str, fault: (&str, &str), mode: &str) -> FlowResult {
    let mut authorization = AuthorizationRequest::new(app)
        .with("response_mode", mode)
        .with(fault.0, fault.1);
    if fault.0 == "code_challenge" {
        authorization = authorization.with("code_challenge_method", "S256");
    }
    let result = server.browser().authorize(&authorization).await;
    assert!(result.pages.is_empty(), "{fault:?}");
    result
}

/// Items 25 to 28.
#[tokio::test]
async fn an_error_has_the_members_and_characters_of_rfc6749_and_nothing_else() {
    let server = TestServer::new().await;
    for (name, value, error) in FAULTS {
        for (app, mode) in [(SPA, "query"), (SHOP, "form_post")] {
            if name == "response_mode" && mode != "query" {
                continue;
            }
            let result = refused(&server, app, (name, value), mode).await;
            let returned = super::given(&result, app);
            assert_eq!(returned["error"], error, "{name}={value}");
            assert_members(&returned);
        }
    }
}

fn assert_members(returned: &BTreeMap<String, String>) {
    let names: Vec<_> = returned.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["error", "error_description", "error_uri", "iss", "state"]
    );
    // RFC 6749 section 4.1.2.1: %x20-21 / %x23-5B / %x5D-7E, and without %x20 in the URI.
    let is_allowed = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(
        returned["error_description"].bytes().all(is_allowed),
        "{returned:?}"
    );
    assert!(
        returned["error_uri"]
            .bytes()
            .all(|b| is_allowed(b) && b != b' ')
    );
    url::Url::parse(&returned["error_uri"]).expect("an absolute URI");
    assert_eq!(returned["iss"], ISSUER);
    assert_eq!(returned["state"], "st-1");
}

/// Items 25 and 26.
#[tokio::test]
async fn a_success_is_code_state_and_iss_in_the_query_alone() {
    let server = TestServer::new().await;
    let result = server
        .browser()
        .authorize(&AuthorizationRequest::new(SPA).with("response_mode", "query"))
        .await;
    let location = result.answer.header("location");
    assert!(!location.contains('#'), "{location}");
    let (to, params) = result.redirect();
    assert_eq!(to, redirect_uri(SPA));
    let names: Vec<_> = params.keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "iss", "state"]);
    assert_eq!(params["iss"], ISSUER);
}

/// Item 44: OAuth 2.0 Form Post Response Mode section 2.
#[tokio::test]
async fn form_post_sends_success_and_error_in_the_body_and_nothing_in_the_address() {
    let server = TestServer::new().await;
    let authorization = AuthorizationRequest::new(SHOP).with("response_mode", "form_post");
    for redirect_uri in [redirect_uri(SHOP), SHOP_WITH_QUERY] {
        let authorization = authorization.clone().with("redirect_uri", redirect_uri);
        let result = server.browser().authorize(&authorization).await;
        assert_eq!(
            (result.answer.status, result.answer.header("location")),
            (200, "")
        );
        let form = Form::of(&result.answer, redirect_uri);
        let names: Vec<_> = form.fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["code", "iss", "state"]);
        let there = [("redirect_uri", redirect_uri)];
        let tokens = server.redeem_with(SHOP, &form.fields["code"], &there).await;
        assert_eq!(tokens.status, 200);
        // For browsers without scripts there is a button; with them, our own script sends the form.
        let page = &result.answer;
        assert!(
            page.body
                .contains("<button class=\"primary\" type=\"submit\">"),
            "{page:?}"
        );
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self'"), "{policy}");
        assert!(policy.contains("form-action 'self' https:;"), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store");
    }
    let denied = server
        .browser()
        .authorize_with(&authorization.with("prompt", "consent"), "alice", "deny")
        .await;
    let denied = super::given(&denied, SHOP);
    assert_eq!(denied["error"], "access_denied");
    assert_members(&denied);
}

/// Item 45: OpenID Connect Core section 11.
#[tokio::test]
async fn offline_access_with_consent_gives_a_refresh_token() {
    let server = TestServer::new().await;
    let authorization = AuthorizationRequest::new(SHOP)
        .with("scope", "openid offline_access")
        .with("prompt", "consent");
    let mut alice = server.browser();
    for pages in [&["login", "consent"][..], &["consent"]] {
        let result = alice.authorize(&authorization).await;
        assert_eq!(result.pages, pages);
        let tokens = server.redeem(SHOP, &result.code()).await;
        let refreshed = server.refresh(SHOP, &tokens.member("refresh_token")).await;
        assert_eq!(refreshed.status, 200);
    }
}

/// Item 46: by Shannon's measure over its characters, as the suite takes it.
#[tokio::test]
async fn a_code_is_long_and_has_more_than_96_bits() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let code = alice
            .authorize(&AuthorizationRequest::new(PORTAL))
            .await
            .code();
        let random = code
            .strip_prefix("grantor_ac_")
            .expect("a prefix that scanners know");
        assert!(random.len() >= 43, "{code}");
        assert!(
            super::entropy(random) > 96.0 && super::entropy(&code) > 96.0,
            "{code}"
        );
        assert!(seen.insert(code), "each is another");
    }
}

/// RFC 9700 section 4.12: 303 makes a browser forget what was posted, where 307 would send the password on.
#[tokio::test]
async fn every_redirect_after_a_post_is_303() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let authorization = AuthorizationRequest::new(SPA);
    let posted = post(AUTHORIZE, &authorization.pairs()).with("sec-fetch-site", "same-origin");
    let to_login = alice.send(posted).await;
    let login = alice.get(to_login.header("location")).await;
    let form = Form::of(&login, "/login");
    let form = form
        .fill("username", "alice")
        .fill("password", "alice-password");
    let signed_in = alice.submit(form).await;
    let consent = alice.get(signed_in.header("location")).await;
    let form = Form::of(&consent, "/consent");
    let denied = alice.submit(form.clone().fill("decision", "deny")).await;
    let agreed = alice.submit(form.fill("decision", "approve")).await;
    for answer in [&to_login, &signed_in, &denied, &agreed] {
        assert_eq!(answer.status, 303, "{answer:?}");
        assert!(answer.body.is_empty());
        // Codes, states and requests are private: neither caches nor the next site get them.
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    assert!(redirect_of(&agreed).1.contains_key("code"));
}
