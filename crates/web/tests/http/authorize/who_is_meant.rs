//! Who is meant, where a sign-in is demanded: the page says who is signed in, fills in who is expected, and offers any account.

use grantor_testkit::server::{Answer, Browser, Form, TestServer, claims};
use grantor_testkit::{AuthorizationRequest, PORTAL, SITE, SPA, user_id};

async fn login_page(browser: &mut Browser<'_>, request: &AuthorizationRequest) -> Answer {
    let to_login = browser.get(&request.path()).await;
    let page = browser.get(to_login.header("location")).await;
    assert!(page.body.contains("value=\"sign-in\""), "{page:?}");
    page
}

/// What stands in the field.
fn filled_in(page: &Answer) -> &str {
    let (_, field) = page
        .body
        .split_once("name=\"username\" type=\"text\" value=\"")
        .expect("a field for the name");
    field.split('"').next().unwrap_or_default()
}

/// Who the page says is signed in.
fn said(page: &Answer) -> Option<&str> {
    let (_, note) = page.body.split_once("id=\"signed-in\">")?;
    let (_, name) = note.split_once("<bdi class=\"value\">")?;
    name.split('<').next()
}

fn asks_to_confirm(page: &Answer) -> bool {
    page.body.contains("<h1>Confirm it’s you</h1>")
}

fn offers_another(page: &Answer) -> bool {
    page.body.contains("value=\"another-account\"")
}

/// An ID token that this app got for a user, with these scopes.
async fn hint(server: &TestServer, app: &'static str, user: &str, scope: &str) -> String {
    let request = AuthorizationRequest::new(app).with("scope", scope);
    let code = server
        .signed_in(user)
        .await
        .authorize(&request)
        .await
        .code();
    server.redeem(app, &code).await.member("id_token")
}

#[tokio::test]
async fn a_demanded_sign_in_says_who_is_signed_in_and_offers_another_account() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for (name, value) in [
        ("prompt", "login"),
        ("prompt", "select_account"),
        ("max_age", "0"),
    ] {
        let request = AuthorizationRequest::new(PORTAL).with(name, value);
        let page = login_page(&mut alice, &request).await;
        assert_eq!((said(&page), filled_in(&page)), (Some("alice"), "alice"));
        assert!(asks_to_confirm(&page) && offers_another(&page), "{value}");
        // Another account: no name, and whoever signs in goes on with the request.
        let other = Form::of(&page, "/login").fill("button", "another-account");
        let other = alice.submit(other).await;
        assert_eq!(other.status, 303);
        let page = alice.get(other.header("location")).await;
        assert_eq!((said(&page), filled_in(&page)), (Some("alice"), ""));
        assert!(!asks_to_confirm(&page) && !offers_another(&page));
        let answer = alice.follow(page, "bob", "approve").await;
        let id = super::id(&server.redeem(PORTAL, &answer.code()).await);
        assert_eq!(id["sub"], user_id("bob").to_string());
        alice = server.signed_in("alice").await;
    }
    // A wrong password changes nothing of that.
    let request = AuthorizationRequest::new(PORTAL).with("prompt", "login");
    let form = Form::of(&login_page(&mut alice, &request).await, "/login");
    for (typed, confirms) in [("ALICE", true), ("alice@EXAMPLE.com", true), ("bob", false)] {
        let wrong = form.clone().fill("username", typed).fill("password", "x");
        let page = alice.submit(wrong).await;
        assert_eq!((page.status, said(&page)), (400, Some("alice")));
        assert_eq!(asks_to_confirm(&page), confirms, "{typed}");
    }
}

/// A cookie of a session that ended says nothing.
#[tokio::test]
async fn the_sign_in_page_names_no_one_who_is_not_signed_in() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let kept = alice.cookies.clone();
    let form = Form::of(&alice.get("/logout").await, "/logout");
    alice.submit(form).await;
    alice.cookies = kept;
    let request = AuthorizationRequest::new(PORTAL).with("prompt", "login");
    let page = login_page(&mut alice, &request).await;
    assert_eq!((said(&page), filled_in(&page)), (None, ""));
    assert!(!page.body.contains("alice") && !asks_to_confirm(&page));
    // Nor does the plain page; for someone who is signed in, it does.
    assert_eq!(said(&alice.get("/login").await), None);
    let mut bob = server.signed_in("bob").await;
    let page = bob.get("/login").await;
    assert_eq!((said(&page), filled_in(&page)), (Some("bob"), ""));
}

#[tokio::test]
async fn a_hint_of_another_user_is_filled_in_next_to_who_is_signed_in() {
    let server = TestServer::new().await;
    let of_alice = hint(&server, PORTAL, "alice", "openid").await;
    let mut bob = server.signed_in("bob").await;
    let login_hint = AuthorizationRequest::new(PORTAL)
        .with("prompt", "login")
        .with("login_hint", "carol");
    for (request, expected) in [
        (
            AuthorizationRequest::new(PORTAL).with("id_token_hint", &of_alice),
            "alice",
        ),
        // Whom the ID token names is expected; the other is a proposal.
        (login_hint.clone().with("id_token_hint", &of_alice), "alice"),
        (login_hint, "carol"),
    ] {
        let page = login_page(&mut bob, &request).await;
        assert_eq!((said(&page), filled_in(&page)), (Some("bob"), expected));
        assert!(!asks_to_confirm(&page) && offers_another(&page));
    }
    // The same user, whose sign-in is too old.
    let mut alice = server.signed_in("alice").await;
    let request = AuthorizationRequest::new(PORTAL)
        .with("id_token_hint", &of_alice)
        .with("prompt", "login");
    let page = login_page(&mut alice, &request).await;
    assert!(asks_to_confirm(&page) && filled_in(&page) == "alice");
}

/// An ID token says who its user is by id. Anyone who has one, such as the client's operator or a thief, can open the page: it
/// tells a name only where the client may read that at userinfo.
#[tokio::test]
async fn a_hint_discloses_no_name_that_its_client_may_not_know() {
    let server = TestServer::new().await;
    let bare = hint(&server, SPA, "alice", "openid").await;
    let of_site = hint(&server, SITE, "alice", "openid profile").await;
    let sub = claims(&bare)["sub"].as_str().expect("a sub").to_owned();
    let by_claim = format!(r#"{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}"#);
    let mut bob = server.signed_in("bob").await;
    for (name, value) in [
        // The client was not given the profile; another client was; an id needs no token at all.
        ("id_token_hint", bare.as_str()),
        ("id_token_hint", &of_site),
        ("claims", &by_claim),
    ] {
        let request = AuthorizationRequest::new(SPA).with(name, value);
        for browser in [&mut bob, &mut server.browser()] {
            let page = login_page(browser, &request).await;
            assert!(!page.body.contains("alice"), "{name}: {page:?}");
            assert_eq!(filled_in(&page), "", "not the one who is not expected");
        }
        // The user's own browser knows the name.
        let mut alice = server.signed_in("alice").await;
        let page = login_page(&mut alice, &request.with("prompt", "login")).await;
        assert_eq!(filled_in(&page), "alice");
    }
    let request = |hint| AuthorizationRequest::new(SITE).with("id_token_hint", hint);
    let page = login_page(&mut bob, &request(&of_site)).await;
    assert_eq!(filled_in(&page), "alice", "its client may read the name");
    // Not any more, once the user took that back.
    let mut alice = server.signed_in("alice").await;
    let account = Form::of(&alice.get("/account").await, "/account/everywhere");
    alice.submit(account).await;
    let page = login_page(&mut bob, &request(&of_site)).await;
    assert_eq!(filled_in(&page), "");
}
