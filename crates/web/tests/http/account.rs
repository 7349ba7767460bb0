//! `/account`: what has access, and how it is removed; clients and APIs see it at once.

use std::sync::Arc;

use grantor_core::engine::event::EventKind;
use grantor_core::grants::GrantType;
use grantor_core::model::client::{Client, CodePolicy, ConsentPolicy};
use grantor_core::model::realm::Realm;

use grantor_testkit::server::{Answer, Browser, Form, TOKEN, TestServer, refused};
use grantor_testkit::{Codes, Spans as _, client, encoded};

const CALLBACK: &str = "https://app.example/callback";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SCOPE: &str = "openid orders.example.com/read offline_access";
const FORMS: [&str; 4] = [
    "/account/session",
    "/account/app",
    "/account/grant",
    "/account/everywhere",
];

/// A server with an app.
async fn server() -> TestServer {
    TestServer::with(|realm: &mut Realm| {
        let like = client(realm, "tv").clone();
        let app = Client {
            id: "app".parse().expect("a client id"),
            name: "The app".to_owned(),
            grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            scopes: SCOPE.parse().expect("scopes"),
            code: CodePolicy {
                redirect_uris: vec![CALLBACK.parse().expect("a redirect URI")],
                pkce_required: true,
                lifetime: 1.mins(),
                consent: ConsentPolicy::Ask,
            },
            ..like
        };
        realm.clients.insert(app.id.clone(), Arc::new(app));
    })
    .await
}

fn authorize() -> String {
    let query = encoded(&[
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("scope", SCOPE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    format!("/oauth2/authorize?{query}")
}

async fn redeem(server: &TestServer, answer: &Answer) -> Answer {
    let location = url::Url::parse(answer.header("location")).expect("a URL");
    let code = location.query_pairs().find(|(name, _)| name == "code");
    let (_, code) = code.unwrap_or_else(|| panic!("no code: {answer:?}"));
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    server.post(TOKEN, &form).await
}

/// The app gets its tokens, with the consent of the user of the browser.
async fn app_tokens(server: &TestServer, browser: &mut Browser<'_>) -> Answer {
    let asked = browser.get(&authorize()).await;
    let form = Form::of(&asked, "/consent").fill("decision", "approve");
    let tokens = redeem(server, &browser.submit(form).await).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    tokens
}

async fn device_tokens(server: &TestServer, browser: &mut Browser<'_>) -> Answer {
    let codes: Codes = server
        .device_codes_with("tv", &[("scope", "openid orders.example.com/read")])
        .await;
    browser.approve(&codes).await;
    server.poll(&codes).await
}

/// These tokens are refused at userinfo, introspection and the token endpoint.
async fn assert_dead(server: &TestServer, client: &str, tokens: &Answer) {
    let access = tokens.member("access_token");
    let reply = server.userinfo(&access).await;
    assert_eq!(reply.error(), refused(401, "invalid_token"));
    let reply = server.introspect("orders", &access).await;
    assert_eq!(reply.json()["active"], false);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", &tokens.member("refresh_token")),
    ];
    let reply = server.post(TOKEN, &refresh).await;
    assert_eq!(reply.error(), refused(400, "invalid_grant"));
}

async fn assert_live(server: &TestServer, tokens: &Answer) {
    let access = tokens.member("access_token");
    let reply = server.introspect("orders", &access).await;
    assert_eq!(reply.json()["active"], true, "{reply:?}");
}

fn assert_done(answer: &Answer, notice: &str) {
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(
        answer.header("location"),
        format!("/account?notice={notice}")
    );
}

/// Nothing was removed.
fn assert_kept(answer: &Answer) {
    assert_done(answer, "stale");
}

/// The form of the page that names this.
fn form(page: &Answer, action: &str, field: &str, name: &str) -> Form {
    Form::of(page, action).fill(field, name)
}

/// What the forms of a page that go to `action` name.
fn named(page: &Answer, action: &str, field: &str) -> Vec<String> {
    let begin = format!("action=\"{action}\"");
    let forms = page.body.split(&begin).skip(1);
    let name = format!("name=\"{field}\" value=\"");
    forms
        .filter_map(|form| form.split_once(&name)?.1.split('"').next())
        .map(ToOwned::to_owned)
        .collect()
}

#[tokio::test]
async fn sign_in_comes_first_and_leads_back() {
    let server = server().await;
    let mut browser = server.browser();
    let first = browser.get("/account").await;
    assert_eq!(first.status, 303);
    assert_eq!(first.header("location"), "/login?return_to=%2Faccount");
    let page = browser.get(first.header("location")).await;
    let form = Form::of(&page, "/login")
        .fill("username", "alice")
        .fill("password", "alice-password");
    let signed_in = browser.submit(form).await;
    assert_eq!(signed_in.header("location"), "/account");
    let page = browser.get("/account").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("alice"), "{page:?}");
    assert!(browser.get("/").await.body.contains("href=\"/account\""));
}

#[tokio::test]
async fn the_account_page_lists_only_the_users_own_access() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let mut bob = server.signed_in("bob").await;
    let page = alice.get("/account").await;
    for empty in ["no-apps", "no-devices"] {
        assert!(page.body.contains(empty), "{page:?}");
    }
    app_tokens(&server, &mut alice).await;
    device_tokens(&server, &mut alice).await;
    let page = alice.get("/account").await;
    for returned in ["The app", "The tv", "Read orders", "192.0.2.77"] {
        assert!(
            page.body.contains(returned),
            "{returned} is not on {page:?}"
        );
    }
    assert_eq!(named(&page, "/account/app", "client"), ["app"]);
    assert_eq!(named(&page, "/account/grant", "grant").len(), 1);
    assert_eq!(named(&page, "/account/session", "session").len(), 1);
    let page = bob.get("/account").await;
    assert_eq!(named(&page, "/account/app", "client"), [""; 0]);
    assert!(!page.body.contains("alice"));
}

#[tokio::test]
async fn a_device_is_disconnected_at_once() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let tokens = device_tokens(&server, &mut alice).await;
    let other = app_tokens(&server, &mut alice).await;
    let page = alice.get("/account").await;
    server.take_events();
    let form = Form::of(&page, "/account/grant");
    let done = alice.submit(form.clone()).await;
    assert_done(&done, "device-removed");
    let events: Vec<_> = server.take_events();
    assert_eq!(events[0].1, EventKind::GrantRevokedByUser);
    assert_dead(&server, "tv", &tokens).await;
    assert_live(&server, &other).await;
    let page = alice.get(done.header("location")).await;
    assert!(page.body.contains("id=\"notice\""), "{page:?}");
    assert!(page.body.contains("no-devices"));
    assert_done(&alice.submit(form).await, "gone");
}

#[tokio::test]
async fn an_app_is_disconnected_at_once_and_asks_again() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let mut all = vec![app_tokens(&server, &mut alice).await];
    for _ in 0..14 {
        let silently = alice.get(&authorize()).await;
        all.push(redeem(&server, &silently).await);
    }
    let device = device_tokens(&server, &mut alice).await;
    let page = alice.get("/account").await;
    let done = alice.submit(Form::of(&page, "/account/app")).await;
    assert_done(&done, "app-removed");
    for tokens in &all {
        assert_dead(&server, "app", tokens).await;
    }
    assert_live(&server, &device).await;
    let asked = alice.get(&authorize()).await;
    assert!(asked.body.contains("value=\"approve\""), "{asked:?}");
    let again = alice.submit(Form::of(&page, "/account/app")).await;
    assert_done(&again, "gone");
}

#[tokio::test]
async fn another_browser_is_signed_out_and_this_one_signs_out() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let mut phone = server.signed_in("alice").await;
    let page = alice.get("/account").await;
    let sessions = named(&page, "/account/session", "session");
    assert_eq!(sessions.len(), 2);
    let end = form(&page, "/account/session", "session", &sessions[1]);
    assert_done(&alice.submit(end).await, "session-ended");
    assert_eq!(phone.get("/account").await.status, 303, "signed out");
    let own = form(&page, "/account/session", "session", &sessions[0]);
    let done = alice.submit(own).await;
    assert_eq!((done.status, done.header("location")), (303, "/logout"));
    assert!(!alice.cookies.contains_key("__Host-grantor-3d38e146cf9f"));
    assert_eq!(alice.get("/account").await.status, 303);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_there_is_of_this_user() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let mut phone = server.signed_in("alice").await;
    let mut bob = server.signed_in("bob").await;
    let (app, device) = (
        app_tokens(&server, &mut phone).await,
        device_tokens(&server, &mut phone).await,
    );
    let bobs = app_tokens(&server, &mut bob).await;
    let page = alice.get("/account").await;
    let done = alice.submit(Form::of(&page, "/account/everywhere")).await;
    assert_eq!((done.status, done.header("location")), (303, "/logout"));
    assert_dead(&server, "app", &app).await;
    assert_dead(&server, "tv", &device).await;
    for browser in [&mut alice, &mut phone] {
        assert_eq!(browser.get("/account").await.status, 303);
    }
    assert_live(&server, &bobs).await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.get("/account").await;
    assert!(page.body.contains("no-apps") && page.body.contains("no-devices"));
    let sessions = named(&page, "/account/session", "session");
    assert_eq!(sessions.len(), 1, "the rows of the others are gone too");
}

#[tokio::test]
async fn a_form_of_another_page_or_session_is_refused() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let mut phone = server.signed_in("alice").await;
    let mut bob = server.signed_in("bob").await;
    let tokens = [
        app_tokens(&server, &mut alice).await,
        device_tokens(&server, &mut alice).await,
    ];
    let page = alice.get("/account").await;
    let of_phone = Form::of(&phone.get("/account").await, FORMS[3]);
    let of_bob = Form::of(&bob.get("/account").await, FORMS[3]);
    let sign_out = Form::of(&alice.get("/logout").await, "/logout");
    for action in FORMS {
        let form = Form::of(&page, action);
        let mut without = form.clone();
        without.fields.remove("form_token");
        assert_kept(&alice.submit(without).await);
        for other in [&of_phone, &of_bob, &sign_out] {
            let token = &other.fields["form_token"];
            let foreign = form.clone().fill("form_token", token);
            assert_kept(&alice.submit(foreign).await);
        }
        // Our form, in another's browser, and in one without a session.
        assert_kept(&bob.submit(form.clone()).await);
        assert_kept(&server.browser().submit(form.clone()).await);
        let fields = form.fields.iter();
        let pairs: Vec<_> = fields.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let query = encoded(&pairs);
        let by_get = alice.get(&format!("{action}?{query}")).await;
        assert_eq!(by_get.status, 405, "a GET changes nothing");
    }
    for tokens in &tokens {
        assert_live(&server, tokens).await;
    }
    assert_eq!(phone.get("/account").await.status, 200);
    assert_eq!(alice.get("/account").await.status, 200);
}

#[tokio::test]
async fn ids_of_other_users_look_gone_and_malformed_ids_are_bad_requests() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let mut bob = server.signed_in("bob").await;
    let tokens = [
        app_tokens(&server, &mut bob).await,
        device_tokens(&server, &mut bob).await,
    ];
    app_tokens(&server, &mut alice).await;
    device_tokens(&server, &mut alice).await;
    let bobs = bob.get("/account").await;
    let page = alice.get("/account").await;
    for (action, field) in [
        ("/account/session", "session"),
        ("/account/grant", "grant"),
        ("/account/app", "client"),
    ] {
        if field != "client" {
            let others = named(&bobs, action, field).remove(0);
            let other = form(&page, action, field, &others);
            assert_done(&alice.submit(other).await, "gone");
        }
        for nothing in ["", "x", "ü", "../1"] {
            let other = form(&page, action, field, nothing);
            let reply = alice.submit(other).await;
            let unknown = field == "client" && ["x", "../1"].contains(&nothing);
            assert_eq!(
                reply.status,
                if unknown { 303 } else { 400 },
                "{field} {nothing}"
            );
        }
    }
    for tokens in &tokens {
        assert_live(&server, tokens).await;
    }
    assert_eq!(bob.get("/account").await.status, 200);
}

#[tokio::test]
async fn an_unknown_notice_is_not_shown() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    for word in ["x", "session_ended", "%3Cscript%3E", "", "gone&notice=gone"] {
        let page = alice.get(&format!("/account?notice={word}")).await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("id=\"notice\""), "{word}");
    }
    for word in ["session-ended", "app-removed", "device-removed", "gone"] {
        let page = alice.get(&format!("/account?notice={word}")).await;
        assert!(page.body.contains("id=\"notice\""), "{word}");
    }
}

#[tokio::test]
async fn the_account_page_is_neither_cached_nor_framed() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.get("/account").await;
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
}

#[tokio::test]
async fn a_store_that_is_down_is_reported_and_leaves_nothing_half_done() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let tokens = device_tokens(&server, &mut alice).await;
    let page = alice.get("/account").await;
    server.set_signer_down(true);
    server.store.set_down(true);
    for action in ["/account/grant", "/account/everywhere"] {
        let reply = alice.submit(Form::of(&page, action)).await;
        assert_eq!(reply.status, 503, "{action}");
    }
    assert_eq!(alice.get("/account").await.status, 503);
    server.store.set_down(false);
    assert_live(&server, &tokens).await;
    // Removing access signs nothing.
    let done = alice.submit(Form::of(&page, "/account/grant")).await;
    assert_done(&done, "device-removed");
}
