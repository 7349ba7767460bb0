//! `/account`: what has access, and how it is taken back; seen at once by clients and APIs.

use std::sync::atomic::Ordering;

use grantor_core::engine::event::EventKind;
use grantor_core::grants::GrantType;
use grantor_core::model::client::{Client, CodePolicy, ConsentPolicy};
use grantor_core::model::realm::Realm;

use crate::browser::{Browser, Form};
use crate::house::{House, client, minutes};
use crate::wire::{Answer, Codes, TOKEN, encoded, refused};

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

/// The house with an app that people sign in to.
async fn house() -> House {
    House::with(|realm: &mut Realm| {
        let like = client(realm, "tv").clone();
        let app = Client {
            id: "app".parse().expect("a client id"),
            name: "The app".to_owned(),
            grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            scopes: SCOPE.parse().expect("scopes"),
            code: CodePolicy {
                redirect_uris: vec![CALLBACK.parse().expect("a redirect URI")],
                pkce_required: true,
                lifetime: minutes(1),
                consent: ConsentPolicy::Ask,
            },
            ..like
        };
        realm.clients.insert(app.id.clone(), app);
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

async fn redeem(house: &House, answer: &Answer) -> Answer {
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
    house.post(TOKEN, &form).await
}

/// The app gets its tokens, with the consent of who sits at the browser.
async fn app_tokens(house: &House, browser: &mut Browser<'_>) -> Answer {
    let asked = browser.get(&authorize()).await;
    let form = Form::of(&asked, "/consent").fill("decision", "approve");
    let tokens = redeem(house, &browser.submit(form).await).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    tokens
}

async fn device_tokens(house: &House, browser: &mut Browser<'_>) -> Answer {
    let codes: Codes = house.device("openid orders.example.com/read").await;
    browser.approve(&codes.user).await;
    house.poll(&codes).await
}

/// Nothing is given for these tokens any more: at userinfo, introspection and the token endpoint.
async fn assert_dead(house: &House, client: &str, tokens: &Answer) {
    let access = tokens.member("access_token");
    let said = house.userinfo(&access).await;
    assert_eq!(said.error(), refused(401, "invalid_token"));
    let said = house.introspect(&access).await;
    assert_eq!(said.json()["active"], false);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", client),
        ("refresh_token", &tokens.member("refresh_token")),
    ];
    let said = house.post(TOKEN, &refresh).await;
    assert_eq!(said.error(), refused(400, "invalid_grant"));
}

async fn assert_live(house: &House, tokens: &Answer) {
    let access = tokens.member("access_token");
    let said = house.introspect(&access).await;
    assert_eq!(said.json()["active"], true, "{said:?}");
}

fn assert_done(answer: &Answer, notice: &str) {
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(
        answer.header("location"),
        format!("/account?notice={notice}")
    );
}

fn assert_expired(page: &Answer) {
    assert_eq!(page.status, 403, "{page:?}");
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
    let house = house().await;
    let mut browser = Browser::new(&house);
    let first = browser.get("/account").await;
    assert_eq!(first.status, 303);
    assert_eq!(first.header("location"), "/login?return_to=%2Faccount");
    let page = browser.get(first.header("location")).await;
    let form = Form::of(&page, "/login")
        .fill("username", "alice")
        .fill("password", crate::house::PASSWORD);
    let signed_in = browser.submit(form).await;
    assert_eq!(signed_in.header("location"), "/account");
    let page = browser.get("/account").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("alice"), "{page:?}");
    assert!(browser.get("/").await.body.contains("href=\"/account\""));
}

#[tokio::test]
async fn the_page_names_what_has_access_and_nothing_of_others() {
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let mut bob = Browser::signed_in(&house, "bob").await;
    let page = alice.get("/account").await;
    for empty in ["no-apps", "no-devices"] {
        assert!(page.body.contains(empty), "{page:?}");
    }
    app_tokens(&house, &mut alice).await;
    device_tokens(&house, &mut alice).await;
    let page = alice.get("/account").await;
    for told in ["The app", "The tv", "Read orders", "192.0.2.77"] {
        assert!(page.body.contains(told), "{told} is not on {page:?}");
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
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let tokens = device_tokens(&house, &mut alice).await;
    let other = app_tokens(&house, &mut alice).await;
    let page = alice.get("/account").await;
    house.world.take_events();
    let form = Form::of(&page, "/account/grant");
    let done = alice.submit(form.clone()).await;
    assert_done(&done, "device-removed");
    let events: Vec<_> = house.world.take_events();
    assert_eq!(events[0].1, EventKind::GrantRevokedByUser);
    assert_dead(&house, "tv", &tokens).await;
    assert_live(&house, &other).await;
    let page = alice.get(done.header("location")).await;
    assert!(page.body.contains("id=\"notice\""), "{page:?}");
    assert!(page.body.contains("no-devices"));
    assert_done(&alice.submit(form).await, "gone");
}

#[tokio::test]
async fn an_app_is_disconnected_at_once_and_asks_again() {
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let mut all = vec![app_tokens(&house, &mut alice).await];
    for _ in 0..14 {
        let silently = alice.get(&authorize()).await;
        all.push(redeem(&house, &silently).await);
    }
    let device = device_tokens(&house, &mut alice).await;
    let page = alice.get("/account").await;
    let done = alice.submit(Form::of(&page, "/account/app")).await;
    assert_done(&done, "app-removed");
    for tokens in &all {
        assert_dead(&house, "app", tokens).await;
    }
    assert_live(&house, &device).await;
    let asked = alice.get(&authorize()).await;
    assert!(asked.body.contains("id=\"approve\""), "{asked:?}");
    let again = alice.submit(Form::of(&page, "/account/app")).await;
    assert_done(&again, "gone");
}

#[tokio::test]
async fn another_browser_is_signed_out_and_this_one_signs_out() {
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let mut phone = Browser::signed_in(&house, "alice").await;
    let page = alice.get("/account").await;
    let sessions = named(&page, "/account/session", "session");
    assert_eq!(sessions.len(), 2);
    let end = form(&page, "/account/session", "session", &sessions[1]);
    assert_done(&alice.submit(end).await, "session-ended");
    assert_eq!(phone.get("/account").await.status, 303, "signed out");
    let own = form(&page, "/account/session", "session", &sessions[0]);
    let done = alice.submit(own).await;
    assert_eq!((done.status, done.header("location")), (303, "/logout"));
    assert!(!alice.cookies.contains_key("__Host-grantor-default"));
    assert_eq!(alice.get("/account").await.status, 303);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_there_is_of_this_user() {
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let mut phone = Browser::signed_in(&house, "alice").await;
    let mut bob = Browser::signed_in(&house, "bob").await;
    let (app, device) = (
        app_tokens(&house, &mut phone).await,
        device_tokens(&house, &mut phone).await,
    );
    let bobs = app_tokens(&house, &mut bob).await;
    let page = alice.get("/account").await;
    let done = alice.submit(Form::of(&page, "/account/everywhere")).await;
    assert_eq!((done.status, done.header("location")), (303, "/logout"));
    assert_dead(&house, "app", &app).await;
    assert_dead(&house, "tv", &device).await;
    for browser in [&mut alice, &mut phone] {
        assert_eq!(browser.get("/account").await.status, 303);
    }
    assert_live(&house, &bobs).await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let page = alice.get("/account").await;
    assert!(page.body.contains("no-apps") && page.body.contains("no-devices"));
    let sessions = named(&page, "/account/session", "session");
    assert_eq!(sessions.len(), 1, "the rows of the others are gone too");
}

#[tokio::test]
async fn no_form_counts_that_is_not_of_this_page_and_session() {
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let mut phone = Browser::signed_in(&house, "alice").await;
    let mut bob = Browser::signed_in(&house, "bob").await;
    let tokens = [
        app_tokens(&house, &mut alice).await,
        device_tokens(&house, &mut alice).await,
    ];
    let page = alice.get("/account").await;
    let of_phone = Form::of(&phone.get("/account").await, FORMS[3]);
    let of_bob = Form::of(&bob.get("/account").await, FORMS[3]);
    let sign_out = Form::of(&alice.get("/logout").await, "/logout");
    for action in FORMS {
        let form = Form::of(&page, action);
        let mut without = form.clone();
        without.fields.remove("form_token");
        assert_expired(&alice.submit(without).await);
        for other in [&of_phone, &of_bob, &sign_out] {
            let token = &other.fields["form_token"];
            let foreign = form.clone().fill("form_token", token);
            assert_expired(&alice.submit(foreign).await);
        }
        // Our form, in another's browser, and in one without a session.
        assert_expired(&bob.submit(form.clone()).await);
        assert_expired(&Browser::new(&house).submit(form.clone()).await);
        let fields = form.fields.iter();
        let pairs: Vec<_> = fields.map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let query = encoded(&pairs);
        let by_get = alice.get(&format!("{action}?{query}")).await;
        assert_eq!(by_get.status, 405, "a GET changes nothing");
    }
    for tokens in &tokens {
        assert_live(&house, tokens).await;
    }
    assert_eq!(phone.get("/account").await.status, 200);
    assert_eq!(alice.get("/account").await.status, 200);
}

#[tokio::test]
async fn what_is_anothers_is_gone_and_what_is_nothing_is_a_bad_request() {
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let mut bob = Browser::signed_in(&house, "bob").await;
    let tokens = [
        app_tokens(&house, &mut bob).await,
        device_tokens(&house, &mut bob).await,
    ];
    app_tokens(&house, &mut alice).await;
    device_tokens(&house, &mut alice).await;
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
            let said = alice.submit(other).await;
            let unknown = field == "client" && ["x", "../1"].contains(&nothing);
            assert_eq!(
                said.status,
                if unknown { 303 } else { 400 },
                "{field} {nothing}"
            );
        }
    }
    for tokens in &tokens {
        assert_live(&house, tokens).await;
    }
    assert_eq!(bob.get("/account").await.status, 200);
}

#[tokio::test]
async fn a_notice_is_one_of_ours_or_none() {
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
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
async fn the_page_is_kept_by_nobody_and_framed_by_nobody() {
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let page = alice.get("/account").await;
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
}

#[tokio::test]
async fn a_store_that_is_away_is_told_and_nothing_is_half_done() {
    let house = house().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let tokens = device_tokens(&house, &mut alice).await;
    let page = alice.get("/account").await;
    house.world.signer_down.store(true, Ordering::Relaxed);
    house.store.set_down(true);
    for action in ["/account/grant", "/account/everywhere"] {
        let said = alice.submit(Form::of(&page, action)).await;
        assert_eq!(said.status, 503, "{action}");
    }
    assert_eq!(alice.get("/account").await.status, 503);
    house.store.set_down(false);
    assert_live(&house, &tokens).await;
    // Nothing is signed to take something back.
    let done = alice.submit(Form::of(&page, "/account/grant")).await;
    assert_done(&done, "device-removed");
}
