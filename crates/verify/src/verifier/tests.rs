mod cognito;

use serde_json::json;

use super::*;
use crate::testing::{Answer, Key, World, key_set, sign, with};
use grantor_jose::VerifyError;

/// Why a token is refused.
async fn invalid(world: &World, token: &str) -> Invalid {
    match world.verifier.verify(token).await {
        Err(Refusal::InvalidToken(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

/// The same of a token of the right key whose claims are changed.
async fn invalid_with(world: &World, changes: Value) -> Invalid {
    let claims = with(&world.claims(), changes);
    invalid(world, &world.key.access_token(&claims)).await
}

#[tokio::test]
async fn a_token_of_the_issuer_for_this_service_is_good() {
    let world = World::new().await;
    let token = world.verifier.verify(&world.good_token()).await.unwrap();
    assert_eq!(token.issuer, world.site.url);
    assert_eq!(token.subject, "alice");
    assert!(token.scope.has("orders/read"));
    for changes in [
        json!({ "aud": ["shipping", "orders"] }),
        json!({ "aud": "orders-old" }),
        json!({ "scope": null, "jti": null, "iat": null, "client_id": null }),
        json!({ "nbf": world.clock.now() }),
    ] {
        let claims = with(&world.claims(), changes);
        let token = world.key.access_token(&claims);
        assert!(world.verifier.verify(&token).await.is_ok(), "{claims}");
    }
}

#[tokio::test]
async fn rfc9068_2_1_each_algorithm_is_verified_rs256_among_them() {
    let world = World::new().await;
    let keys = Algorithm::ALL.map(|alg| Key::new(alg, alg.name()));
    let set = key_set(&keys.each_ref());
    world.site.set("/jwks", Answer::Json(set));
    for key in &keys {
        let token = key.access_token(&world.claims());
        assert!(world.verifier.verify(&token).await.is_ok());
    }
}

#[tokio::test]
async fn rfc9068_4_typ_must_be_that_of_access_tokens() {
    let world = World::new().await;
    let token = async |typ: Value| {
        let header = with(&world.key.header(), json!({ "typ": typ }));
        let token = world.key.token(&header, &world.claims());
        world
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
        let said = token(typ).await.unwrap_err();
        assert_eq!(said, "the token is no access token");
    }
}

#[tokio::test]
async fn rfc9068_4_iss_must_be_the_issuer_to_the_letter() {
    let world = World::new().await;
    let url = world.site.url.clone();
    for iss in [
        format!("{url}/"),
        url.to_uppercase(),
        "https://other.example".to_owned(),
    ] {
        assert_eq!(
            invalid_with(&world, json!({ "iss": iss })).await,
            Invalid::Issuer
        );
    }
    let missing = invalid_with(&world, json!({ "iss": null })).await;
    assert_eq!(missing, Invalid::Claim("iss"));
}

#[tokio::test]
async fn rfc9068_4_aud_must_name_this_service() {
    let world = World::new().await;
    for aud in [
        json!("shipping"),
        json!(["shipping"]),
        json!([]),
        json!("Orders"),
        json!(null),
    ] {
        assert_eq!(
            invalid_with(&world, json!({ "aud": aud })).await,
            Invalid::Audience
        );
    }
}

#[tokio::test]
async fn rfc9068_4_a_token_ends_at_exp_and_a_little_leeway() {
    let world = World::new().await;
    let token = world.good_token();
    world.clock.advance(629);
    assert!(world.verifier.verify(&token).await.is_ok());
    world.clock.advance(1);
    assert_eq!(invalid(&world, &token).await, Invalid::Expired);
    let endless = invalid_with(&world, json!({ "exp": null })).await;
    assert_eq!(endless, Invalid::Claim("exp"));
}

#[tokio::test]
async fn leeway_is_five_minutes_at_most() {
    let world = World::with(|builder| builder.leeway(Duration::from_secs(86400))).await;
    let token = world.good_token();
    world.clock.advance(899);
    assert!(world.verifier.verify(&token).await.is_ok());
    world.clock.advance(1);
    assert_eq!(invalid(&world, &token).await, Invalid::Expired);
    let world = World::with(|builder| builder.leeway(Duration::ZERO)).await;
    let token = world.good_token();
    world.clock.advance(600);
    assert_eq!(invalid(&world, &token).await, Invalid::Expired);
}

#[tokio::test]
async fn rfc7519_4_1_5_a_token_of_the_future_is_not_good_yet() {
    let world = World::new().await;
    let soon = world.clock.now() + 31;
    for name in ["nbf", "iat"] {
        assert_eq!(
            invalid_with(&world, json!({ name: soon })).await,
            Invalid::NotYet
        );
        let claims = with(&world.claims(), json!({ name: soon - 1 }));
        let token = world.key.access_token(&claims);
        assert!(world.verifier.verify(&token).await.is_ok());
    }
}

#[tokio::test]
async fn rfc9068_4_alg_none_is_refused() {
    let world = World::new().await;
    for alg in ["none", "None", "NONE", "nOnE"] {
        let header = with(&world.key.header(), json!({ "alg": alg }));
        let token = sign(&header, &world.claims(), |_| Vec::new());
        let expected = Invalid::Malformed(DecodeError::UnsupportedAlgorithm);
        assert_eq!(invalid(&world, &token).await, expected);
    }
    assert_eq!(world.site.asked("/jwks"), 0);
}

#[tokio::test]
async fn rfc8725_2_1_a_mac_under_the_public_key_is_no_signature() {
    use aws_lc_rs::hmac::{HMAC_SHA256, Key as Mac, sign as mac};

    let world = World::new().await;
    let jwk = key_set(&[&world.key])["keys"][0].clone();
    let x = jwk["x"].as_str().unwrap().to_owned();
    for public in [jwk.to_string(), x] {
        let header = with(&world.key.header(), json!({ "alg": "HS256" }));
        let forge = |input: &[u8]| {
            mac(&Mac::new(HMAC_SHA256, public.as_bytes()), input)
                .as_ref()
                .to_vec()
        };
        let token = sign(&header, &world.claims(), forge);
        let expected = Invalid::Malformed(DecodeError::UnsupportedAlgorithm);
        assert_eq!(invalid(&world, &token).await, expected);
    }
}

#[tokio::test]
async fn rfc9068_4_the_key_must_be_the_issuers() {
    let world = World::new().await;
    let foreign = Key::new(Algorithm::EdDsa, "one");
    let token = foreign.access_token(&world.claims());
    let bad = Invalid::Signature(VerifyError::BadSignature);
    assert_eq!(invalid(&world, &token).await, bad);
    // What a sender says of its key is not believed.
    let jwk = key_set(&[&foreign])["keys"][0].clone();
    for own in [
        json!({ "jwk": jwk }),
        json!({ "jku": format!("{}/evil", world.site.url) }),
        json!({ "x5u": format!("{}/evil", world.site.url) }),
    ] {
        let token = foreign.token(&with(&foreign.header(), own), &world.claims());
        assert_eq!(invalid(&world, &token).await, bad);
    }
    assert_eq!(world.site.asked("/evil"), 0);
    let unknown = Key::new(Algorithm::EdDsa, "two").access_token(&world.claims());
    let expected = Invalid::Signature(VerifyError::UnknownKey);
    assert_eq!(invalid(&world, &unknown).await, expected);
}

#[tokio::test]
async fn a_changed_token_is_not_good() {
    let world = World::new().await;
    let token = world.good_token();
    let mut parts: Vec<_> = token.split('.').collect();
    let more = world
        .key
        .access_token(&with(&world.claims(), json!({ "scope": "orders/write" })));
    parts[1] = more.split('.').nth(1).unwrap();
    let expected = Invalid::Signature(VerifyError::BadSignature);
    assert_eq!(invalid(&world, &parts.join(".")).await, expected);
}

#[tokio::test]
async fn rfc8725_3_1_only_the_algorithms_that_were_chosen_are_verified() {
    let world = World::with(|builder| builder.algorithms([Algorithm::Es256])).await;
    assert_eq!(
        invalid(&world, &world.good_token()).await,
        Invalid::Algorithm
    );
    assert_eq!(world.site.asked("/jwks"), 0);
    // A key that is for one algorithm serves no other.
    let world = World::new().await;
    let key = Key::new(Algorithm::Ps256, "one");
    let mut set = key_set(&[&key]);
    set["keys"][0]["alg"] = json!("RS256");
    world.site.set("/jwks", Answer::Json(set));
    let expected = Invalid::Signature(VerifyError::AlgorithmNotAllowed);
    assert_eq!(
        invalid(&world, &key.access_token(&world.claims())).await,
        expected
    );
}

#[tokio::test]
async fn rfc7515_4_1_11_what_is_critical_is_not_known() {
    let world = World::new().await;
    for crit in [json!(["exp"]), json!([]), json!(["b64"])] {
        let header = with(&world.key.header(), json!({ "crit": crit, "b64": false }));
        let token = world.key.token(&header, &world.claims());
        let expected = Invalid::Malformed(DecodeError::Critical);
        assert_eq!(invalid(&world, &token).await, expected);
    }
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let world = World::new().await;
    for cnf in [
        json!({ "jkt": "x" }),
        json!({ "x5t#S256": "x" }),
        json!({}),
        json!("x"),
    ] {
        assert_eq!(
            invalid_with(&world, json!({ "cnf": cnf })).await,
            Invalid::Bound
        );
    }
}

#[tokio::test]
async fn an_actor_is_read_and_one_that_cannot_be_is_refused() {
    let world = World::new().await;
    let act = json!({ "sub": "orders", "client_id": "orders", "act": { "sub": "website" } });
    let claims = with(&world.claims(), json!({ "act": act }));
    let token = world.key.access_token(&claims);
    let token = world.verifier.verify(&token).await.unwrap();
    let act = token.act.as_ref().unwrap();
    assert_eq!(act.current().subject, "orders");
    assert_eq!(act.prior()[0].subject, "website");
    let wrong = invalid_with(&world, json!({ "act": "orders" })).await;
    assert_eq!(wrong, Invalid::Claim("act"));
}

#[tokio::test]
async fn an_id_token_never_passes_for_an_access_token() {
    let world = World::new().await;
    // One for this very service, as if it were a client too.
    let of_id = json!({ "nonce": "n", "at_hash": "h", "scope": null, "client_id": null });
    let claims = with(&world.claims(), of_id);
    for typ in [json!("JWT"), json!(null)] {
        let header = with(&world.key.header(), json!({ "typ": typ }));
        let token = world.key.token(&header, &claims);
        assert_eq!(invalid(&world, &token).await, Invalid::NotAnAccessToken);
    }
    // Where access tokens have the type of ID tokens, what only those have tells them apart.
    let world = World::with(|builder| builder.token_type("JWT")).await;
    let header = with(&world.key.header(), json!({ "typ": "JWT" }));
    for name in ["nonce", "at_hash", "c_hash"] {
        let claims = with(&world.claims(), json!({ name: "x" }));
        let token = world.key.token(&header, &claims);
        assert_eq!(invalid(&world, &token).await, Invalid::NotAnAccessToken);
    }
    let token = world.key.token(&header, &world.claims());
    assert!(world.verifier.verify(&token).await.is_ok());
}

#[tokio::test]
async fn tokens_that_were_not_refused_for_their_header_alone_ask_for_keys() {
    let world = World::new().await;
    let wrong_type = with(&world.key.header(), json!({ "typ": "JWT" }));
    for token in [
        "",
        "a.b",
        "grantor_at_x",
        "a.b.c",
        &"a".repeat(20_000),
        &world.key.token(&wrong_type, &world.claims()),
    ] {
        assert!(world.verifier.verify(token).await.is_err());
    }
    assert_eq!(world.site.asked("/jwks"), 0);
}

#[tokio::test]
async fn without_keys_a_token_is_neither_right_nor_wrong() {
    let world = World::new().await;
    world.site.set("/jwks", Answer::Status(500));
    let refusal = world
        .verifier
        .verify(&world.good_token())
        .await
        .unwrap_err();
    assert!(matches!(
        refusal,
        Refusal::Unavailable(Unavailable::Keys(_))
    ));
}

#[tokio::test]
async fn keys_can_be_at_an_address_that_is_given() {
    let world = World::new().await;
    let jwks_uri = format!("{}/jwks", world.site.url).parse().unwrap();
    let builder = Verifier::builder(&world.site.url, "orders").unwrap();
    let builder = builder.jwks_uri(jwks_uri).clock(world.clock.clone());
    let verifier = builder.build().unwrap();
    assert!(verifier.verify(&world.good_token()).await.is_ok());
    assert_eq!(world.site.asked(crate::testing::METADATA), 0);
}
