//! Redirects to elsewhere (RFC 9700 sections 4.1 and 4.11): nobody is sent where a client did not register.

use crate::apps::{Ask, NATIVE, PORTAL, SHOP, SPA};
use crate::authorize::assert_stays;
use crate::browser::{Browser, Form};
use crate::house::{House, PASSWORD, client};
use crate::wire::encoded;

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
async fn no_trick_makes_another_redirect_uri_of_a_registered_one() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let tricks = TRICKS.map(|trick| (&SPA, trick)).into_iter();
    for (app, trick) in tricks.chain(NATIVE_TRICKS.map(|trick| (&NATIVE, trick))) {
        for more in [
            ("prompt", ""),
            ("prompt", "none"),
            ("response_type", "x"),
            ("response_mode", "form_post"),
        ] {
            let ask = Ask::of(app)
                .with("redirect_uri", trick)
                .with(more.0, more.1);
            let page = alice.get(&ask.path()).await;
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
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    for own in [
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:49152/cb",
        "http://[::1]/cb",
        "http://localhost:3000/cb",
        "com.example.native:/cb",
    ] {
        let ask = Ask::of(&NATIVE).with("redirect_uri", own);
        let trip = alice.authorize(&ask).await;
        assert_eq!(trip.arrived().0, own);
    }
}

/// A client's redirect URI is no other client's.
#[tokio::test]
async fn the_redirect_uri_of_another_client_is_not_registered_for_this_one() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    for id in ["shop", "portal", "tv", "nobody", "SPA", "spa ", "orders"] {
        let page = alice.get(&Ask::of(&SPA).with("client_id", id).path()).await;
        assert_stays(&page, 400);
    }
    assert_stays(
        &alice.get(&Ask::of(&SPA).without("client_id").path()).await,
        400,
    );
}

/// RFC 9700 section 4.11.2: what cannot be read as a request with one client and one redirect URI leads nowhere.
#[tokio::test]
async fn of_two_parameters_of_one_name_neither_is_taken() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
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
            let ask = Ask::of(&SPA).and(name, value);
            assert_stays(&alice.get(&ask.path()).await, 400);
        }
    }
    // The same within a POST.
    let twice = [("client_id", "spa"), ("client_id", "portal")];
    assert_stays(
        &alice
            .send(crate::wire::post(crate::apps::AUTHORIZE, &twice))
            .await,
        400,
    );
    // The query of one and the body of another are not mixed.
    let pairs = Ask::of(&PORTAL).without("redirect_uri").0;
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let path = format!(
        "{}?{}",
        crate::apps::AUTHORIZE,
        encoded(&[("redirect_uri", PORTAL.redirect_uri)])
    );
    let posted = alice.send(crate::wire::post(&path, &pairs)).await;
    assert!(
        !posted.header("location").contains("redirect_uri"),
        "{posted:?}"
    );
}

/// RFC 9700 section 4.11: the way back from sign-in leads to our own pages, and what it says is judged anew there.
#[tokio::test]
async fn the_way_back_from_sign_in_leads_to_no_address_that_is_not_registered() {
    let house = House::new().await;
    for target in [
        Ask::of(&SPA)
            .with("redirect_uri", "https://evil.example/")
            .path(),
        format!("https://evil.example{}", Ask::of(&SPA).path()),
        format!("//evil.example{}", Ask::of(&SPA).path()),
        format!("/\\evil.example{}", Ask::of(&SPA).path()),
        format!(
            "/oauth2/authorize/..//evil.example?{}",
            Ask::of(&SPA).query()
        ),
        format!("/oauth2/authorize@evil.example?{}", Ask::of(&SPA).query()),
        format!("{}\r\nLocation: https://evil.example", Ask::of(&SPA).path()),
        format!("{}#https://evil.example", "/oauth2/authorize"),
    ] {
        let mut alice = Browser::new(&house);
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
                .submit(form.fill("username", "alice").fill("password", PASSWORD))
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
async fn the_consent_form_leads_to_no_address_that_is_not_registered() {
    let house = House::new().await;
    let (mut alice, form) = super::asked(&house, "alice", &SPA).await;
    let elsewhere = Ask::of(&SPA)
        .with("redirect_uri", "https://evil.example/")
        .query();
    for decision in ["approve", "deny"] {
        let form = form
            .clone()
            .fill("request", &elsewhere)
            .fill("decision", decision);
        super::assert_expired(&alice.submit(form).await);
    }
}

/// RFC 9700 section 4.1.3: an address that is not registered any more gets nothing, also for what is under way.
#[tokio::test]
async fn an_address_that_is_withdrawn_gets_no_code_and_its_codes_no_tokens() {
    let house = House::new().await;
    let (alice, form) = super::asked(&house, "alice", &SHOP).await;
    let code = Browser::new(&house).authorize(&Ask::of(&SHOP)).await.code();
    let later = house.restarted(|realm| client(realm, "shop").code.redirect_uris.truncate(0));
    let mut at_later = Browser::new(&later);
    at_later.cookies = alice.cookies;
    assert_stays(&at_later.submit(form).await, 400);
    let answer = later.redeem(&SHOP, &code).await;
    assert_eq!(answer.error(), crate::wire::refused(400, "invalid_grant"));
}
