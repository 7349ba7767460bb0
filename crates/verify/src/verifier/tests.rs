mod cognito;

use grantor_jose::{DecodeError, VerifyError};
use serde_json::json;

use super::*;
use crate::testing::{Answer, Key, Setup, key_set, sign, with};

/// Why a token is refused.
async fn invalid(setup: &Setup, token: &str) -> Invalid {
    match setup.verifier.verify(token).await {
        Err(Refusal::InvalidToken(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

/// The same for a token with changed claims, signed by the issuer's key.
async fn invalid_with(setup: &Setup, changes: Value) -> Invalid {
    let claims = with(&setup.claims(), changes);
    invalid(setup, &setup.key.access_token(&claims)).await
}

#[tokio::test]
async fn a_token_of_the_issuer_for_this_service_is_valid() {
    let setup = Setup::new().await;
    let token = setup.verifier.verify(&setup.good_token()).await.unwrap();
    assert_eq!(token.issuer, setup.issuer.url);
    assert_eq!(token.subject, "alice");
    assert!(token.scope.has("orders/read"));
    for changes in [
        json!({ "aud": ["shipping", "orders"] }),
        json!({ "aud": "orders-old" }),
        json!({ "scope": null, "jti": null, "iat": null, "client_id": null }),
        json!({ "nbf": setup.clock.now() }),
    ] {
        let claims = with(&setup.claims(), changes);
        let token = setup.key.access_token(&claims);
        assert!(setup.verifier.verify(&token).await.is_ok(), "{claims}");
    }
}

#[tokio::test]
async fn rfc9068_2_1_each_algorithm_is_verified_including_rs256() {
    let setup = Setup::new().await;
    let keys = Algorithm::ALL.map(|alg| Key::new(alg, alg.name()));
    let set = key_set(&keys.each_ref());
    setup.issuer.set("/jwks", Answer::Json(set));
    for key in &keys {
        let token = key.access_token(&setup.claims());
        assert!(setup.verifier.verify(&token).await.is_ok());
    }
}

#[tokio::test]
async fn rfc9068_4_typ_must_be_that_of_access_tokens() {
    let setup = Setup::new().await;
    let token = async |typ: Value| {
        let header = with(&setup.key.header(), json!({ "typ": typ }));
        let token = setup.key.token(&header, &setup.claims());
        setup
            .verifier
            .verify(&token)
            .await
            .map_err(|error| error.to_string())
    };
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/AT+jwt",
    ] {
        assert!(token(json!(typ)).await.is_ok(), "{typ}");
    }
    for typ in [
        json!("JWT"),
        json!("logout+jwt"),
        json!("at+jwt "),
        json!("text/at+jwt"),
        json!(""),
        json!(null),
    ] {
        let error = token(typ).await.unwrap_err();
        assert_eq!(error, "the token is no access token");
    }
}

#[tokio::test]
async fn rfc9068_4_iss_must_equal_the_issuer_exactly() {
    let setup = Setup::new().await;
    let url = setup.issuer.url.clone();
    for iss in [
        format!("{url}/"),
        url.to_uppercase(),
        "https://other.example".to_owned(),
    ] {
        assert_eq!(
            invalid_with(&setup, json!({ "iss": iss })).await,
            Invalid::Issuer
        );
    }
    let missing = invalid_with(&setup, json!({ "iss": null })).await;
    assert_eq!(missing, Invalid::Claim("iss"));
}

#[tokio::test]
async fn rfc9068_4_aud_must_name_this_service() {
    let setup = Setup::new().await;
    for aud in [
        json!("shipping"),
        json!(["shipping"]),
        json!([]),
        json!("Orders"),
        json!(null),
    ] {
        assert_eq!(
            invalid_with(&setup, json!({ "aud": aud })).await,
            Invalid::Audience
        );
    }
}

#[tokio::test]
async fn rfc9068_4_a_token_expires_at_exp_plus_leeway() {
    let setup = Setup::new().await;
    let token = setup.good_token();
    setup.clock.advance(629);
    assert!(setup.verifier.verify(&token).await.is_ok());
    setup.clock.advance(1);
    assert_eq!(invalid(&setup, &token).await, Invalid::Expired);
    let endless = invalid_with(&setup, json!({ "exp": null })).await;
    assert_eq!(endless, Invalid::Claim("exp"));
}

#[tokio::test]
async fn leeway_is_five_minutes_at_most() {
    let setup = Setup::with(|builder| builder.leeway(Duration::from_secs(86400))).await;
    let token = setup.good_token();
    setup.clock.advance(899);
    assert!(setup.verifier.verify(&token).await.is_ok());
    setup.clock.advance(1);
    assert_eq!(invalid(&setup, &token).await, Invalid::Expired);
    let setup = Setup::with(|builder| builder.leeway(Duration::ZERO)).await;
    let token = setup.good_token();
    setup.clock.advance(600);
    assert_eq!(invalid(&setup, &token).await, Invalid::Expired);
}

#[tokio::test]
async fn rfc7519_4_1_5_a_token_of_the_future_is_not_valid_yet() {
    let setup = Setup::new().await;
    let soon = setup.clock.now() + 31;
    for name in ["nbf", "iat"] {
        assert_eq!(
            invalid_with(&setup, json!({ name: soon })).await,
            Invalid::NotYet
        );
        let claims = with(&setup.claims(), json!({ name: soon - 1 }));
        let token = setup.key.access_token(&claims);
        assert!(setup.verifier.verify(&token).await.is_ok());
    }
}

#[tokio::test]
async fn rfc9068_4_alg_none_is_refused() {
    let setup = Setup::new().await;
    for alg in ["none", "None", "NONE", "nOnE"] {
        let header = with(&setup.key.header(), json!({ "alg": alg }));
        let token = sign(&header, &setup.claims(), |_| Vec::new());
        let expected = Invalid::Malformed(DecodeError::UnsupportedAlgorithm);
        assert_eq!(invalid(&setup, &token).await, expected);
    }
    assert_eq!(setup.issuer.asked("/jwks"), 0);
}

#[tokio::test]
async fn rfc8725_2_1_a_mac_under_the_public_key_is_not_a_signature() {
    use aws_lc_rs::hmac::{HMAC_SHA256, Key as Mac, sign as mac};

    let setup = Setup::new().await;
    let jwk = key_set(&[&setup.key])["keys"][0].clone();
    let x = jwk["x"].as_str().unwrap().to_owned();
    for public in [jwk.to_string(), x] {
        let header = with(&setup.key.header(), json!({ "alg": "HS256" }));
        let forge = |input: &[u8]| {
            mac(&Mac::new(HMAC_SHA256, public.as_bytes()), input)
                .as_ref()
                .to_vec()
        };
        let token = sign(&header, &setup.claims(), forge);
        let expected = Invalid::Malformed(DecodeError::UnsupportedAlgorithm);
        assert_eq!(invalid(&setup, &token).await, expected);
    }
}

#[tokio::test]
async fn rfc9068_4_the_key_must_be_the_issuers() {
    let setup = Setup::new().await;
    let foreign = Key::new(Algorithm::EdDsa, "one");
    let token = foreign.access_token(&setup.claims());
    let bad = Invalid::Signature(VerifyError::BadSignature);
    assert_eq!(invalid(&setup, &token).await, bad);
    // A key in the header is not trusted.
    let jwk = key_set(&[&foreign])["keys"][0].clone();
    for own in [
        json!({ "jwk": jwk }),
        json!({ "jku": format!("{}/evil", setup.issuer.url) }),
        json!({ "x5u": format!("{}/evil", setup.issuer.url) }),
    ] {
        let token = foreign.token(&with(&foreign.header(), own), &setup.claims());
        assert_eq!(invalid(&setup, &token).await, bad);
    }
    assert_eq!(setup.issuer.asked("/evil"), 0);
    let unknown = Key::new(Algorithm::EdDsa, "two").access_token(&setup.claims());
    let expected = Invalid::Signature(VerifyError::UnknownKey);
    assert_eq!(invalid(&setup, &unknown).await, expected);
}

#[tokio::test]
async fn a_modified_token_is_refused() {
    let setup = Setup::new().await;
    let token = setup.good_token();
    let mut parts: Vec<_> = token.split('.').collect();
    let more = setup
        .key
        .access_token(&with(&setup.claims(), json!({ "scope": "orders/write" })));
    parts[1] = more.split('.').nth(1).unwrap();
    let expected = Invalid::Signature(VerifyError::BadSignature);
    assert_eq!(invalid(&setup, &parts.join(".")).await, expected);
}

#[tokio::test]
async fn rfc8725_3_1_only_the_allowed_algorithms_are_verified() {
    let setup = Setup::with(|builder| builder.algorithms([Algorithm::Es256])).await;
    assert_eq!(
        invalid(&setup, &setup.good_token()).await,
        Invalid::Algorithm
    );
    assert_eq!(setup.issuer.asked("/jwks"), 0);
    // A key with `alg` is used for no other algorithm.
    let setup = Setup::new().await;
    let key = Key::new(Algorithm::Ps256, "one");
    let mut set = key_set(&[&key]);
    set["keys"][0]["alg"] = json!("RS256");
    setup.issuer.set("/jwks", Answer::Json(set));
    let expected = Invalid::Signature(VerifyError::AlgorithmNotAllowed);
    assert_eq!(
        invalid(&setup, &key.access_token(&setup.claims())).await,
        expected
    );
}

#[tokio::test]
async fn rfc7515_4_1_11_critical_extensions_are_refused() {
    let setup = Setup::new().await;
    for crit in [json!(["exp"]), json!([]), json!(["b64"])] {
        let header = with(&setup.key.header(), json!({ "crit": crit, "b64": false }));
        let token = setup.key.token(&header, &setup.claims());
        let expected = Invalid::Malformed(DecodeError::Critical);
        assert_eq!(invalid(&setup, &token).await, expected);
    }
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_not_a_bearer_token() {
    let setup = Setup::new().await;
    for cnf in [
        json!({ "jkt": "x" }),
        json!({ "x5t#S256": "x" }),
        json!({}),
        json!("x"),
    ] {
        assert_eq!(
            invalid_with(&setup, json!({ "cnf": cnf })).await,
            Invalid::Bound
        );
    }
}

#[tokio::test]
async fn an_actor_is_read_and_a_malformed_one_is_refused() {
    let setup = Setup::new().await;
    let act = json!({ "sub": "orders", "client_id": "orders", "act": { "sub": "website" } });
    let claims = with(&setup.claims(), json!({ "act": act }));
    let token = setup.key.access_token(&claims);
    let token = setup.verifier.verify(&token).await.unwrap();
    let act = token.act.as_ref().unwrap();
    assert_eq!(act.current().subject, "orders");
    assert_eq!(act.prior()[0].subject, "website");
    let wrong = invalid_with(&setup, json!({ "act": "orders" })).await;
    assert_eq!(wrong, Invalid::Claim("act"));
}

#[tokio::test]
async fn an_id_token_is_never_accepted_as_an_access_token() {
    let setup = Setup::new().await;
    // One for this service, as if it were a client too.
    let of_id = json!({ "nonce": "n", "at_hash": "h", "scope": null, "client_id": null });
    let claims = with(&setup.claims(), of_id);
    for typ in [json!("JWT"), json!(null)] {
        let header = with(&setup.key.header(), json!({ "typ": typ }));
        let token = setup.key.token(&header, &claims);
        assert_eq!(invalid(&setup, &token).await, Invalid::NotAnAccessToken);
    }
    // If access tokens have the `typ` of ID tokens, the claims of ID tokens distinguish them.
    let setup = Setup::with(|builder| builder.token_type("JWT")).await;
    let header = with(&setup.key.header(), json!({ "typ": "JWT" }));
    for name in ["nonce", "at_hash", "c_hash"] {
        let claims = with(&setup.claims(), json!({ name: "x" }));
        let token = setup.key.token(&header, &claims);
        assert_eq!(invalid(&setup, &token).await, Invalid::NotAnAccessToken);
    }
    let token = setup.key.token(&header, &setup.claims());
    assert!(setup.verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn keys_are_fetched_only_for_tokens_with_an_acceptable_header() {
    let setup = Setup::new().await;
    let wrong_type = with(&setup.key.header(), json!({ "typ": "JWT" }));
    for token in [
        "",
        "a.b",
        "grantor_at_x",
        "a.b.c",
        &"a".repeat(20_000),
        &setup.key.token(&wrong_type, &setup.claims()),
    ] {
        assert!(setup.verifier.verify(token).await.is_err());
    }
    assert_eq!(setup.issuer.asked("/jwks"), 0);
}

#[tokio::test]
async fn without_keys_a_token_is_neither_valid_nor_invalid() {
    let setup = Setup::new().await;
    setup.issuer.set("/jwks", Answer::Status(500));
    let refusal = setup
        .verifier
        .verify(&setup.good_token())
        .await
        .unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::Unavailable(Unavailable::Keys(_))
    ));
}

#[tokio::test]
async fn the_address_of_the_keys_can_be_configured() {
    let setup = Setup::new().await;
    let jwks_uri = format!("{}/jwks", setup.issuer.url).parse().unwrap();
    let builder = Verifier::builder(&setup.issuer.url, "orders").unwrap();
    let builder = builder.jwks_uri(jwks_uri).clock(setup.clock.clone());
    let verifier = builder.build().unwrap();
    assert!(verifier.verify(&setup.good_token()).await.is_ok());
    assert_eq!(setup.issuer.asked(crate::testing::METADATA), 0);
}
