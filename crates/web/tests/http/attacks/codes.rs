//! Codes in the wrong hands (RFC 9700 sections 4.5 and 4.8).

use grantor_core::grants::GrantType;

use crate::apps::{Ask, FORUM, OTHER_VERIFIER, PORTAL, SHOP, SPA, VERIFIER};
use crate::browser::Browser;
use crate::house::{House, client};
use crate::wire::refused;

/// RFC 9700 section 4.5: the attacker puts a victim's code into their own session with the client, whose verifier is then
/// another one.
#[tokio::test]
async fn code_injection_a_victims_code_does_not_fit_the_verifier_of_another_session() {
    let house = House::new().await;
    for app in [&SPA, &PORTAL] {
        let ask = Ask::of(app).pkce(VERIFIER);
        let victims = Browser::new(&house).authorize(&ask).await.code();
        let mut attacker = Browser::new(&house);
        let own = Ask::of(app).pkce(OTHER_VERIFIER);
        let own = attacker.authorize_as(&own, "bob", "approve").await.code();
        for (code, verifier) in [(&victims, OTHER_VERIFIER), (&own, VERIFIER)] {
            let answer = house
                .redeem_with(app, code, &[("code_verifier", verifier)])
                .await;
            assert_eq!(answer.error(), refused(400, "invalid_grant"));
        }
        // The victim does not notice.
        let tokens = house
            .redeem_with(app, &victims, &[("code_verifier", VERIFIER)])
            .await;
        assert_eq!(tokens.status, 200);
        let userinfo = house.userinfo(&tokens.member("access_token")).await;
        assert_eq!(
            userinfo.json()["sub"],
            crate::wire::claims(&tokens.member("id_token"))["sub"]
        );
    }
}

/// RFC 7636 section 4.6.
#[tokio::test]
async fn a_code_of_a_challenge_is_nothing_without_its_verifier() {
    let house = House::new().await;
    for app in [&SPA, &PORTAL] {
        let code = Browser::new(&house)
            .authorize(&Ask::of(app).pkce(VERIFIER))
            .await
            .code();
        for more in [
            &[][..],
            &[("code_verifier", "")],
            &[("code_verifier", crate::apps::challenge(VERIFIER).as_str())],
            &[("code_verifier", &VERIFIER.to_lowercase())],
            &[("code_challenge", &crate::apps::challenge(VERIFIER))],
        ] {
            let answer = house.redeem_with(app, &code, more).await;
            assert_eq!(answer.error(), refused(400, "invalid_grant"), "{more:?}");
        }
    }
}

/// RFC 9700 section 4.8: the attacker takes the challenge out of the victim's request, so that a code comes which is bound to
/// no verifier. The client still sends its own, and that is refused.
#[tokio::test]
async fn pkce_downgrade_a_verifier_without_a_challenge_is_refused() {
    let house = House::new().await;
    let stripped = Browser::new(&house).authorize(&Ask::of(&SHOP)).await.code();
    let answer = house
        .redeem_with(&SHOP, &stripped, &[("code_verifier", VERIFIER)])
        .await;
    assert_eq!(answer.error(), refused(400, "invalid_grant"));
    // And where PKCE is demanded there is no such code.
    let bare = Ask::of(&SPA)
        .without("code_challenge")
        .without("code_challenge_method");
    assert_eq!(
        Browser::new(&house).authorize(&bare).await.error(),
        "invalid_request"
    );
}

/// RFC 9700 section 2.1.1: S256 is the only method that does not show the verifier.
#[tokio::test]
async fn pkce_downgrade_no_method_but_s256_is_taken() {
    let house = House::new().await;
    for app in [&SPA, &SHOP] {
        for method in ["plain", "", "s256", "S256 plain", "none", "S512"] {
            for challenge in [VERIFIER.to_owned(), crate::apps::challenge(VERIFIER)] {
                let ask = Ask::of(app)
                    .with("code_challenge", &challenge)
                    .with("code_challenge_method", method);
                let trip = Browser::new(&house).authorize(&ask).await;
                assert_eq!(trip.error(), "invalid_request", "{method}");
            }
        }
    }
    let ask = Ask::of(&SHOP).with("code_challenge_method", "S256");
    assert_eq!(
        Browser::new(&house).authorize(&ask).await.error(),
        "invalid_request",
        "a method of nothing"
    );
}

/// RFC 6749 section 4.1.3: the redirect URI of the request is the one of the redemption.
#[tokio::test]
async fn a_code_that_was_sent_to_another_address_is_refused() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let code = alice.authorize(&Ask::of(&SHOP)).await.code();
    for uri in [
        crate::apps::SHOP_WITH_QUERY,
        FORUM.redirect_uri,
        "https://shop.example.com/cb/",
        "",
    ] {
        let answer = house
            .redeem_with(&SHOP, &code, &[("redirect_uri", uri)])
            .await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"), "{uri}");
    }
    assert_eq!(house.redeem(&SHOP, &code).await.status, 200);
}

/// A thief of a used code, without the verifier or the secret, cannot end what its owner has.
#[tokio::test]
async fn whoever_finds_a_used_code_ends_nothing_with_it() {
    let house = House::new().await;
    let code = Browser::new(&house).authorize(&Ask::of(&SPA)).await.code();
    let tokens = house.redeem(&SPA, &code).await;
    for more in [&[][..], &[("code_verifier", OTHER_VERIFIER)]] {
        let answer = house.redeem_with(&SPA, &code, more).await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"));
    }
    assert_eq!(
        house.userinfo(&tokens.member("access_token")).await.status,
        200
    );
}

/// Codes, refresh tokens, access tokens and device codes are four kinds of things.
#[tokio::test]
async fn no_token_passes_for_another_kind() {
    let house = House::new().await;
    let code = Browser::new(&house)
        .authorize(&Ask::of(&PORTAL))
        .await
        .code();
    let tokens = house.tokens(&PORTAL, &Ask::of(&PORTAL)).await;
    let (access, refresh, id) = (
        tokens.member("access_token"),
        tokens.member("refresh_token"),
        tokens.member("id_token"),
    );
    for not_a_code in [&access, &refresh, &id] {
        let answer = house.redeem(&PORTAL, not_a_code).await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"));
    }
    for not_a_refresh_token in [&access, &code, &id] {
        let answer = house.refresh_of(&PORTAL, not_a_refresh_token, &[]).await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"));
    }
    for not_an_access_token in [&refresh, &code, &id] {
        let answer = house.userinfo(not_an_access_token).await;
        assert_eq!(answer.error(), refused(401, "invalid_token"));
    }
    assert_eq!(
        house.redeem(&PORTAL, &code).await.status,
        200,
        "no harm was done"
    );
}

/// RFC 9700 section 4.3.2: what is in an address is logged: codes and secrets are taken from bodies only.
#[tokio::test]
async fn a_code_in_the_address_of_the_token_endpoint_is_refused() {
    let house = House::new().await;
    let code = Browser::new(&house).authorize(&Ask::of(&SPA)).await.code();
    let rest = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("client_id", SPA.id),
        ("redirect_uri", SPA.redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let path = format!("{}?code={code}", crate::wire::TOKEN);
    assert_eq!(
        house.post(&path, &rest).await.error(),
        refused(400, "invalid_request"),
        "also where it is in the body"
    );
}

/// A device code and an authorization code say the same things of a grant, and are two kinds.
#[tokio::test]
async fn a_device_code_is_no_authorization_code_nor_the_reverse() {
    let house = House::with(|realm| {
        for id in ["tv", "spa"] {
            let both = vec![GrantType::AuthorizationCode, GrantType::DeviceCode];
            client(realm, id).grants = both;
        }
    })
    .await;
    let device = house.device("openid").await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    alice.approve(&device.user).await;
    let redeem = [
        ("grant_type", "authorization_code"),
        ("client_id", "tv"),
        ("code", device.device.as_str()),
    ];
    let answer = house.post(crate::wire::TOKEN, &redeem).await;
    assert_eq!(answer.error(), refused(400, "invalid_grant"));
    let code = alice.authorize(&Ask::of(&SPA)).await.code();
    let poll = [
        ("grant_type", crate::wire::DEVICE_CODE),
        ("client_id", "spa"),
        ("device_code", code.as_str()),
    ];
    let answer = house.post(crate::wire::TOKEN, &poll).await;
    assert_eq!(answer.error(), refused(400, "invalid_grant"));
    assert_eq!(house.poll(&device).await.status, 200);
    assert_eq!(house.redeem(&SPA, &code).await.status, 200);
}
