//! What a page or redirect of this flow could leak, or be made to run.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use grantor_testkit::server::{Answer, FlowResult, Form, TestServer, post, redirect_of};
use grantor_testkit::{
    AUTHORIZE, AuthorizationRequest, NATIVE, SHOP, SPA, client, encoded, redirect_uri,
};

/// Text that would be markup, an attribute or a script where it is not escaped.
const MARKUP: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)> &lt;{{1234*1000}}";

/// What would send a typed password elsewhere, if it were markup.
const FORM: &str = "\"><form action=\"https://evil.example\"><base href=//evil.example><button formaction=//evil.example form=\"x\">";

/// RFC 9700 sections 4.16 and 4.2.4.
fn assert_guarded(page: &Answer) {
    assert_eq!(page.header("x-frame-options"), "DENY", "{page:?}");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    // An app that opened the page as a popup waits for it: the opener stays connected.
    assert!(!page.headers.contains_key("cross-origin-opener-policy"));
    let policy = page.header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} is not in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let scripts = page.body.matches("<script").count();
    assert_eq!(scripts, policy.matches("script-src").count(), "{page:?}");
}

/// Every page of the flow: sign-in, sign-in after a wrong password, consent, its repetition, form_post, errors.
async fn every_page(server: &TestServer, authorization: &AuthorizationRequest) -> Vec<Answer> {
    let mut alice = server.browser();
    let to_login = alice.get(&authorization.path()).await;
    let login = alice.get(to_login.header("location")).await;
    let form = Form::of(&login, "/login").fill("username", "alice");
    let wrong = alice.submit(form.clone().fill("password", "wrong")).await;
    let stale = alice.submit(form.clone().fill("form_token", "x")).await;
    let signed_in = alice.submit(form.fill("password", "alice-password")).await;
    let consent = alice.get(signed_in.header("location")).await;
    let form = Form::of(&consent, "/consent");
    let unclear = alice.submit(form.clone()).await;
    let posted = alice.submit(form.fill("decision", "approve")).await;
    let bad_client = alice
        .get(&authorization.clone().with("client_id", MARKUP).path())
        .await;
    let bad_uri = alice
        .get(&authorization.clone().with("redirect_uri", MARKUP).path())
        .await;
    let twice = alice
        .get(&authorization.clone().and("client_id", MARKUP).path())
        .await;
    vec![
        login, wrong, consent, stale, unclear, posted, bad_client, bad_uri, twice,
    ]
}

#[tokio::test]
async fn clickjacking_no_page_of_the_flow_can_be_framed_cached_or_leaked_by_referrer() {
    let server = TestServer::new().await;
    for app in [SHOP, NATIVE] {
        let authorization = AuthorizationRequest::new(app).with("response_mode", "form_post");
        for page in every_page(&server, &authorization).await {
            assert_guarded(&page);
        }
    }
}

/// Browsers hold to `form-action` also the redirects that follow the app's own callback. So the pages of a proven request
/// allow https, and what its own redirect URI needs; all others lead to ourselves alone. `origins` is for CORS alone.
#[tokio::test]
async fn form_action_allows_https_on_the_pages_of_a_proven_request_only() {
    let server = TestServer::with(|realm| {
        client(realm, "shop").origins = vec!["https://front.example.com".to_owned()];
    })
    .await;
    for (app, proven) in [
        (SHOP, "form-action 'self' https:;"),
        (
            NATIVE,
            "form-action 'self' https: http://127.0.0.1:* http://localhost:*;",
        ),
    ] {
        let authorization = AuthorizationRequest::new(app).with("response_mode", "form_post");
        let pages = every_page(&server, &authorization).await;
        for (page, leads) in pages
            .iter()
            .zip([true, true, true, true, false, true, false, false, false])
        {
            let policy = page.header("content-security-policy");
            let expected = if leads { proven } else { "form-action 'self';" };
            assert!(policy.contains(expected), "{policy}");
        }
    }
    for path in ["/login", "/login?return_to=/device", "/", "/logout"] {
        let page = server.browser().get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self';"), "{path}: {policy}");
    }
}

/// `https:` on a page with a password would be a way out for it, if a request could bring a form, a field or a base of its
/// own: whatever it says, each form of ours goes where its template says.
#[tokio::test]
async fn no_request_adds_a_form_or_changes_where_one_goes() {
    let server = TestServer::with(|realm| client(realm, "shop").name = FORM.to_owned()).await;
    let names = ["state", "nonce", "login_hint", "ui_locales", "display"];
    let authorization = names
        .into_iter()
        .fold(AuthorizationRequest::new(SHOP), |authorization, name| {
            authorization.with(name, FORM)
        });
    for page in &every_page(&server, &authorization).await[..3] {
        let actions: Vec<_> = page.body.split("action=\"").skip(1).collect();
        assert!(!actions.is_empty());
        for action in actions {
            let action = action.split('"').next().unwrap_or_default();
            assert!(
                ["/login", "/consent", "/logout"].contains(&action),
                "{action}"
            );
        }
        for sent in ["<base", "<button formaction", "<form action"] {
            assert!(!page.body.contains(sent), "{sent} in {page:?}");
        }
    }
}

/// Every parameter of a link, filled with markup.
#[tokio::test]
async fn markup_in_a_request_or_a_clients_name_is_text_on_every_page() {
    let server = TestServer::with(|realm| client(realm, "shop").name = MARKUP.to_owned()).await;
    let names = [
        "state",
        "nonce",
        "login_hint",
        "ui_locales",
        "display",
        "acr_values",
        "x-extra",
    ];
    let authorization = names
        .into_iter()
        .fold(AuthorizationRequest::new(SHOP), |authorization, name| {
            authorization.with(name, MARKUP)
        });
    let authorization = authorization
        .with("response_mode", "form_post")
        .and(MARKUP, MARKUP);
    let pages = every_page(&server, &authorization).await;
    for page in &pages {
        for raw in [
            "<script>",
            "<img src=x",
            "onerror=alert(1)>",
            "1234000",
            "'><",
        ] {
            assert!(!page.body.contains(raw), "{raw} in {page:?}");
        }
        assert_guarded(page);
    }
    // And arrives as it was sent.
    let posted = Form::of(&pages[5], redirect_uri(SHOP));
    assert_eq!(posted.fields["state"], MARKUP);
    // A malformed scope is reported without its text.
    let result = server
        .browser()
        .authorize(&authorization.with("scope", MARKUP))
        .await;
    assert_eq!(
        crate::authorize::given(&result, SHOP)["error"],
        "invalid_scope"
    );
    assert!(!result.answer.body.contains("<img src=x"));
}

/// The script of the form_post page is a file of ours: what a request says is never a part of it.
#[tokio::test]
async fn no_page_runs_a_script_that_is_not_a_file_of_ours() {
    let server = TestServer::new().await;
    let authorization = AuthorizationRequest::new(SHOP)
        .with("response_mode", "form_post")
        .with("state", "</script><script>alert(1)//");
    let result = server.browser().authorize(&authorization).await;
    assert_eq!(result.answer.body.matches("<script").count(), 1);
    let script = result
        .answer
        .body
        .split("<script src=\"")
        .nth(1)
        .expect("the script");
    let (source, rest) = script.split_once('"').expect("its address");
    assert!(rest.starts_with(" defer></script>"), "{rest}");
    let source = source.replace("&#x2f;", "/");
    let file = server.get(&source).await;
    assert_eq!(
        (file.status, file.header("content-type")),
        (200, "text/javascript; charset=utf-8")
    );
}

/// RFC 9700 section 4.2 and CWE-113: a line break in a request ends no header.
#[tokio::test]
async fn response_splitting_a_line_break_in_a_request_is_refused_or_encoded() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for text in [
        "x\r\nSet-Cookie: a=b",
        "x\nLocation: https://evil.example",
        "x\0",
        "x\u{7f}",
    ] {
        for name in ["state", "redirect_uri", "client_id", "scope", "x"] {
            let authorization = AuthorizationRequest::new(SPA).with(name, text);
            let page = alice.get(&authorization.path()).await;
            crate::authorize::assert_stays(&page, 400);
            assert_eq!(page.header("set-cookie"), "");
        }
    }
    // A request object is refused, and what its JSON says about the redirect is only repeated encoded.
    let claims = "{\"state\":\"x\\r\\nSet-Cookie: a=b\"}";
    let object = format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims));
    let authorization = AuthorizationRequest::new(SPA)
        .without("state")
        .with("request", &object);
    let refused = alice.get(&authorization.path()).await;
    assert_eq!(redirect_of(&refused).1["error"], "request_not_supported");
    assert_eq!(refused.header("set-cookie"), "");
    // Line separators of Unicode are text, and travel encoded.
    let state = "x\u{2028}\u{2029}\u{feff}";
    let result = alice
        .authorize(&AuthorizationRequest::new(SPA).with("state", state))
        .await;
    assert_eq!(result.redirect().1["state"], state);
    assert!(result.answer.header("location").is_ascii());
}

/// RFC 9700 section 4.3: codes stay in no cache and go into no other site's log.
#[tokio::test]
async fn redirects_with_codes_are_not_cached_nor_referred_to() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let authorization = AuthorizationRequest::new(SPA);
    let FlowResult { answer: agreed, .. } = alice.authorize(&authorization).await;
    let silent = alice
        .get(&authorization.clone().with("prompt", "none").path())
        .await;
    let error = alice.get(&authorization.with("prompt", "x").path()).await;
    for answer in [agreed, silent, error] {
        assert_eq!(answer.status, 303);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(
            (answer.body.as_str(), answer.header("set-cookie")),
            ("", "")
        );
    }
}

/// More than 8 KiB in an address, or 15 KiB in a form, is no request: what stands between browser and server would cut it, and
/// no client needs it.
#[tokio::test]
async fn a_huge_request_is_refused_with_a_page_at_every_endpoint() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let huge = AuthorizationRequest::new(SPA).with("state", &"s".repeat(8 * 1024));
    crate::authorize::assert_stays(&alice.get(&huge.path()).await, 413);
    let huger = AuthorizationRequest::new(SPA).with("state", &"s".repeat(15 * 1024));
    let in_back = encoded(&[("return_to", &huger.path())]);
    let login = alice.get(&format!("/login?{in_back}")).await;
    assert_eq!(Form::of(&login, "/login").fields["return_to"], "/");
    let many = (0..100).fold(AuthorizationRequest::new(SPA), |authorization, n| {
        authorization.and(&format!("x{n}"), "1")
    });
    crate::authorize::assert_stays(&alice.get(&many.path()).await, 400);
    let (mut bob, form) = super::consent_form(&server, "bob", SHOP).await;
    let page = bob.submit(form.fill("request", &huger.query())).await;
    crate::authorize::assert_stays(&page, 413);
    let posted = alice.send(post(AUTHORIZE, &huger.pairs())).await;
    crate::authorize::assert_stays(&posted, 413);
    let body = "x".repeat(65 * 1024);
    let posted = alice.send(post(AUTHORIZE, &[("state", &body)])).await;
    crate::authorize::assert_stays(&posted, 413);
    // A body that fits is answered.
    let fits = AuthorizationRequest::new(SPA).with("state", &"s".repeat(7 * 1024));
    alice.authorize(&fits).await.code();
}
