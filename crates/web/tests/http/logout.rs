//! OpenID Connect RP-Initiated Logout, as browsers see it.

use std::time::Duration;

use grantor_core::engine::event::EventKind;
use grantor_core::grants::GrantType;
use grantor_core::model::client::{CodePolicy, ConsentPolicy, LogoutPolicy};
use url::Url;

use grantor_testkit::server::{
    Answer, Browser, Form, TestServer, With as _, authorization_of, post,
};
use grantor_testkit::{Spans as _, client, encoded};

const LOGOUT: &str = "/oauth2/logout";
const CALLBACK: &str = "https://console.example/cb";
const BYE: &str = "https://console.example/bye";
/// 128 characters, some of which must be encoded.
const STATE: &str = "0123456789abcdef+/=&?%#;:,. -_~!$'()*@[]|^`{}\"<>\\0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456";

/// A server whose client `console` is a web app.
async fn server() -> TestServer {
    server_with(ConsentPolicy::Ask).await
}

async fn server_with(consent: ConsentPolicy) -> TestServer {
    TestServer::with(|realm| {
        let uri = |text: &str| text.parse().expect("a redirect URI");
        let console = client(realm, "console");
        console.grants.push(GrantType::AuthorizationCode);
        console.code = CodePolicy {
            redirect_uris: vec![uri(CALLBACK)],
            pkce_required: false,
            lifetime: Duration::from_secs(60),
            consent,
        };
        console.logout = LogoutPolicy {
            redirect_uris: vec![uri(BYE)],
            backchannel_uri: None,
        };
    })
    .await
}

async fn authorize(browser: &mut Browser<'_>, more: &[(&str, &str)]) -> Url {
    let request = [
        ("client_id", "console"),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
    ];
    let query = encoded(&[&request, more].concat());
    let mut answer = browser.get(&format!("/oauth2/authorize?{query}")).await;
    if answer.status == 200 {
        let consent = Form::of(&answer, "/consent").fill("decision", "approve");
        answer = browser.submit(consent).await;
    }
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").parse().expect("a URL")
}

/// An ID token that the console got in this browser.
async fn hint(server: &TestServer, browser: &mut Browser<'_>) -> String {
    let answer = authorize(browser, &[]).await;
    let code = answer.query_pairs().find(|(name, _)| name == "code");
    let (_, code) = code.expect("a code");
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
    ];
    let request = post("/oauth2/token", &pairs).with("authorization", &authorization_of("console"));
    server.send(request).await.member("id_token")
}

fn address(pairs: &[(&str, &str)]) -> String {
    format!("{LOGOUT}?{}", encoded(pairs))
}

/// The form of a confirmation page.
fn question(page: &Answer) -> Form {
    assert!(page.body.contains("value=\"sign-out\""), "{page:?}");
    let is_refused = page.body.contains("id=\"refused\"");
    assert_eq!(is_refused, page.status == 400);
    Form::of(page, "/logout")
}

fn is_signed_out(page: &Answer) -> bool {
    page.status == 200
        && page.body.contains("id=\"signed-out\"")
        && page.header("location").is_empty()
}

#[tokio::test]
async fn openid_rpinitiated_3_the_browser_returns_to_the_registered_uri_with_exactly_the_state() {
    assert_eq!(STATE.len(), 128);
    let server = server().await;
    for state in [Some(STATE), None] {
        let mut alice = server.signed_in("alice").await;
        let hint = hint(&server, &mut alice).await;
        let mut pairs = vec![
            ("id_token_hint", hint.as_str()),
            ("post_logout_redirect_uri", BYE),
        ];
        pairs.extend(state.map(|state| ("state", state)));
        let page = alice.get(&address(&pairs)).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("The console") && page.body.contains("alice"));
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https:;"), "{policy}");

        let answer = alice.submit(question(&page)).await;
        assert_eq!(answer.status, 303);
        let location: Url = answer.header("location").parse().expect("a URL");
        let expected = state.map(|state| encoded(&[("state", state)]));
        assert_eq!(location.query(), expected.as_deref());
        let got: Vec<_> = location.query_pairs().into_owned().collect();
        let sent: Vec<_> = state
            .iter()
            .map(|s| ("state".to_owned(), (*s).to_owned()))
            .collect();
        assert_eq!(got, sent);
        assert!(answer.header("location").starts_with(BYE));
        assert!(!alice.cookies.contains_key("__Host-grantor-3d38e146cf9f"));
    }
}

/// The app is the operator's own, and its ID token is of this very session.
#[tokio::test]
async fn openid_rpinitiated_2_an_app_without_consent_signs_out_of_its_own_session_at_once() {
    let server = server_with(ConsentPolicy::Skip).await;
    let mut alice = server.signed_in("alice").await;
    let mut bob = server.signed_in("bob").await;
    let hint = hint(&server, &mut alice).await;
    let pairs = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", BYE),
    ];
    // Another browser is asked, whoever has the token.
    let page = bob.get(&address(&pairs)).await;
    question(&page);
    assert!(page.body.contains("bob") && !page.body.contains("alice"));
    let kept = alice.cookies.clone();
    let answer = alice.get(&address(&pairs)).await;
    assert_eq!((answer.status, answer.header("location")), (303, BYE));
    assert!(!alice.cookies.contains_key("__Host-grantor-default"));
    alice.cookies = kept;
    assert!(!alice.get("/").await.body.contains("alice"), "it has ended");
    assert!(bob.get("/").await.body.contains("bob"));
}

/// A browser that sends no cookie, such as for a picture in a page elsewhere, keeps its session and its cookie.
#[tokio::test]
async fn an_unasked_sign_out_of_another_site_ends_and_removes_nothing() {
    let server = server_with(ConsentPolicy::Skip).await;
    let mut alice = server.signed_in("alice").await;
    let hint = hint(&server, &mut alice).await;
    let pairs = [("id_token_hint", hint.as_str())];
    let kept = std::mem::take(&mut alice.cookies);
    let without_cookies = alice.get(&address(&pairs)).await;
    assert_eq!(without_cookies.header("set-cookie"), "");
    let posted = post(LOGOUT, &pairs).with("sec-fetch-site", "cross-site");
    let posted = alice.send(posted).await;
    assert_eq!((posted.status, posted.header("set-cookie")), (200, ""));
    alice.cookies = kept;
    assert!(alice.get("/").await.body.contains("alice"));
}

#[tokio::test]
async fn openid_rpinitiated_2_after_the_confirmation_prompt_none_says_login_required() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let hint = hint(&server, &mut alice).await;
    let kept = alice.cookies.clone();
    let page = alice.get(&address(&[("id_token_hint", &hint)])).await;
    let silent = authorize(&mut alice, &[("prompt", "none")]).await;
    assert!(
        silent.query_pairs().any(|(name, _)| name == "code"),
        "nothing ended yet"
    );
    server.take_events();
    let done = alice.submit(question(&page)).await;
    assert!(
        is_signed_out(&done) && done.body.contains("The console"),
        "{done:?}"
    );
    let events: Vec<_> = server
        .take_events()
        .into_iter()
        .map(|(_, kind)| kind)
        .collect();
    assert_eq!(events, [EventKind::SignedOut]);
    // Not even with the cookie of before.
    alice.cookies = kept;
    let silent = authorize(&mut alice, &[("prompt", "none")]).await;
    assert!(
        silent
            .query_pairs()
            .any(|(name, value)| name == "error" && value == "login_required")
    );
}

#[tokio::test]
async fn openid_rpinitiated_4_unverified_requests_do_not_redirect() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let hint = hint(&server, &mut alice).await;
    let cut = &hint[..hint.len() - 2];
    let bad: [&[(&str, &str)]; 7] = [
        &[
            ("id_token_hint", &hint),
            ("post_logout_redirect_uri", "https://console.example/other"),
        ],
        &[
            ("id_token_hint", &hint),
            (
                "post_logout_redirect_uri",
                "https://console.example/bye?x=1",
            ),
        ],
        &[
            ("id_token_hint", &hint),
            ("post_logout_redirect_uri", "https://evil.example/"),
        ],
        &[("post_logout_redirect_uri", BYE), ("state", "s")],
        &[("id_token_hint", cut), ("post_logout_redirect_uri", BYE)],
        &[
            ("id_token_hint", "eyJhbGciOiJub25lIn0.e30."),
            ("post_logout_redirect_uri", BYE),
        ],
        &[
            ("id_token_hint", &hint),
            ("client_id", "tv"),
            ("post_logout_redirect_uri", BYE),
        ],
    ];
    for bad in bad {
        let path = address(bad);
        // The user can sign out all the same, and stays here.
        let page = alice.get(&path).await;
        assert_eq!((page.status, page.header("location")), (400, ""), "{bad:?}");
        assert!(!page.body.contains("The console"));
        assert!(page.body.contains("id=\"refused\""), "and learns why");
        assert!(
            page.header("content-security-policy")
                .contains("form-action 'self';")
        );
        assert!(!question(&page).fields.contains_key("request"));
        assert!(is_signed_out(&alice.submit(question(&page)).await));
        // Without a session, the page says what is wrong.
        let page = alice.get(&path).await;
        assert_eq!((page.status, page.header("location")), (400, ""), "{bad:?}");
        assert!(page.body.contains("id=\"trace-id\""));
        alice = server.signed_in("alice").await;
    }
}

/// Whether someone is signed in or not.
#[tokio::test]
async fn a_refused_sign_out_looks_like_one_names_what_is_missing_and_shows_the_trace_id() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let hint = hint(&server, &mut alice).await;
    let uri = ("post_logout_redirect_uri", BYE);
    for (pairs, description) in [
        (
            &[uri][..],
            "No client is named: client_id or id_token_hint is missing.",
        ),
        (
            &[("client_id", "nobody"), uri],
            "The client is not known here.",
        ),
        (
            &[("client_id", "tv"), uri],
            "The post_logout_redirect_uri is not registered for the client.",
        ),
        (
            &[("client_id", "tv"), ("id_token_hint", &hint)],
            "The id_token_hint is of another client than client_id.",
        ),
        (
            &[("id_token_hint", "x"), uri],
            "The id_token_hint is no ID token of this issuer.",
        ),
    ] {
        let signed_in = alice.get(&address(pairs)).await;
        let signed_out = server.browser().get(&address(pairs)).await;
        for page in [signed_in, signed_out] {
            assert_eq!(page.status, 400, "{pairs:?}");
            assert!(page.body.contains("id=\"status\">Error 400<"), "{page:?}");
            let named = format!("id=\"description\" lang=\"en\">{description}<");
            assert!(page.body.contains(&named), "{page:?}");
            let trace = format!("id=\"trace-id\">{}<", page.header("x-request-id"));
            assert!(page.body.contains(&trace), "{page:?}");
        }
    }
}

#[tokio::test]
async fn openid_rpinitiated_3_without_an_address_a_page_says_that_the_user_is_signed_out() {
    let server = server().await;
    for pairs in [
        &[] as &[(&str, &str)],
        &[("state", "s")],
        &[("client_id", "console")],
    ] {
        let mut alice = server.signed_in("alice").await;
        let page = alice.get(&address(pairs)).await;
        assert!(
            is_signed_out(&alice.submit(question(&page)).await),
            "{pairs:?}"
        );
        assert!(
            is_signed_out(&alice.get(&address(pairs)).await),
            "{pairs:?}"
        );
    }
}

#[tokio::test]
async fn openid_rpinitiated_2_an_expired_id_token_is_a_hint() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let hint = hint(&server, &mut alice).await;
    server.advance(60.mins());
    let pairs = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", BYE),
    ];
    let page = alice.get(&address(&pairs)).await;
    let answer = alice.submit(question(&page)).await;
    assert_eq!((answer.status, answer.header("location")), (303, BYE));
    // There is no session any more: the browser is redirected at once.
    let answer = alice.get(&address(&pairs)).await;
    assert_eq!((answer.status, answer.header("location")), (303, BYE));
}

#[tokio::test]
async fn openid_rpinitiated_2_a_post_is_answered_by_the_same_request_as_a_get() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let pairs = [
        ("client_id", "console"),
        ("post_logout_redirect_uri", BYE),
        ("state", STATE),
    ];
    let page = alice.send(post(LOGOUT, &pairs)).await;
    let answer = alice.submit(question(&page)).await;
    let expected = format!("{BYE}?{}", encoded(&[("state", STATE)]));
    assert_eq!(answer.header("location"), expected);
}

#[tokio::test]
async fn a_link_or_foreign_form_cannot_sign_out_or_redirect() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let mut bob = server.signed_in("bob").await;
    let hint = hint(&server, &mut alice).await;
    let pairs = [
        ("id_token_hint", hint.as_str()),
        ("post_logout_redirect_uri", BYE),
    ];
    let page = alice.get(&address(&pairs)).await;
    let form = question(&page);
    let bobs = question(&bob.get(&address(&[("client_id", "console")])).await);
    let plain = question(&alice.get("/logout").await);
    let elsewhere = "client_id=console&post_logout_redirect_uri=https%3A%2F%2Fevil.example";
    for forged in [
        // Bob's form in Alice's browser, and Alice's token for another request, for none, or for one more.
        bobs.clone(),
        form.clone().fill("request", elsewhere),
        form.clone().fill("request", "client_id=console"),
        plain.clone().fill("request", &form.fields["request"]),
        form.clone().fill("form_token", ""),
        form.clone().fill("form_token", &plain.fields["form_token"]),
    ] {
        let answer = alice.submit(forged).await;
        assert_eq!(answer.status, 303);
        let location = answer.header("location");
        assert!(
            location.starts_with(LOGOUT) || location == "/logout",
            "{location}"
        );
        let page = alice.get(location).await;
        assert!(page.body.contains("Sign out?"), "it asks: {page:?}");
    }
    let mut without = form.clone();
    without.fields.remove("request");
    crate::assert_begins_again(&alice.submit(without).await, "/logout");
    let page = alice.get("/").await;
    assert!(page.body.contains("alice"), "still signed in");
    assert_eq!(alice.submit(form).await.header("location"), BYE);
}

#[tokio::test]
async fn a_store_that_is_down_ends_no_session_and_removes_no_cookie() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let form = question(&alice.get("/logout").await);
    server.store.set_down(true);
    let away = alice.submit(form.clone()).await;
    assert_eq!((away.status, away.header("set-cookie")), (503, ""));
    server.store.set_down(false);
    assert!(is_signed_out(&alice.submit(form).await));
}

#[tokio::test]
async fn the_pages_speak_the_language_that_the_client_names_and_no_unknown_one_is_an_error() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    for (locales, lang) in [("de", "de"), ("xx fr-CA en", "fr"), ("xx", "en")] {
        let page = alice.get(&address(&[("ui_locales", locales)])).await;
        assert!(
            page.body.contains(&format!("<html lang=\"{lang}\"")),
            "{locales}"
        );
        assert_eq!(page.status, 200);
    }
}
