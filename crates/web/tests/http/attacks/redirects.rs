//! Redirects to elsewhere (RFC 9700 sections 4.1 and 4.11): the browser is sent only to registered addresses.

use crate::authorize::assert_stays;
use grantor_testkit::server::{Form, TestServer, post, refused};
use grantor_testkit::{
    AUTHORIZE, AuthorizationRequest, NATIVE, PORTAL, SHOP, SPA, client, encoded, redirect_uri,
};
/// What is not `https://spa.example.com/callback`, though one parser or another may think so.
const TRICKS: [&str; 40] = [
    "https://evil.example.com/callback",
    "https://spa.example.com.evil.example.com/callback",
    "https://spa.example.comevil.example/callback",
    "https://evil.example/spa.example.com/callback",
    "https://evil.example/?https://spa.example.com/callback",
    "https://spa.example.com/callback/",
    "https://spa.example.com/callback/more",
    "https://spa.example.com/callbackmore",
    "https://spa.example.com/callback?",
    "https://spa.example.com/callback?x=1",
    "https://spa.example.com/callback#",
    "https://spa.example.com/callback#x",
    "https://spa.example.com/callback%23x",
    "https://spa.example.com/callback;x",
    "https://spa.example.com/call%62ack",
    "https://spa.example.com/Callback",
    "https://SPA.example.com/callback",
    "HTTPS://spa.example.com/callback",
    "http://spa.example.com/callback",
    "https://spa.example.com:443/callback",
    "https://spa.example.com:8443/callback",
    "https://spa.example.com./callback",
    "https://spa.example.com/./callback",
    "https://spa.example.com/x/../callback",
    "https://spa.example.com/callback/../../evil",
    "https://spa.example.com//callback",
    "https://spa.example.com/callback/..;/x",
    "https://spa.example.com@evil.example/callback",
    "https://evil.example@spa.example.com/callback",
    "https://evil.example#@spa.example.com/callback",
    "https://evil.example\\@spa.example.com/callback",
    "https:\\\\spa.example.com\\callback",
    "https:spa.example.com/callback",
    "//spa.example.com/callback",
    "/callback",
    " https://spa.example.com/callback",
    "https://spa.example.com/callback ",
    "https://ѕpa.example.com/callback",
    "javascript://spa.example.com/callback%0aalert(1)",
    "https://*.example.com/callback",
];

/// And what is no loopback address of the native app.
const NATIVE_TRICKS: [&str; 22] = [
    "http://127.0.0.1:49152/cb/",
    "http://127.0.0.1:49152/",
    "http://127.0.0.1:49152/cb?x=1",
    "http://127.0.0.1:49152/cb#x",
    "http://127.0.0.1:0/cb",
    "http://127.0.0.1:080/cb",
    "http://127.0.0.1:65536/cb",
    "http://127.0.0.1:/cb",
    "http://127.0.0.1:80@evil.example/cb",
    "http://127.0.0.1@evil.example/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1:80\\@evil.example/cb",
    "http://127.0.0.2:49152/cb",
    "http://127.1:49152/cb",
    "http://2130706433:49152/cb",
    "http://[::1]:49152/cb/x",
    "http://[0:0:0:0:0:0:0:1]:49152/cb",
    "http://[::ffff:127.0.0.1]:49152/cb",
    "http://localhost:49152/cb",
    "https://127.0.0.1:49152/cb",
    "com.example.native://cb",
    "com.example.native:/cb?x",
];

#[tokio::test]
async fn no_variation_of_a_registered_redirect_uri_is_accepted() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let tricks = TRICKS.map(|trick| (SPA, trick)).into_iter();
    for (app, trick) in tricks.chain(NATIVE_TRICKS.map(|trick| (NATIVE, trick))) {
        for more in [
            ("prompt", ""),
            ("prompt", "none"),
            ("response_type", "x"),
            ("response_mode", "form_post"),
        ] {
            let authorization = AuthorizationRequest::new(app)
                .with("redirect_uri", trick)
                .with(more.0, more.1);
            let page = alice.get(&authorization.path()).await;
            assert_stays(&page, 400);
            assert!(
                !page.header("content-security-policy").contains("evil"),
                "{trick}"
            );
        }
    }
}

/// RFC 8252 sections 7.1 and 7.3: any port of a loopback address; a name only as it is registered.
#[tokio::test]
async fn a_native_app_is_answered_at_any_port_of_its_loopback_addresses() {
    let server = TestServer::with(|realm| {
        let name = "http://localhost/dev".parse().expect("a redirect URI");
        client(realm, NATIVE).code.redirect_uris.push(name);
    })
    .await;
    let mut alice = server.signed_in("alice").await;
    for own in [
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:49152/cb",
        "http://[::1]/cb",
        "http://localhost:3000/cb",
        "http://localhost:61023/dev",
        "http://localhost/dev",
        "com.example.native:/cb",
    ] {
        let authorization = AuthorizationRequest::new(NATIVE).with("redirect_uri", own);
        let result = alice.authorize(&authorization).await;
        assert_eq!(result.redirect().0, own);
    }
    for trick in [
        "http://localhost.evil.example/dev",
        "http://localhost.evil.example:61023/dev",
        "http://localhost@evil.example/dev",
        "http://localhost:80@evil.example/dev",
        "http://localhost:80#@evil.example/dev",
        "http://localhost:0/dev",
        "http://app.localhost:61023/dev",
        "http://127.0.0.1:61023/dev",
        "http://localhost:61023/dev/",
        // Registered with a port.
        "http://localhost:3001/cb",
    ] {
        let authorization = AuthorizationRequest::new(NATIVE).with("redirect_uri", trick);
        let page = alice.get(&authorization.path()).await;
        assert_stays(&page, 400);
    }
}

/// A redirect URI of one client is not valid for another.
#[tokio::test]
async fn the_redirect_uri_of_another_client_is_not_registered_for_this_one() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for id in ["shop", "portal", "tv", "nobody", "SPA", "spa ", "orders"] {
        let page = alice
            .get(&AuthorizationRequest::new(SPA).with("client_id", id).path())
            .await;
        assert_stays(&page, 400);
    }
    assert_stays(
        &alice
            .get(&AuthorizationRequest::new(SPA).without("client_id").path())
            .await,
        400,
    );
}

/// RFC 9700 section 4.11.2: what cannot be read as a request with one client and one redirect URI leads nowhere.
#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let names = [
        "client_id",
        "redirect_uri",
        "state",
        "scope",
        "nonce",
        "response_type",
        "code_challenge",
    ];
    for name in names {
        for value in ["", "x", "https://evil.example/"] {
            let authorization = AuthorizationRequest::new(SPA).and(name, value);
            assert_stays(&alice.get(&authorization.path()).await, 400);
        }
    }
    // The same within a POST.
    let twice = [("client_id", "spa"), ("client_id", "portal")];
    assert_stays(&alice.send(post(AUTHORIZE, &twice)).await, 400);
    // The query of one and the body of another are not mixed.
    let pairs = AuthorizationRequest::new(PORTAL).without("redirect_uri").0;
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let path = format!(
        "{}?{}",
        AUTHORIZE,
        encoded(&[("redirect_uri", redirect_uri(PORTAL))])
    );
    let posted = alice.send(post(&path, &pairs)).await;
    assert!(
        !posted.header("location").contains("redirect_uri"),
        "{posted:?}"
    );
}

/// RFC 9700 section 4.11: return_to leads to our own pages, and its request is checked again there.
#[tokio::test]
async fn return_to_cannot_lead_to_an_unregistered_redirect_uri() {
    let server = TestServer::new().await;
    for target in [
        AuthorizationRequest::new(SPA)
            .with("redirect_uri", "https://evil.example/")
            .path(),
        format!(
            "https://evil.example{}",
            AuthorizationRequest::new(SPA).path()
        ),
        format!("//evil.example{}", AuthorizationRequest::new(SPA).path()),
        format!("/\\evil.example{}", AuthorizationRequest::new(SPA).path()),
        format!(
            "/oauth2/authorize/..//evil.example?{}",
            AuthorizationRequest::new(SPA).query()
        ),
        format!(
            "/oauth2/authorize@evil.example?{}",
            AuthorizationRequest::new(SPA).query()
        ),
        format!(
            "{}\r\nLocation: https://evil.example",
            AuthorizationRequest::new(SPA).path()
        ),
        format!("{}#https://evil.example", "/oauth2/authorize"),
    ] {
        let mut alice = server.browser();
        let login = alice
            .get(&format!("/login?{}", encoded(&[("return_to", &target)])))
            .await;
        assert!(
            !login.header("content-security-policy").contains("evil"),
            "{login:?}"
        );
        assert!(
            !login
                .header("content-security-policy")
                .contains("form-action 'self' "),
            "{login:?}"
        );
        for planted in [false, true] {
            let mut form = Form::of(&alice.get("/login").await, "/login");
            if planted {
                form = form.fill("return_to", &target);
            } else {
                let own = Form::of(&login, "/login").fields["return_to"].clone();
                form = form.fill("return_to", &own);
            }
            let signed_in = alice
                .submit(
                    form.fill("username", "alice")
                        .fill("password", "alice-password"),
                )
                .await;
            if signed_in.status != 303 {
                assert_stays(&signed_in, 400);
                continue;
            }
            let location = signed_in.header("location");
            assert!(
                location == "/" || location.starts_with("/oauth2/authorize?"),
                "{location}"
            );
            let there = alice.get(location).await;
            assert_ne!(there.status, 303, "{there:?}");
            assert!(
                !there.header("content-security-policy").contains("evil"),
                "{there:?}"
            );
        }
    }
}

/// The request within the consent form is no way out either.
#[tokio::test]
async fn the_consent_form_cannot_lead_to_an_unregistered_redirect_uri() {
    let server = TestServer::new().await;
    let (mut alice, form) = super::consent_form(&server, "alice", SPA).await;
    let elsewhere = AuthorizationRequest::new(SPA)
        .with("redirect_uri", "https://evil.example/")
        .query();
    for decision in ["approve", "deny"] {
        let form = form
            .clone()
            .fill("request", &elsewhere)
            .fill("decision", decision);
        let answer = alice.submit(form).await;
        super::assert_unanswered(&answer);
        assert_stays(&alice.get(answer.header("location")).await, 400);
    }
}

/// RFC 9700 section 4.1.3: an address that is not registered any more gets nothing, also for what is under way.
#[tokio::test]
async fn a_withdrawn_redirect_uri_gets_no_code_and_its_codes_no_tokens() {
    let server = TestServer::new().await;
    let (alice, form) = super::consent_form(&server, "alice", SHOP).await;
    let code = server
        .browser()
        .authorize(&AuthorizationRequest::new(SHOP))
        .await
        .code();
    let later = server.restarted(|realm| client(realm, "shop").code.redirect_uris.truncate(0));
    let mut at_later = later.browser();
    at_later.cookies = alice.cookies;
    assert_stays(&at_later.submit(form).await, 400);
    let answer = later.redeem(SHOP, &code).await;
    assert_eq!(answer.error(), refused(400, "invalid_grant"));
}
