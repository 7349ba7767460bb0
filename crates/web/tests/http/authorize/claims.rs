//! Claims: of scopes (OpenID Connect Core section 5.4) and one by one (section 5.5).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::apps::{Ask, PORTAL};
use crate::browser::Browser;
use crate::house::House;

/// Every standard claim that an operator can set.
pub(super) fn everything() -> BTreeMap<String, Value> {
    let claims = json!({
        "name": "Carol Danvers", "family_name": "Danvers", "given_name": "Carol", "middle_name": "S.",
        "nickname": "caz", "preferred_username": "carol.d", "profile": "https://example.com/carol",
        "picture": "https://example.com/carol.png", "website": "https://carol.example.com", "gender": "female",
        "birthdate": "1968-03-01", "zoneinfo": "Europe/Berlin", "locale": "de-DE", "updated_at": 1_700_000_000,
        "email_verified": true, "phone_number": "+49 30 1234567", "phone_number_verified": false,
        "address": {"formatted": "Allee 1\n10115 Berlin", "locality": "Berlin", "country": "Germany"},
    });
    serde_json::from_value(claims).expect("an object")
}

/// A browser of somebody with every claim, signed in.
async fn carols(house: &House) -> Browser<'_> {
    house.provision("carol", everything()).await;
    Browser::signed_in(house, "carol").await
}

/// What userinfo and the ID token say after this request.
async fn told(house: &House, browser: &mut Browser<'_>, ask: &Ask) -> (Value, Value) {
    let code = browser.authorize(ask).await.code();
    let tokens = house.redeem(&PORTAL, &code).await;
    let userinfo = house.userinfo(&tokens.member("access_token")).await;
    assert_eq!(userinfo.status, 200);
    (userinfo.json(), super::id(&tokens))
}

fn names(claims: &Value) -> Vec<&str> {
    claims
        .as_object()
        .expect("claims")
        .keys()
        .map(String::as_str)
        .collect()
}

/// Items 53 and 64.
#[tokio::test]
async fn each_scope_gives_every_claim_of_it_and_no_other() {
    let house = House::new().await;
    let mut carol = carols(&house).await;
    let profile = [
        "birthdate",
        "family_name",
        "gender",
        "given_name",
        "locale",
        "middle_name",
        "name",
        "nickname",
        "picture",
        "preferred_username",
        "profile",
        "sub",
        "updated_at",
        "website",
        "zoneinfo",
    ];
    for (scope, expected) in [
        ("openid", &["sub"][..]),
        ("openid profile", &profile),
        ("openid email", &["email", "email_verified", "sub"]),
        (
            "openid phone",
            &["phone_number", "phone_number_verified", "sub"],
        ),
        ("openid address", &["address", "sub"]),
    ] {
        let (userinfo, id) = told(&house, &mut carol, &Ask::of(&PORTAL).with("scope", scope)).await;
        assert_eq!(names(&userinfo), expected, "{scope}");
        for name in names(&userinfo) {
            if !["sub", "email"].contains(&name) {
                assert_eq!(userinfo[name], everything()[name], "{name}");
            }
        }
        // Item 52: of the user, the ID token says nothing that was not asked for.
        let protocol = [
            "acr",
            "amr",
            "at_hash",
            "aud",
            "auth_time",
            "exp",
            "iat",
            "iss",
            "jti",
            "nonce",
            "sid",
            "sub",
        ];
        assert_eq!(names(&id), protocol, "{scope}");
    }
}

/// Item 53: OpenID Connect Core section 5.3.2: a claim without a value is left out.
#[tokio::test]
async fn claims_without_a_value_are_left_out() {
    let house = House::new().await;
    let mut bob = Browser::signed_in(&house, "bob").await;
    let all = Ask::of(&PORTAL).with("scope", "openid profile email phone address");
    let (userinfo, _) = told(&house, &mut bob, &all).await;
    assert_eq!(
        names(&userinfo),
        ["email", "given_name", "preferred_username", "sub"]
    );
    for (name, value) in userinfo.as_object().expect("claims") {
        let text = value.as_str().unwrap_or_default();
        assert!(!text.is_empty() && text != "null", "{name}");
    }
}

/// Item 38.
#[tokio::test]
async fn a_claim_is_told_where_it_was_asked_for() {
    let house = House::new().await;
    let mut carol = carols(&house).await;
    let asking = |claims: Value| Ask::of(&PORTAL).with("claims", &claims.to_string());
    let at_userinfo = asking(json!({"userinfo": {"name": {"essential": true}}}));
    let (userinfo, id) = told(&house, &mut carol, &at_userinfo).await;
    assert_eq!(
        (names(&userinfo), id.get("name")),
        (vec!["name", "sub"], None)
    );
    let in_id_token = asking(
        json!({"id_token": {"email": null, "nothing_of_the_kind": null, "auth_time": null}}),
    );
    let (userinfo, id) = told(&house, &mut carol, &in_id_token).await;
    assert_eq!(
        (names(&userinfo), &id["email"]),
        (vec!["sub"], &json!("carol@example.com"))
    );
    assert_eq!(id.get("nothing_of_the_kind"), None);
    let unknown = asking(json!({"userinfo": {"fluency": {"essential": true}}, "verified": {}}));
    assert_eq!(names(&told(&house, &mut carol, &unknown).await.0), ["sub"]);
    for wrong in ["{", "[]", "name", "{\"userinfo\":[]}"] {
        let trip = carol
            .authorize(&Ask::of(&PORTAL).with("claims", wrong))
            .await;
        assert_eq!(trip.error(), "invalid_request", "{wrong}");
    }
}

/// What is asked for claim by claim is agreed to as if it were asked for by scope.
#[tokio::test]
async fn claims_asked_one_by_one_are_agreed_to_first() {
    let house = House::new().await;
    let mut carol = carols(&house).await;
    let ask = Ask::of(&crate::apps::SHOP);
    carol.authorize(&ask).await.code();
    let more = ask.with("claims", "{\"userinfo\":{\"email\":null}}");
    let silent = carol.authorize(&more.clone().with("prompt", "none")).await;
    assert_eq!(silent.error(), "consent_required");
    assert_eq!(carol.authorize(&more).await.pages, ["consent"]);
}

/// Items 36 and 37: OpenID Connect Core sections 3.1.2.1 and 5.5.1.1.
#[tokio::test]
async fn an_acr_is_always_told_and_a_demanded_one_is_met_or_refused() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    for acr_values in ["1", "2 1", "urn:x"] {
        let (_, id) = told(
            &house,
            &mut alice,
            &Ask::of(&PORTAL).with("acr_values", acr_values),
        )
        .await;
        assert_eq!(id["acr"], "1");
    }
    let demanding = |acr: Value| {
        Ask::of(&PORTAL).with("claims", &json!({"id_token": {"acr": acr}}).to_string())
    };
    for met in [
        json!({"essential": true, "values": ["9", "1"]}),
        json!({"essential": true, "value": "1"}),
        json!({"values": ["9"]}),
        json!({"essential": true}),
        json!(null),
    ] {
        let (_, id) = told(&house, &mut alice, &demanding(met)).await;
        assert_eq!(id["acr"], "1");
    }
    for unmet in [
        json!({"essential": true, "values": ["2", "3"]}),
        json!({"essential": true, "value": "2"}),
    ] {
        let trip = alice.authorize(&demanding(unmet)).await;
        assert_eq!(trip.error(), "unmet_authentication_requirements");
    }
}

/// OpenID Connect Core section 5.5.1: a request for `sub` with a value is for that user alone.
#[tokio::test]
async fn a_demanded_user_is_the_one_who_answers_or_nobody() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let (_, id) = told(&house, &mut alice, &Ask::of(&PORTAL)).await;
    let demanding = |member: &str, sub: &Value| {
        let claims = json!({member: {"sub": {"value": sub}}}).to_string();
        Ask::of(&PORTAL).with("claims", &claims)
    };
    for member in ["id_token", "userinfo"] {
        let (_, same) = told(&house, &mut alice, &demanding(member, &id["sub"])).await;
        assert_eq!(same["sub"], id["sub"]);
        let other = demanding(member, &json!("somebody-else"));
        let silent = alice.authorize(&other.clone().with("prompt", "none")).await;
        assert_eq!(silent.error(), "login_required");
        let trip = alice.authorize(&other).await;
        assert_eq!(
            (trip.pages.clone(), trip.error()),
            (vec!["login"], "login_required".to_owned())
        );
    }
}
