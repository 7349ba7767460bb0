//! What every page has: its headers, its cookies, and where it leads.

use grantor_testkit::encoded;
use grantor_testkit::server::{Answer, DEVICE_AUTHORIZATION, Form, TestServer, With as _, post};

fn assert_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
    assert_eq!(answer.header("document-policy"), "force-load-at-top");
    let policy = answer.header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} is not in {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"));
}

#[tokio::test]
async fn rfc6749_10_13_every_page_forbids_frames_scripts_sniffing_and_caching() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.browser();
    assert_page(&alice.get("/login").await, 200);
    assert_page(&alice.sign_in("alice", "wrong").await, 400);
    assert_page(&alice.get("/").await, 200);
    assert_page(&alice.get("/logout").await, 200);
    alice.sign_in("alice", "alice-password").await;
    for path in ["/", "/device", "/logout"] {
        assert_page(&alice.get(path).await, 200);
    }
    assert_page(&alice.get("/no/such/page").await, 404);
    assert_page(&alice.get("/consent").await, 405);
    assert_page(&alice.type_code("BBBB-BBBB").await, 400);
    let asked = alice.type_code(&codes.user).await;
    assert_page(&asked, 200);
    let form = Form::of(&asked, "/device/decision").fill("decision", "deny");
    assert_page(&alice.submit_and_follow(form.clone()).await, 200);
    assert_page(&alice.submit_and_follow(form).await, 200);
    let out = Form::of(&alice.get("/logout").await, "/logout");
    assert_page(&alice.submit(out).await, 200);
}

#[tokio::test]
async fn pages_outside_a_flow_have_a_cross_origin_opener_policy() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for path in ["/", "/device", "/logout", "/account"] {
        let answer = alice.get(path).await;
        let policy = answer.header("cross-origin-opener-policy");
        assert_eq!(policy, "same-origin", "{path}");
    }
}

#[tokio::test]
async fn cookies_are_bound_to_the_host_and_hidden_from_scripts() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let first = alice.get("/login").await;
    let page = Form::of(&first, "/login")
        .fill("username", "alice")
        .fill("password", "alice-password");
    let signed_in = alice.submit(page).await;
    let sets: Vec<_> = [first, signed_in]
        .iter()
        .flat_map(|answer| answer.headers.get_all("set-cookie"))
        .map(|value| value.to_str().expect("text").to_owned())
        .collect();
    assert_eq!(
        sets.len(),
        4,
        "before sign-in one; at sign-in two, and the first is removed"
    );
    for set in &sets {
        assert!(set.starts_with("__Host-grantor-3d38e146cf9f"), "{set}");
        let attributes: Vec<_> = set.split("; ").skip(1).collect();
        for needed in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
            assert!(attributes.contains(&needed), "{needed} is not in {set}");
        }
        assert!(!set.contains("Domain"));
    }
}

#[tokio::test]
async fn on_plain_http_cookies_have_a_name_that_browsers_accept() {
    let server = TestServer::with(|realm| realm.issuer = "http://127.0.0.1:8080".to_owned()).await;
    let answer = server.browser().get("/login").await;
    let set = answer.header("set-cookie");
    assert!(set.starts_with("grantor-d30a576c0318-pre="), "{set}");
    assert!(!set.contains("Secure"), "{set}");
}

#[tokio::test]
async fn sign_in_comes_first_and_continues_to_the_code() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.browser();
    let first = alice
        .get(&format!("/device?user_code={}", codes.user))
        .await;
    assert_eq!(first.status, 303);
    assert_eq!(first.header("cache-control"), "no-store");
    assert_eq!(first.header("referrer-policy"), "no-referrer");
    let login = alice.get(first.header("location")).await;
    assert!(
        login
            .body
            .contains("Sign in first, then connect your device.")
    );
    let form = Form::of(&login, "/login")
        .fill("username", "alice")
        .fill("password", "alice-password");
    let then = alice.submit(form).await;
    assert_eq!(
        then.header("location"),
        format!("/device?user_code={}", codes.user)
    );
    let page = alice.get(then.header("location")).await;
    assert!(page.body.contains(&format!("value=\"{}\"", codes.user)));
}

#[tokio::test]
async fn sign_in_leads_to_our_own_pages_only() {
    let server = TestServer::new().await;
    for target in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/oauth2/token",
        "javascript:x",
    ] {
        let mut alice = server.browser();
        let query = encoded(&[("return_to", target)]);
        let login = alice.get(&format!("/login?{query}")).await;
        let form = Form::of(&login, "/login")
            .fill("username", "alice")
            .fill("password", "alice-password");
        for form in [form.clone(), form.fill("return_to", target)] {
            let page = alice.get("/login").await;
            let token = Form::of(&page, "/login").fields["form_token"].clone();
            let answer = alice.submit(form.fill("form_token", &token)).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, "/"),
                "{target}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_read_the_same() {
    let server = TestServer::new().await;
    let strip = |page: Answer| {
        let form = Form::of(&page, "/login");
        page.body
            .replace(&form.fields["form_token"], "")
            .replace(page.header("x-request-id"), "")
            .replace("nobody", "alice")
    };
    let mut browser = server.browser();
    let wrong = browser.sign_in("alice", "wrong").await;
    let unknown = browser.sign_in("nobody", "wrong").await;
    assert_eq!((wrong.status, unknown.status), (400, 400));
    assert_eq!(strip(wrong), strip(unknown));
}

#[tokio::test]
async fn rfc6749_10_10_guessing_passwords_is_bounded() {
    let server = TestServer::new().await;
    let mut guesser = server.browser();
    for _ in 0..10 {
        assert_eq!(guesser.sign_in("alice", "guess").await.status, 400);
    }
    let page = guesser.sign_in("alice", "alice-password").await;
    assert_eq!(page.status, 429, "not even the right one");
    assert!(page.header("retry-after").parse::<u64>().expect("seconds") >= 1);
    let mut elsewhere = server.browser();
    elsewhere.address = "198.51.100.7";
    assert_eq!(
        elsewhere.sign_in("alice", "alice-password").await.status,
        303,
        "alice is not locked out"
    );
}

#[tokio::test]
async fn the_user_agent_of_a_device_is_shown_as_text() {
    let server = TestServer::new().await;
    let request = post(DEVICE_AUTHORIZATION, &[("client_id", "tv")]);
    let codes = server
        .send(request.with("user-agent", "<script>alert(1)</script>/1"))
        .await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.type_code(&codes.member("user_code")).await;
    assert!(page.body.contains("value=\"approve\""));
    assert!(!page.body.contains("<script>"), "{page:?}");
}

#[tokio::test]
async fn the_stylesheet_is_cached_forever() {
    let server = TestServer::new().await;
    for asset in grantor_web::pages::assets::all() {
        let answer = server.get(&asset.path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, asset.content_type)
        );
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(answer.body, asset.body);
    }
}
