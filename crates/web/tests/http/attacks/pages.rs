//! What a page or redirect of this flow could give away or be made to run.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::apps::{AUTHORIZE, Ask, NATIVE, SHOP, SPA, Trip, arrived};
use crate::browser::{Browser, Form};
use crate::house::{House, PASSWORD, client};
use crate::wire::{Answer, encoded};

/// Text that would be markup, an attribute or a script where it is not escaped.
const MARKUP: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)> &lt;{{1234*1000}}";

/// RFC 9700 sections 4.16 and 4.2.4.
fn assert_guarded(page: &Answer) {
    assert_eq!(page.header("x-frame-options"), "DENY", "{page:?}");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    // An app that opened the page as a window of its own waits for it: the two are not cut apart.
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
async fn every_page(house: &House, ask: &Ask) -> Vec<Answer> {
    let mut alice = Browser::new(house);
    let to_login = alice.get(&ask.path()).await;
    let login = alice.get(to_login.header("location")).await;
    let form = Form::of(&login, "/login").fill("username", "alice");
    let wrong = alice.submit(form.clone().fill("password", "wrong")).await;
    let signed_in = alice.submit(form.fill("password", PASSWORD)).await;
    let consent = alice.get(signed_in.header("location")).await;
    let form = Form::of(&consent, "/consent");
    let expired = alice.submit(form.clone().fill("form_token", "x")).await;
    let unclear = alice.submit(form.clone()).await;
    let posted = alice.submit(form.fill("decision", "approve")).await;
    let bad_client = alice
        .get(&ask.clone().with("client_id", MARKUP).path())
        .await;
    let bad_uri = alice
        .get(&ask.clone().with("redirect_uri", MARKUP).path())
        .await;
    let twice = alice
        .get(&ask.clone().and("client_id", MARKUP).path())
        .await;
    vec![
        login, wrong, consent, expired, unclear, posted, bad_client, bad_uri, twice,
    ]
}

#[tokio::test]
async fn clickjacking_no_page_of_the_flow_is_framed_cached_or_told_of_by_a_referrer() {
    let house = House::new().await;
    for app in [&SHOP, &NATIVE] {
        let ask = Ask::of(app).with("response_mode", "form_post");
        for page in every_page(&house, &ask).await {
            assert_guarded(&page);
        }
    }
}

/// A form leads to ourselves and, where its answer is a redirect to an app, to that app alone.
#[tokio::test]
async fn the_forms_of_the_flow_lead_to_the_app_that_asks_and_nowhere_else() {
    let house = House::new().await;
    let ask = Ask::of(&SHOP).with("response_mode", "form_post");
    let pages = every_page(&house, &ask).await;
    for (page, leads) in pages
        .iter()
        .zip([true, true, true, false, false, true, false, false, false])
    {
        let policy = page.header("content-security-policy");
        let expected = if leads {
            "form-action 'self' https://shop.example.com;"
        } else {
            "form-action 'self';"
        };
        assert!(policy.contains(expected), "{policy}");
    }
}

/// Browsers hold also the redirects that follow the app's own callback to `form-action`: they lead to origins that the
/// operator declared, and nowhere else.
#[tokio::test]
async fn the_forms_of_the_flow_may_lead_on_to_the_clients_own_origins() {
    let house = House::with(|realm| {
        client(realm, "shop").origins = vec!["https://front.example.com".to_owned()];
    })
    .await;
    let ask = Ask::of(&SHOP).with("response_mode", "form_post");
    let pages = every_page(&house, &ask).await;
    for page in [&pages[0], &pages[2], &pages[5]] {
        let policy = page.header("content-security-policy");
        let expected = "form-action 'self' https://front.example.com https://shop.example.com; frame-ancestors";
        assert!(policy.contains(expected), "{policy}");
    }
}

/// Everything that a link can say, said in markup.
#[tokio::test]
async fn markup_in_a_request_or_a_clients_name_is_text_on_every_page() {
    let house = House::with(|realm| client(realm, "shop").name = MARKUP.to_owned()).await;
    let names = [
        "state",
        "nonce",
        "login_hint",
        "ui_locales",
        "display",
        "acr_values",
        "x-extra",
    ];
    let ask = names
        .into_iter()
        .fold(Ask::of(&SHOP), |ask, name| ask.with(name, MARKUP));
    let ask = ask.with("response_mode", "form_post").and(MARKUP, MARKUP);
    let pages = every_page(&house, &ask).await;
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
    let posted = Form::of(&pages[5], SHOP.redirect_uri);
    assert_eq!(posted.fields["state"], MARKUP);
    // What is no scope is told without its text.
    let trip = Browser::new(&house)
        .authorize(&ask.with("scope", MARKUP))
        .await;
    assert_eq!(
        crate::authorize::given(&trip, &SHOP)["error"],
        "invalid_scope"
    );
    assert!(!trip.answer.body.contains("<img src=x"));
}

/// The script of the form_post page is a file of ours: what a request says is never a part of it.
#[tokio::test]
async fn no_page_runs_a_script_that_is_not_a_file_of_ours() {
    let house = House::new().await;
    let ask = Ask::of(&SHOP)
        .with("response_mode", "form_post")
        .with("state", "</script><script>alert(1)//");
    let trip = Browser::new(&house).authorize(&ask).await;
    assert_eq!(trip.answer.body.matches("<script").count(), 1);
    let script = trip
        .answer
        .body
        .split("<script src=\"")
        .nth(1)
        .expect("the script");
    let (source, rest) = script.split_once('"').expect("its address");
    assert!(rest.starts_with(" defer></script>"), "{rest}");
    let source = source.replace("&#x2f;", "/");
    let file = house.get(&source).await;
    assert_eq!(
        (file.status, file.header("content-type")),
        (200, "text/javascript; charset=utf-8")
    );
}

/// RFC 9700 section 4.2 and CWE-113: a line break in a request ends no header.
#[tokio::test]
async fn response_splitting_a_line_break_in_a_request_is_refused_or_encoded() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    for text in [
        "x\r\nSet-Cookie: a=b",
        "x\nLocation: https://evil.example",
        "x\0",
        "x\u{7f}",
    ] {
        for name in ["state", "redirect_uri", "client_id", "scope", "x"] {
            let ask = Ask::of(&SPA).with(name, text);
            let page = alice.get(&ask.path()).await;
            crate::authorize::assert_stays(&page, 400);
            assert_eq!(page.header("set-cookie"), "");
        }
    }
    // A request object is refused, and what its JSON says of the way back travels encoded.
    let claims = "{\"state\":\"x\\r\\nSet-Cookie: a=b\"}";
    let object = format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims));
    let ask = Ask::of(&SPA).without("state").with("request", &object);
    let refused = alice.get(&ask.path()).await;
    assert_eq!(arrived(&refused).1["error"], "request_not_supported");
    assert_eq!(refused.header("set-cookie"), "");
    // Line separators of Unicode are text, and travel encoded.
    let state = "x\u{2028}\u{2029}\u{feff}";
    let trip = alice.authorize(&Ask::of(&SPA).with("state", state)).await;
    assert_eq!(trip.arrived().1["state"], state);
    assert!(trip.answer.header("location").is_ascii());
}

/// RFC 9700 section 4.3: codes stay in no cache and go into no other site's log.
#[tokio::test]
async fn redirects_with_codes_are_not_cached_nor_referred_to() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let ask = Ask::of(&SPA);
    let Trip { answer: agreed, .. } = alice.authorize(&ask).await;
    let silent = alice.get(&ask.clone().with("prompt", "none").path()).await;
    let error = alice.get(&ask.with("prompt", "x").path()).await;
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

/// More than 8 KiB is no request: what stands between browser and server would cut it, and no client needs it.
#[tokio::test]
async fn a_huge_request_is_refused_by_a_page_at_every_door() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let huge = Ask::of(&SPA).with("state", &"s".repeat(8 * 1024));
    crate::authorize::assert_stays(&alice.get(&huge.path()).await, 413);
    let in_back = encoded(&[("return_to", &huge.path())]);
    let login = alice.get(&format!("/login?{in_back}")).await;
    assert_eq!(Form::of(&login, "/login").fields["return_to"], "/");
    let many = (0..100).fold(Ask::of(&SPA), |ask, n| ask.and(&format!("x{n}"), "1"));
    crate::authorize::assert_stays(&alice.get(&many.path()).await, 400);
    let (mut bob, form) = super::asked(&house, "bob", &SHOP).await;
    let page = bob.submit(form.fill("request", &huge.query())).await;
    super::assert_expired(&page);
    let body = "x".repeat(65 * 1024);
    let posted = alice
        .send(crate::wire::post(AUTHORIZE, &[("state", &body)]))
        .await;
    crate::authorize::assert_stays(&posted, 413);
    // What fits is answered.
    let fits = Ask::of(&SPA).with("state", &"s".repeat(7 * 1024));
    alice.authorize(&fits).await.code();
}
