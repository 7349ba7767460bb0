//! What a request may look like (OpenID Connect Core section 3.1.2.1), and what is ignored or refused.

use crate::apps::{AUTHORIZE, Ask, FORUM, NATIVE, PORTAL, SHOP, SHOP_WITH_QUERY, SPA};
use crate::browser::Browser;
use crate::house::{House, client};
use crate::wire::post;

/// Item 16.
#[tokio::test]
async fn a_post_is_answered_as_a_get_is() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let ask = Ask::of(&PORTAL).with("state", "a b&c=d%");
    let pairs: Vec<_> = ask
        .0
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    // Another site's POST comes without the Lax cookie: so it is answered by a GET, which has it.
    let posted = alice.send(post(AUTHORIZE, &pairs)).await;
    assert_eq!(
        (posted.status, posted.header("location")),
        (303, &*ask.path())
    );
    let trip = alice.go_on(posted, "alice", "approve").await;
    let (to, params) = trip.arrived();
    assert_eq!(
        (to.as_str(), params["state"].as_str()),
        (PORTAL.redirect_uri, "a b&c=d%")
    );
    assert_eq!(house.redeem(&PORTAL, &params["code"]).await.status, 200);
}

/// Item 17.
#[tokio::test]
async fn the_order_of_parameters_and_scopes_means_nothing() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let mut ask = Ask::of(&PORTAL).with("scope", "email openid profile");
    ask.0.reverse();
    let code = alice.authorize(&ask).await.code();
    let tokens = house.redeem(&PORTAL, &code).await;
    let scope = tokens.member("scope");
    let mut granted: Vec<_> = scope.split(' ').collect();
    granted.sort_unstable();
    assert_eq!(granted, ["email", "openid", "profile"]);
}

/// Items 18, 35 and 36: OpenID Connect Core section 3.1.2.1: "The Authorization Server SHOULD ignore unrecognized request
/// parameters", and hints are hints.
#[tokio::test]
async fn what_is_unknown_or_only_a_hint_never_fails() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    for (name, value) in [
        ("extra", "foobar"),
        ("login_hint", "buffy@id.example.com"),
        ("ui_locales", "se"),
        ("ui_locales", "x-klingon de_DE  *"),
        ("claims_locales", "se"),
        ("display", "page"),
        ("display", "popup"),
        ("display", "hologram"),
        ("acr_values", "1 2"),
        ("acr_values", "urn:mace:incommon:iap:silver"),
        ("id_token_hint", ""),
        ("prompt", ""),
        ("max_age", ""),
        ("resource", ""),
        ("dpop_jkt", "x"),
        ("audience", "https://orders.example.com"),
    ] {
        let trip = alice.authorize(&Ask::of(&PORTAL).and(name, value)).await;
        trip.code();
        assert!(trip.pages.is_empty(), "{name}={value}");
    }
}

/// Item 35: the hint stands in the form, and any user may still sign in.
#[tokio::test]
async fn a_login_hint_is_filled_in() {
    let house = House::new().await;
    let mut alice = Browser::new(&house);
    let ask = Ask::of(&SPA)
        .with("login_hint", "bob")
        .with("ui_locales", "se de");
    let to_login = alice.get(&ask.path()).await;
    let login = alice.get(to_login.header("location")).await;
    assert!(login.body.contains("value=\"bob\"") && login.body.contains("<html lang=\"de\""));
    alice.go_on(login, "alice", "approve").await.code();
}

/// Item 19.
#[tokio::test]
async fn rfc6749_4_1_2_1_a_missing_or_other_response_type_is_told_the_client() {
    let house = House::new().await;
    let mut anybody = Browser::new(&house);
    for (response_type, error) in [
        ("", "invalid_request"),
        ("token", "unsupported_response_type"),
        ("id_token", "unsupported_response_type"),
        ("code id_token", "unsupported_response_type"),
        ("code token", "unsupported_response_type"),
        ("none", "unsupported_response_type"),
        ("CODE", "unsupported_response_type"),
    ] {
        let ask = Ask::of(&SPA).with("response_type", response_type);
        let trip = anybody.authorize(&ask).await;
        assert_eq!(trip.error(), error, "{response_type}");
        assert_eq!(trip.arrived().1["state"], "st-1");
        assert!(!trip.answer.header("location").contains('#'));
    }
}

/// Item 20.
#[tokio::test]
async fn a_nonce_comes_back_and_none_is_invented() {
    let house = House::new().await;
    for nonce in ["n", &"n-._~".repeat(20), "{\"a\": \"ü\"}"] {
        let tokens = house
            .tokens(&SPA, &Ask::of(&SPA).with("nonce", nonce))
            .await;
        assert_eq!(super::id(&tokens)["nonce"], nonce);
    }
    let tokens = house.tokens(&SPA, &Ask::of(&SPA).without("nonce")).await;
    assert_eq!(super::id(&tokens).get("nonce"), None);
    let long = Ask::of(&SPA).with("nonce", &"n".repeat(1025));
    let trip = Browser::new(&house).authorize(&long).await;
    assert_eq!(trip.error(), "invalid_request");
}

/// Item 21: RFC 6749 section 4.1.2: "The exact value received from the client."
#[tokio::test]
async fn state_comes_back_bit_for_bit() {
    let house = House::new().await;
    let long = "0123456789-._~ABCDEFGHIJKLMNOPQRSTUVWXYZ".repeat(25);
    for state in [
        "a",
        &long[..128],
        &long,
        "a b+c%20d&e=f#g?h/i\"j'k<l>m\\n",
        "{\"url\":\"/x?y=z\"}",
        "日本語 ü",
    ] {
        for (app, mode) in [(&SPA, "query"), (&SHOP, "form_post")] {
            let ask = Ask::of(app)
                .with("state", state)
                .with("response_mode", mode);
            let success = Browser::new(&house).authorize(&ask).await;
            assert_eq!(super::given(&success, app)["state"], state);
            let error = Browser::new(&house)
                .authorize(&ask.with("prompt", "none"))
                .await;
            let error = super::given(&error, app);
            assert_eq!(
                (error["state"].as_str(), error["error"].as_str()),
                (state, "login_required")
            );
        }
    }
    let without = Ask::of(&SPA).without("state");
    let trip = Browser::new(&house).authorize(&without).await;
    assert!(!trip.arrived().1.contains_key("state"), "none is invented");
}

/// Item 23: RFC 6749 section 3.1.2: the query of a redirect URI "MUST be retained when adding additional query parameters".
#[tokio::test]
async fn a_redirect_uri_with_a_query_keeps_it() {
    let house = House::new().await;
    let ask = Ask::of(&SHOP).with("redirect_uri", SHOP_WITH_QUERY);
    let mut alice = Browser::new(&house);
    let trip = alice.authorize(&ask).await;
    assert!(
        trip.answer
            .header("location")
            .starts_with(&format!("{SHOP_WITH_QUERY}&code="))
    );
    let there = [("redirect_uri", SHOP_WITH_QUERY)];
    let tokens = house.redeem_with(&SHOP, &trip.code(), &there).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let error = alice.authorize(&ask.with("response_type", "x")).await;
    assert!(
        error
            .answer
            .header("location")
            .starts_with(&format!("{SHOP_WITH_QUERY}&error="))
    );
}

/// Item 24.
#[tokio::test]
async fn without_a_redirect_uri_there_is_no_default_among_several() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    for ask in [
        Ask::of(&SHOP).without("redirect_uri"),
        Ask::of(&SHOP)
            .without("redirect_uri")
            .with("scope", "email"),
        // OpenID Connect Core section 3.1.2.1 has it REQUIRED, also where one is registered.
        Ask::of(&FORUM).without("redirect_uri"),
        Ask::of(&FORUM).with("redirect_uri", ""),
    ] {
        super::assert_stays(&alice.get(&ask.path()).await, 400);
    }
    // RFC 6749 section 3.1.2.3: by OAuth alone, the one that is registered; and then none at the token endpoint.
    let ask = Ask::of(&FORUM)
        .without("redirect_uri")
        .with("scope", "email");
    let code = alice.authorize(&ask).await.code();
    let redeem = [("grant_type", "authorization_code"), ("code", &code)];
    assert_eq!(house.ask_for_tokens(&FORUM, &redeem).await.status, 200);
}

/// Item 39.
#[tokio::test]
async fn pkce_is_for_whoever_sends_it_and_demanded_of_public_clients() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let code = alice
        .authorize(&Ask::of(&SHOP).pkce(crate::apps::VERIFIER))
        .await
        .code();
    let right = [("code_verifier", crate::apps::VERIFIER)];
    assert_eq!(house.redeem_with(&SHOP, &code, &right).await.status, 200);
    let code = alice.authorize(&Ask::of(&SHOP)).await.code();
    assert_eq!(
        house.redeem(&SHOP, &code).await.status,
        200,
        "it may do without"
    );
    for app in [&SPA, &NATIVE] {
        let bare = Ask::of(app)
            .without("code_challenge")
            .without("code_challenge_method");
        assert_eq!(alice.authorize(&bare).await.error(), "invalid_request");
    }
    // The house may demand it of anybody.
    let strict = House::with(|realm| client(realm, "shop").code.pkce_required = true).await;
    let trip = Browser::new(&strict).authorize(&Ask::of(&SHOP)).await;
    assert_eq!(trip.error(), "invalid_request");
}

/// Items 40 to 42: what a request object says is not ignored but refused, and its redirect URI is not used.
#[tokio::test]
async fn request_objects_are_refused_as_the_metadata_says() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    // {"alg":"none"} {"redirect_uri":"https://evil.example/"}
    let object = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ.";
    for (name, value, error) in [
        ("request", object, "request_not_supported"),
        (
            "request_uri",
            "https://spa.example.com/r#x",
            "request_uri_not_supported",
        ),
        (
            "request_uri",
            "urn:ietf:params:oauth:request_uri:x",
            "request_uri_not_supported",
        ),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let ask = Ask::of(&PORTAL).with(name, value);
        let trip = alice.authorize(&ask).await;
        assert_eq!(trip.error(), error);
        assert_eq!(trip.arrived().0, PORTAL.redirect_uri);
        let without = alice.get(&ask.without("redirect_uri").path()).await;
        super::assert_stays(&without, 400);
    }
}

#[tokio::test]
async fn a_client_gets_no_code_by_a_grant_that_it_may_not_use() {
    let house = House::with(|realm| client(realm, "shop").grants.clear()).await;
    let trip = Browser::new(&house).authorize(&Ask::of(&SHOP)).await;
    assert_eq!(trip.error(), "unauthorized_client");
}
