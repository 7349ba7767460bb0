//! Claims: of scopes (OpenID Connect Core section 5.4) and one by one (section 5.5).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use grantor_testkit::server::{Browser, TestServer};
use grantor_testkit::{AuthorizationRequest, PORTAL, SHOP};

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

/// A signed-in browser of a user with every claim.
async fn carols(server: &TestServer) -> Browser<'_> {
    server.add_user("carol", everything()).await;
    server.signed_in("carol").await
}

/// What userinfo and the ID token say after this request.
async fn returned_claims(
    server: &TestServer,
    browser: &mut Browser<'_>,
    request: &AuthorizationRequest,
) -> (Value, Value) {
    let code = browser.authorize(request).await.code();
    let tokens = server.redeem(PORTAL, &code).await;
    let userinfo = server.userinfo(&tokens.member("access_token")).await;
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
    let server = TestServer::new().await;
    let mut carol = carols(&server).await;
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
        let (userinfo, id) = returned_claims(
            &server,
            &mut carol,
            &AuthorizationRequest::new(PORTAL).with("scope", scope),
        )
        .await;
        assert_eq!(names(&userinfo), expected, "{scope}");
        for name in names(&userinfo) {
            if !["sub", "email"].contains(&name) {
                assert_eq!(userinfo[name], everything()[name], "{name}");
            }
        }
        // Item 52: the ID token has no claim about the user that was not asked for.
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
    let server = TestServer::new().await;
    let claims = [("given_name".to_owned(), json!("bob"))];
    server.add_user("bob", claims.into()).await;
    let mut bob = server.signed_in("bob").await;
    let all = AuthorizationRequest::new(PORTAL).with("scope", "openid profile email phone address");
    let (userinfo, _) = returned_claims(&server, &mut bob, &all).await;
    assert_eq!(
        names(&userinfo),
        [
            "email",
            "email_verified",
            "given_name",
            "preferred_username",
            "sub"
        ]
    );
    for (name, value) in userinfo.as_object().expect("claims") {
        let is_empty = value
            .as_str()
            .is_some_and(|it| it.is_empty() || it == "null");
        assert!(!value.is_null() && !is_empty, "{name}");
    }
}

/// Item 38.
#[tokio::test]
async fn an_individually_requested_claim_is_returned_where_it_was_requested() {
    let server = TestServer::new().await;
    let mut carol = carols(&server).await;
    let asking =
        |claims: Value| AuthorizationRequest::new(PORTAL).with("claims", &claims.to_string());
    let at_userinfo = asking(json!({"userinfo": {"name": {"essential": true}}}));
    let (userinfo, id) = returned_claims(&server, &mut carol, &at_userinfo).await;
    assert_eq!(
        (names(&userinfo), id.get("name")),
        (vec!["name", "sub"], None)
    );
    let in_id_token = asking(
        json!({"id_token": {"email": null, "nothing_of_the_kind": null, "auth_time": null}}),
    );
    let (userinfo, id) = returned_claims(&server, &mut carol, &in_id_token).await;
    assert_eq!(
        (names(&userinfo), &id["email"]),
        (vec!["sub"], &json!("carol@example.com"))
    );
    assert_eq!(id.get("nothing_of_the_kind"), None);
    let unknown = asking(json!({"userinfo": {"fluency": {"essential": true}}, "verified": {}}));
    assert_eq!(
        names(&returned_claims(&server, &mut carol, &unknown).await.0),
        ["sub"]
    );
    for wrong in ["{", "[]", "name", "{\"userinfo\":[]}"] {
        let result = carol
            .authorize(&AuthorizationRequest::new(PORTAL).with("claims", wrong))
            .await;
        assert_eq!(result.error(), "invalid_request", "{wrong}");
    }
}

/// What is asked for claim by claim is agreed to as if it were asked for by scope.
#[tokio::test]
async fn individually_requested_claims_need_consent_first() {
    let server = TestServer::new().await;
    let mut carol = carols(&server).await;
    let request = AuthorizationRequest::new(SHOP);
    carol.authorize(&request).await.code();
    let more = request.with("claims", "{\"userinfo\":{\"email\":null}}");
    let silent = carol.authorize(&more.clone().with("prompt", "none")).await;
    assert_eq!(silent.error(), "consent_required");
    assert_eq!(carol.authorize(&more).await.pages, ["consent"]);
}

/// Items 36 and 37: OpenID Connect Core sections 3.1.2.1 and 5.5.1.1.
#[tokio::test]
async fn acr_is_always_returned_and_an_essential_one_is_met_or_refused() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for acr_values in ["1", "2 1", "urn:x"] {
        let (_, id) = returned_claims(
            &server,
            &mut alice,
            &AuthorizationRequest::new(PORTAL).with("acr_values", acr_values),
        )
        .await;
        assert_eq!(id["acr"], "1");
    }
    let demanding = |acr: Value| {
        AuthorizationRequest::new(PORTAL)
            .with("claims", &json!({"id_token": {"acr": acr}}).to_string())
    };
    for met in [
        json!({"essential": true, "values": ["9", "1"]}),
        json!({"essential": true, "value": "1"}),
        json!({"values": ["9"]}),
        json!({"essential": true}),
        json!(null),
    ] {
        let (_, id) = returned_claims(&server, &mut alice, &demanding(met)).await;
        assert_eq!(id["acr"], "1");
    }
    for unmet in [
        json!({"essential": true, "values": ["2", "3"]}),
        json!({"essential": true, "value": "2"}),
    ] {
        let result = alice.authorize(&demanding(unmet)).await;
        assert_eq!(result.error(), "unmet_authentication_requirements");
    }
}

/// OpenID Connect Core section 5.5.1: a request for `sub` with a value is for that user alone.
#[tokio::test]
async fn a_requested_user_must_be_the_one_who_signs_in() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let (_, id) = returned_claims(&server, &mut alice, &AuthorizationRequest::new(PORTAL)).await;
    let demanding = |member: &str, sub: &Value| {
        let claims = json!({member: {"sub": {"value": sub}}}).to_string();
        AuthorizationRequest::new(PORTAL).with("claims", &claims)
    };
    for member in ["id_token", "userinfo"] {
        let (_, same) = returned_claims(&server, &mut alice, &demanding(member, &id["sub"])).await;
        assert_eq!(same["sub"], id["sub"]);
        let other = demanding(member, &json!("somebody-else"));
        let silent = alice.authorize(&other.clone().with("prompt", "none")).await;
        assert_eq!(silent.error(), "login_required");
        let result = alice.authorize(&other).await;
        assert_eq!(
            (result.pages.clone(), result.error()),
            (vec!["login"], "login_required".to_owned())
        );
    }
}
