//! Cookies by issuer, those of the earlier name, and how long a session's cookie lasts.

use grantor_core::model::realm::{CookieLife, Realm};
use grantor_testkit::server::{Answer, Browser, Form, TestServer};

const SESSION: &str = "__Host-grantor-3d38e146cf9f";
const EARLIER: &str = "__Host-grantor-default";

async fn is_signed_in(browser: &mut Browser<'_>, path: &str) -> bool {
    browser.get(&format!("{path}/account")).await.status == 200
}

fn sets(answer: &Answer, name: &str) -> Vec<String> {
    let begin = format!("{name}=");
    let sets = answer.headers.get_all("set-cookie").into_iter();
    let sets = sets.map(|set| set.to_str().expect("text").to_owned());
    sets.filter(|set| set.starts_with(&begin)).collect()
}

/// What a version before this one set: the same values under other names.
fn renamed(browser: &mut Browser<'_>, to: &str) {
    let cookies = std::mem::take(&mut browser.cookies);
    let renamed = cookies.into_iter().map(|(name, value)| {
        let name = name.replacen(SESSION, to, 1);
        (name, value)
    });
    browser.cookies = renamed.collect();
}

/// The same host on another port, even with the same store and keys: browsers send both servers the cookies of both.
#[tokio::test]
async fn issuers_of_one_host_neither_read_nor_overwrite_each_others_cookies() {
    let one = TestServer::new().await;
    for issuer in ["https://id.example.com:8443", "http://127.0.0.1:8080"] {
        let other = one.restarted(|realm| realm.issuer = issuer.to_owned());
        let alice = one.signed_in("alice").await;
        let mut at_other = other.browser();
        at_other.cookies = alice.cookies.clone();
        assert!(!is_signed_in(&mut at_other, "").await);
        at_other.sign_in("bob", "bob-password").await;
        assert!(is_signed_in(&mut at_other, "").await);
        let mut back = one.browser();
        back.cookies = at_other.cookies.clone();
        for (name, value) in &alice.cookies {
            assert_eq!(back.cookies.get(name), Some(value), "{name}");
        }
        let page = back.get("/account").await;
        assert!(page.body.contains("alice"), "{page:?}");
        // Signing out at one leaves the other.
        back.submit(Form::of(&back.clone().get("/logout").await, "/logout"))
            .await;
        at_other.cookies = back.cookies.clone();
        assert!(is_signed_in(&mut at_other, "").await);
    }
}

/// A page of a sibling path, or of a sibling host for the whole domain, can set a cookie beside ours.
#[tokio::test]
async fn a_cookie_that_a_sibling_tossed_in_signs_nobody_in() {
    let path = "/realms/staff";
    let server = TestServer::with(|realm: &mut Realm| {
        realm.issuer = format!("https://id.example.com{path}");
    })
    .await;
    let sign_in = async |name: &str| {
        let mut browser = server.browser();
        let page = browser.get(&format!("{path}/login")).await;
        let form = Form::of(&page, &format!("{path}/login"));
        let form = form.fill("username", name);
        let answer = browser
            .submit(form.fill("password", &format!("{name}-password")))
            .await;
        (browser, answer)
    };
    let (mut alice, answer) = sign_in("alice").await;
    let (bob, _) = sign_in("bob").await;
    assert!(is_signed_in(&mut alice, path).await);
    let name = alice.cookies.keys().find(|name| !name.ends_with("-known"));
    let name = name.expect("a session").clone();
    assert!(name.starts_with("__Secure-grantor-"), "{name}");
    let set = sets(&answer, &name).concat();
    assert!(set.contains("; Path=/realms/staff;"), "{set}");
    assert!(set.contains("; Secure"), "{set}");
    // Beside ours: neither counts.
    let mut both = server.browser();
    both.cookies.insert(
        name.clone(),
        format!("{}; {name}={}", alice.cookies[&name], bob.cookies[&name]),
    );
    assert!(!is_signed_in(&mut both, path).await);
    // Under the names of an issuer without a path, of one without TLS, or in another case.
    let bare = name.trim_start_matches("__Secure-");
    for other in [
        bare.to_owned(),
        format!("__Host-{bare}"),
        format!("__secure-{bare}"),
        format!("{name}-pre"),
        "grantor-default".to_owned(),
    ] {
        let mut tossed = server.browser();
        tossed
            .cookies
            .insert(other.clone(), bob.cookies[&name].clone());
        assert!(!is_signed_in(&mut tossed, path).await, "{other}");
    }
}

#[tokio::test]
async fn a_session_of_the_earlier_cookie_goes_on_until_a_sign_in_replaces_it() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    renamed(&mut alice, EARLIER);
    assert!(is_signed_in(&mut alice, "").await);
    assert!(alice.cookies.contains_key(EARLIER));
    let stolen = alice.cookies.clone();
    let answer = alice.sign_in("alice", "alice-password").await;
    assert_eq!(sets(&answer, EARLIER).len(), 1, "{answer:?}");
    assert!(!alice.cookies.contains_key(EARLIER), "it is gone");
    assert!(alice.cookies.contains_key(SESSION));
    assert!(is_signed_in(&mut alice, "").await);
    let mut thief = server.browser();
    thief.cookies = stolen;
    assert!(!is_signed_in(&mut thief, "").await, "its secret is old");
    // Nothing of the kind for browsers that have none.
    let answer = alice.sign_in("alice", "alice-password").await;
    assert!(sets(&answer, EARLIER).is_empty(), "{answer:?}");
}

#[tokio::test]
async fn of_both_cookies_the_present_one_counts_and_signing_out_removes_both() {
    let server = TestServer::new().await;
    let mut browser = server.signed_in("bob").await;
    let bobs = browser.cookies[SESSION].clone();
    browser.cookies.clear();
    browser.sign_in("alice", "alice-password").await;
    browser.cookies.insert(EARLIER.to_owned(), bobs);
    let page = browser.get("/account").await;
    assert!(page.body.contains("alice"), "{page:?}");
    let form = Form::of(&browser.get("/logout").await, "/logout");
    browser.submit(form).await;
    assert!(!browser.cookies.contains_key(SESSION));
    assert!(!browser.cookies.contains_key(EARLIER));
    assert!(!is_signed_in(&mut browser, "").await);
}

/// An older server on another port of the host has that name still.
#[tokio::test]
async fn a_cookie_of_the_earlier_name_that_is_not_ours_stays() {
    let server = TestServer::new().await;
    let mut browser = server.browser();
    let theirs = "grantor_se_of_another_server";
    browser
        .cookies
        .insert(EARLIER.to_owned(), theirs.to_owned());
    browser.sign_in("alice", "alice-password").await;
    let form = Form::of(&browser.get("/logout").await, "/logout");
    browser.submit(form).await;
    assert_eq!(browser.cookies[EARLIER], theirs);
}

/// The sign-in form's answer, with the box ticked or not.
async fn sign_in(browser: &mut Browser<'_>, stay: bool) -> Answer {
    let page = browser.get("/login").await;
    let mut form = Form::of(&page, "/login").fill("username", "alice");
    if stay {
        form = form.fill("stay", "yes");
    }
    browser
        .submit(form.fill("password", "alice-password"))
        .await
}

async fn lasts(server: &TestServer, stay: bool) -> Option<String> {
    let answer = sign_in(&mut server.browser(), stay).await;
    let set = sets(&answer, SESSION).concat();
    let age = set.split_once("; Max-Age=")?.1;
    Some(age.to_owned())
}

fn persistent(realm: &mut Realm) {
    realm.lifetimes.session_cookie = CookieLife::Persistent;
}

#[tokio::test]
async fn a_session_cookie_outlives_the_browser_only_where_operator_and_user_say_so() {
    let server = TestServer::new().await;
    let page = server.get("/login").await;
    assert!(!page.body.contains("name=\"stay\""), "{page:?}");
    // The box is not offered, so it does not count.
    assert_eq!(lasts(&server, true).await, None);
    let server = server.restarted(persistent);
    let page = server.get("/login").await;
    assert!(
        page.body.contains("name=\"stay\" value=\"yes\">"),
        "{page:?}"
    );
    assert_eq!(lasts(&server, false).await, None);
    assert_eq!(lasts(&server, true).await.as_deref(), Some("604800"));
}

#[tokio::test]
async fn a_wrong_password_keeps_the_box_ticked() {
    let server = TestServer::with(persistent).await;
    let mut alice = server.browser();
    let page = alice.get("/login").await;
    let form = Form::of(&page, "/login").fill("username", "alice");
    let form = form.fill("stay", "yes").fill("password", "wrong");
    let page = alice.submit(form).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("value=\"yes\" checked>"), "{page:?}");
}
