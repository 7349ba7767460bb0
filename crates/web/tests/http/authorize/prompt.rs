//! Who is asked what: `prompt`, `max_age` and `id_token_hint` (OpenID Connect Core section 3.1.2.1).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::apps::{Ask, NATIVE, PORTAL, SHOP, SPA};
use crate::browser::Browser;
use crate::house::{House, minutes};

const SECOND: Duration = Duration::from_secs(1);

/// Item 29.
#[tokio::test]
async fn prompt_none_without_a_session_is_login_required() {
    let house = House::new().await;
    let trip = Browser::new(&house)
        .authorize(&Ask::of(&SPA).with("prompt", "none"))
        .await;
    assert_eq!(trip.error(), "login_required");
    assert!(trip.pages.is_empty());
}

/// Item 30.
#[tokio::test]
async fn prompt_none_after_consent_is_silent_and_says_the_same_of_the_user() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let silent = Ask::of(&SPA).with("prompt", "none");
    assert_eq!(alice.authorize(&silent).await.error(), "consent_required");
    let first = alice.authorize(&Ask::of(&SPA)).await;
    assert_eq!(first.pages, ["consent"]);
    let first = super::id(&house.redeem(&SPA, &first.code()).await);
    house.world.advance(minutes(10));
    let second = alice.authorize(&silent).await;
    assert!(second.pages.is_empty());
    let second = super::id(&house.redeem(&SPA, &second.code()).await);
    for claim in ["sub", "auth_time", "sid"] {
        assert_eq!(first[claim], second[claim], "{claim}");
    }
    assert_ne!(first["iat"], second["iat"]);
    // For more than was agreed to it is not silent.
    let more = silent.with("scope", "openid email");
    assert_eq!(alice.authorize(&more).await.error(), "consent_required");
    let asked = alice.authorize(&more.without("prompt")).await;
    assert_eq!(asked.pages, ["consent"]);
}

/// RFC 8252 section 8.6: another program of the machine could ask in this one's name.
#[tokio::test]
async fn a_program_of_a_machine_is_asked_about_each_time() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    for uri in [
        NATIVE.redirect_uri,
        "http://[::1]:5000/cb",
        "com.example.native:/cb",
    ] {
        let ask = Ask::of(&NATIVE).with("redirect_uri", uri);
        for _ in 0..2 {
            assert_eq!(alice.authorize(&ask).await.pages, ["consent"], "{uri}");
        }
        let silent = alice.authorize(&ask.with("prompt", "none")).await;
        assert_eq!(silent.error(), "consent_required");
    }
}

/// Item 31.
#[tokio::test]
async fn prompt_login_asks_for_the_password_again_and_auth_time_is_later() {
    let house = House::new().await;
    let mut alice = Browser::new(&house);
    let first = alice.authorize(&Ask::of(&PORTAL)).await;
    assert_eq!(first.pages, ["login"]);
    let first = super::id(&house.redeem(&PORTAL, &first.code()).await);
    for prompt in ["login", "select_account", "login consent"] {
        house.world.advance(SECOND);
        let again = alice
            .authorize(&Ask::of(&PORTAL).with("prompt", prompt))
            .await;
        assert_eq!(again.pages[0], "login", "{prompt}");
        let again = super::id(&house.redeem(&PORTAL, &again.code()).await);
        assert!(again["auth_time"].as_u64() > first["auth_time"].as_u64());
        assert_eq!(again["sub"], first["sub"]);
    }
    // Without a password nothing comes of it.
    let asked = alice
        .get(&Ask::of(&PORTAL).with("prompt", "login").path())
        .await;
    assert!(asked.header("location").starts_with("/login?"));
}

#[tokio::test]
async fn prompt_consent_asks_again_also_of_clients_that_skip_it() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    for app in [&SPA, &PORTAL] {
        alice.authorize(&Ask::of(app)).await.code();
        let again = alice
            .authorize(&Ask::of(app).with("prompt", "consent"))
            .await;
        assert_eq!(again.pages, ["consent"], "{app:?}");
    }
    for prompt in ["none login", "none consent", "whatever", "create"] {
        let trip = alice
            .authorize(&Ask::of(&PORTAL).with("prompt", prompt))
            .await;
        assert_eq!(trip.error(), "invalid_request", "{prompt}");
    }
}

/// Items 32 and 33.
#[tokio::test]
async fn max_age_asks_again_when_the_sign_in_is_older_and_only_then() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let mut auth_times = Vec::new();
    for (max_age, pages) in [
        ("15000", vec![]),
        ("10000", vec![]),
        ("1", vec!["login"]),
        ("0", vec!["login"]),
        ("18446744073709551615", vec![]),
    ] {
        house.world.advance(2 * SECOND);
        let trip = alice
            .authorize(&Ask::of(&PORTAL).with("max_age", max_age))
            .await;
        assert_eq!(trip.pages, pages, "{max_age}");
        let id = super::id(&house.redeem(&PORTAL, &trip.code()).await);
        auth_times.push(id["auth_time"].as_u64().expect("integer seconds"));
        assert!(id["iat"].as_u64() >= id["auth_time"].as_u64());
    }
    let [first, second, third, fourth, fifth] = auth_times[..] else {
        panic!("{auth_times:?}");
    };
    assert_eq!(first, second);
    assert!(second < third && third < fourth);
    assert_eq!(fourth, fifth);
    house.world.advance(2 * SECOND);
    let silent = Ask::of(&PORTAL).with("max_age", "1").with("prompt", "none");
    assert_eq!(alice.authorize(&silent).await.error(), "login_required");
    for wrong in ["-1", "1.5", "x", "99999999999999999999"] {
        let trip = alice
            .authorize(&Ask::of(&PORTAL).with("max_age", wrong))
            .await;
        assert_eq!(trip.error(), "invalid_request", "{wrong}");
    }
}

/// The page of consent takes its time: the sign-in that was demanded does not grow too old meanwhile.
#[tokio::test]
async fn a_sign_in_that_was_demanded_is_good_until_the_user_has_agreed() {
    let house = House::new().await;
    let mut alice = Browser::new(&house);
    let ask = Ask::of(&SPA).with("max_age", "1");
    let login = alice.get(&ask.path()).await;
    let login = alice.get(login.header("location")).await;
    let form = crate::browser::Form::of(&login, "/login");
    let form = form
        .fill("username", "alice")
        .fill("password", crate::house::PASSWORD);
    let signed_in = alice.submit(form).await;
    house.world.advance(minutes(1));
    let page = alice.get(signed_in.header("location")).await;
    house.world.advance(minutes(1));
    let trip = alice.go_on(page, "alice", "approve").await;
    assert_eq!(trip.pages, ["consent"]);
    trip.code();
}

/// Item 34.
#[tokio::test]
async fn an_id_token_hint_of_the_user_is_silent_and_of_another_user_is_not() {
    let house = House::new().await;
    let mut alice = Browser::new(&house);
    let code = alice.authorize(&Ask::of(&PORTAL)).await.code();
    let hint = house.redeem(&PORTAL, &code).await.member("id_token");
    let silent = Ask::of(&PORTAL)
        .with("prompt", "none")
        .with("id_token_hint", &hint);
    alice.authorize(&silent).await.code();
    // One that has expired still tells who was meant.
    house.world.advance(minutes(60));
    alice.authorize(&silent).await.code();

    let mut bob = Browser::signed_in(&house, "bob").await;
    assert_eq!(bob.authorize(&silent).await.error(), "login_required");
    // Asked to sign in, whoever is meant goes on; whoever is not goes back with an error.
    let hinted = silent.without("prompt");
    let as_bob = bob.authorize_as(&hinted, "bob", "approve").await;
    assert_eq!(
        (as_bob.pages, arrived_error(&as_bob.answer)),
        (vec!["login"], "login_required".to_owned())
    );
    let as_alice = bob.authorize_as(&hinted, "alice", "approve").await;
    assert_eq!(as_alice.pages, ["login"]);
    let id = super::id(&house.redeem(&PORTAL, &as_alice.code()).await);
    assert_eq!(id["sub"], crate::wire::claims(&hint)["sub"]);
}

fn arrived_error(answer: &crate::wire::Answer) -> String {
    crate::apps::arrived(answer).1["error"].clone()
}

/// OpenID Connect Core section 3.1.2.1: a hint is an "ID Token previously issued by the Authorization Server".
#[tokio::test]
async fn an_id_token_hint_that_is_none_of_ours_is_refused() {
    let house = House::new().await;
    let elsewhere =
        House::with(|realm| realm.issuer = "https://other.example.com".to_owned()).await;
    let tokens = house.tokens(&SPA, &Ask::of(&SPA)).await;
    // The keys of all houses are the same: so it is the issuer that tells them apart.
    let other_issuer = elsewhere
        .tokens(&SPA, &Ask::of(&SPA))
        .await
        .member("id_token");
    let id = tokens.member("id_token");
    let payload = id.split('.').nth(1).expect("a JWT");
    let none = URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}");
    let mut alice = Browser::signed_in(&house, "alice").await;
    for (what, hint) in [
        ("of another issuer", other_issuer),
        ("unsigned", format!("{none}.{payload}.")),
        ("changed", super::changed(&id)),
        ("an access token", tokens.member("access_token")),
        ("a refresh token", tokens.member("refresh_token")),
        ("garbage", "garbage".to_owned()),
        ("dots", "..".to_owned()),
    ] {
        for prompt in ["none", "login"] {
            let ask = Ask::of(&PORTAL)
                .with("id_token_hint", &hint)
                .with("prompt", prompt);
            let trip = alice.authorize(&ask).await;
            assert_eq!(trip.error(), "invalid_request", "{what}");
            assert!(trip.pages.is_empty());
        }
    }
}

/// Item 87: RFC 6749 section 4.1.2.1.
#[tokio::test]
async fn a_user_who_says_no_sends_the_client_access_denied() {
    let house = House::new().await;
    let mut alice = Browser::new(&house);
    for redirect_uri in [SHOP.redirect_uri, crate::apps::SHOP_WITH_QUERY] {
        let ask = Ask::of(&SHOP).with("redirect_uri", redirect_uri);
        let trip = alice.authorize_as(&ask, "alice", "deny").await;
        let location = trip.answer.header("location");
        assert!(location.starts_with(redirect_uri), "{location}");
        assert_eq!(
            (trip.error().as_str(), trip.arrived().1["state"].as_str()),
            ("access_denied", "st-1")
        );
    }
    // No is not remembered as a yes.
    let silent = alice
        .authorize(&Ask::of(&SHOP).with("prompt", "none"))
        .await;
    assert_eq!(silent.error(), "consent_required");
}
