//! Tokens that are forged, or made for another audience.

use aws_lc_rs::hmac;
use grantor_core::base::error::ErrorCode::InvalidRequest;
use grantor_core::model::claims::LogoutTokenClaims;
use grantor_core::model::token_type::TokenType;
use grantor_jose::{Algorithm, ProtectedHeader, SigningInput, SigningKey};
use serde_json::{Value, json};

use crate::exchange_attacks::{actor, as_a};
use grantor_testkit::world::World;
use grantor_testkit::{
    CORP, ExternalIssuer, IDP, ISSUER, SHIPPING, Spans as _, add_services, changed, client, jws,
    public_keys, scope, signer, user_id,
};

const TO_SHIPPING: [(&str, &str); 1] = [("audience", SHIPPING)];
const BAD: &str = "The subject token is not valid, has ended, or was revoked.";

/// A world that trusts the issuer `IDP`; orders may act for its subjects.
fn trusting() -> World {
    let world = World::with(|realm| {
        add_services(realm);
        let mut of_theirs = realm.exchange[0].clone();
        of_theirs.subject.issuer = Some(IDP.to_owned());
        of_theirs.gives = scope("shipping.example.com/read");
        realm.exchange.push(of_theirs);
    });
    world.with_trusted()
}

/// It is accepted neither as subject nor as actor, under any type.
fn is_refused(world: &mut World, token: &str, why: &str) {
    for typ in [
        TokenType::AccessToken,
        TokenType::Jwt,
        TokenType::IdToken,
        TokenType::RefreshToken,
    ] {
        let asked = [&as_a(typ)[..], &TO_SHIPPING].concat();
        let reply = world.exchange_refused("orders", token, &asked);
        assert_eq!(reply, (InvalidRequest, BAD), "{why} as {typ}");
    }
    let subject = world.orders_token().access;
    for typ in [TokenType::AccessToken, TokenType::Jwt, TokenType::IdToken] {
        let asked = [&TO_SHIPPING[..], &actor(token, typ)].concat();
        let reply = world.exchange_refused("orders", &subject, &asked);
        assert_eq!(reply.0, InvalidRequest, "{why} as an actor's {typ}");
        assert!(
            reply.1.starts_with("The actor token is not valid"),
            "{why}: {reply:?}"
        );
    }
}

/// Signed by the realm's own key for ES256, with this type.
fn by_us(claims: &Value, typ: grantor_jose::TokenType) -> String {
    let kid = public_keys().0[0]
        .kid
        .clone()
        .expect("a key of ours has one");
    let input = SigningInput::new(&ProtectedHeader::new(Algorithm::Es256, typ, &kid), claims);
    let input = input.expect("claims");
    let key = signer().key(&kid).expect("our key");
    let signature = key
        .sign(Algorithm::Es256, input.as_bytes())
        .expect("a signature");
    input.finish(&signature)
}

fn claims_of(world: &World, token: &str) -> Value {
    Value::Object(world.claims(token))
}

#[test]
fn an_access_token_forged_with_another_key_is_refused() {
    let mut world = trusting();
    let own = world.orders_token().access;
    let claims = claims_of(&world, &own);
    let ours = &public_keys().0[0];
    let kid = ours.kid.clone().expect("a key of ours has one");
    let header = |alg: &str| json!({ "alg": alg, "typ": "at+jwt", "kid": kid.as_str() });
    let public = serde_json::to_vec(ours).expect("JSON");
    let mac = hmac::Key::new(hmac::HMAC_SHA256, &public);
    let foreign = SigningKey::generate(Algorithm::Es256).expect("memory").0;
    let rsa = &public_keys().0[1];
    let rsa_kid = rsa.kid.clone().expect("a key of ours has one");
    let rsa_key = signer().key(&rsa_kid).expect("our key");
    let by_foreign = |input: &[u8]| foreign.sign(Algorithm::Es256, input).expect("a signature");
    let by_rsa = |input: &[u8]| rsa_key.sign(Algorithm::Rs256, input).expect("a signature");
    let es256_by_rsa = json!({ "alg": "ES256", "typ": "at+jwt", "kid": rsa_kid.as_str() });
    let rs256_by_ec = json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid.as_str() });
    for (why, token) in [
        ("none", jws(&header("none"), &claims, |_| Vec::new())),
        ("None", jws(&header("None"), &claims, |_| Vec::new())),
        (
            "a MAC",
            jws(&header("HS256"), &claims, |input| {
                hmac::sign(&mac, input).as_ref().to_vec()
            }),
        ),
        (
            "a foreign key under our name",
            jws(&header("ES256"), &claims, by_foreign),
        ),
        (
            "a foreign key",
            jws(
                &json!({ "alg": "ES256", "typ": "at+jwt", "kid": "x" }),
                &claims,
                by_foreign,
            ),
        ),
        ("RSA as ES256", jws(&es256_by_rsa, &claims, by_rsa)),
        (
            "RSA under the name of another",
            jws(&rs256_by_ec, &claims, by_rsa),
        ),
        (
            "a trusted issuer's key for our name",
            ExternalIssuer::known(IDP).jwt(json!({ "typ": "at+jwt" }), &claims),
        ),
        (
            "no signature",
            own.rsplit_once('.').expect("a JWS").0.to_owned() + ".",
        ),
        ("another issuer's name under our key", {
            let claims = changed(claims.clone(), json!({ "iss": "https://other.example" }));
            by_us(&claims, grantor_jose::TokenType::Access)
        }),
        ("a word", "eyJ".to_owned()),
    ] {
        is_refused(&mut world, &token, why);
    }
}

#[test]
fn id_access_and_logout_tokens_are_not_accepted_for_each_other() {
    let mut world = trusting();
    let tokens = world.device_tokens_with(
        "tv",
        "alice",
        &[("scope", "openid orders.example.com/read")],
    );
    let id = tokens.id.clone().expect("an ID token");
    let access = tokens.access.clone();
    let reply = |world: &mut World, token: &str, typ| {
        world.exchange_refused("orders", token, &[&as_a(typ)[..], &TO_SHIPPING].concat())
    };
    for (token, typ) in [
        (&id, TokenType::AccessToken),
        (&id, TokenType::Jwt),
        (&id, TokenType::RefreshToken),
        (&access, TokenType::IdToken),
        (&access, TokenType::RefreshToken),
    ] {
        assert_eq!(
            reply(&mut world, token, typ),
            (InvalidRequest, BAD),
            "{typ}"
        );
    }
    // The claims of an access token under another type, correctly signed.
    let claims = claims_of(&world, &access);
    is_refused(
        &mut world,
        &by_us(&claims, grantor_jose::TokenType::Logout),
        "as a logout token",
    );
    let dressed = by_us(&claims, grantor_jose::TokenType::Id);
    for typ in [TokenType::AccessToken, TokenType::Jwt] {
        assert_eq!(
            reply(&mut world, &dressed, typ),
            (InvalidRequest, BAD),
            "{typ}"
        );
    }
    assert_eq!(
        reply(&mut world, &dressed, TokenType::IdToken).0,
        InvalidRequest
    );
    let now = world.now.as_secs();
    let logout = json!({
        "iss": ISSUER, "sub": claims["sub"], "aud": "orders", "sid": "0".repeat(32), "iat": now,
        "exp": now + 120, "jti": claims["jti"], "events": LogoutTokenClaims::events(),
    });
    let logout = by_us(&logout, grantor_jose::TokenType::Logout);
    is_refused(&mut world, &logout, "a logout token");
    // A sealed token is not accepted as a JWT either.
    let sealed = world.device_tokens_with("tv", "alice", &[("scope", "files.example.com/read")]);
    assert_eq!(
        reply(&mut world, &sealed.access, TokenType::Jwt),
        (InvalidRequest, BAD)
    );
    assert_eq!(
        reply(&mut world, &sealed.access, TokenType::RefreshToken),
        (InvalidRequest, BAD)
    );
    assert_eq!(
        reply(&mut world, tokens.refresh(), TokenType::AccessToken),
        (InvalidRequest, BAD)
    );
}

#[test]
fn a_token_that_is_bound_to_a_key_is_not_exchanged() {
    let mut world = trusting();
    let access = world.orders_token().access;
    let bound = changed(claims_of(&world, &access), json!({ "cnf": { "jkt": "x" } }));
    let jwt = by_us(&bound, grantor_jose::TokenType::Access);
    let sealed = world
        .realm
        .sealing
        .access_token(bound.to_string().into_bytes(), [1; 12]);
    let theirs = world.statement(IDP, "x", json!({ "cnf": { "jkt": "x" } }));
    for (token, typ) in [
        (&jwt, TokenType::AccessToken),
        (&jwt, TokenType::Jwt),
        (&sealed.expect("a token"), TokenType::AccessToken),
        (&theirs, TokenType::Jwt),
    ] {
        let asked = [&as_a(typ)[..], &TO_SHIPPING].concat();
        let reply = world.exchange_refused("orders", token, &asked);
        assert_eq!(
            reply.1,
            "A token that is bound to a key cannot be exchanged."
        );
        let asked = [&TO_SHIPPING[..], &actor(token, typ)].concat();
        let reply = world.exchange_refused("orders", &access, &asked);
        assert_eq!(
            reply.1,
            "A token that is bound to a key cannot be exchanged."
        );
    }
}

#[test]
fn assertions_forged_expired_or_for_another_audience_are_refused() {
    let mut world = trusting();
    let asked = [&as_a(TokenType::Jwt)[..], &TO_SHIPPING].concat();
    let good = world.statement(IDP, "alice", json!({}));
    world.exchange("orders", &good, &asked).expect("a token");
    let now = world.now.as_secs();
    for (why, changes) in [
        (
            "for another audience",
            json!({ "aud": "https://other.example" }),
        ),
        ("without an audience", json!({ "aud": null })),
        (
            "for one that begins like us",
            json!({ "aud": format!("{ISSUER}.evil.example") }),
        ),
        ("for our path", json!({ "aud": format!("{ISSUER}/") })),
        ("for none of these", json!({ "aud": ["a", "b"] })),
        ("ended", json!({ "exp": now })),
        ("without an end", json!({ "exp": null })),
        ("ending when no clock goes", json!({ "exp": 1e300 })),
        ("ending in words", json!({ "exp": "never" })),
        ("not yet", json!({ "nbf": now + 61 })),
        ("of the future", json!({ "iat": now + 61 })),
        ("without a subject", json!({ "sub": null })),
        ("of nothing", json!({ "sub": "" })),
        ("of a line break", json!({ "sub": "a\nb" })),
        ("of a very long name", json!({ "sub": "x".repeat(256) })),
        ("of two", json!({ "sub": ["a", "b"] })),
        (
            "with a may_act of no sub",
            json!({ "may_act": { "client_id": "orders" } }),
        ),
        (
            "of an unknown issuer",
            json!({ "iss": "https://unknown.example" }),
        ),
        (
            "of a trusted issuer with another's key",
            json!({ "iss": CORP }),
        ),
        (
            "of an issuer like a trusted one",
            json!({ "iss": format!("{IDP}/") }),
        ),
        ("of no issuer", json!({ "iss": null })),
        ("of us, by their key", json!({ "iss": ISSUER })),
    ] {
        let token = world.statement(IDP, "alice", changes);
        is_refused(&mut world, &token, why);
    }
    let reply = claims_like(&world, IDP);
    let corp = &ExternalIssuer::known(CORP).key;
    for (why, header) in [
        ("a logout token", json!({ "typ": "logout+jwt" })),
        ("something else", json!({ "typ": "secevent+jwt" })),
        (
            "an algorithm that is not allowed",
            json!({ "alg": "RS256" }),
        ),
        ("none", json!({ "alg": "none" })),
        ("another kid", json!({ "kid": corp.kid().as_str() })),
        (
            "an extension that must be understood",
            json!({ "crit": ["b64"], "b64": false }),
        ),
        (
            "a key of its own",
            json!({ "jwk": corp.jwk(), "kid": null, "alg": "HS256" }),
        ),
    ] {
        let token = ExternalIssuer::known(IDP).jwt(header, &reply);
        is_refused(&mut world, &token, why);
    }
    world.advance(300.s());
    is_refused(&mut world, &good, "it has ended");
    world.reconfigure(|realm| realm.trusted_issuers[0].max_age = Some(60.s()));
    let old = json!({ "iat": world.now.as_secs() - 121 });
    let old = world.statement(IDP, "alice", old);
    is_refused(&mut world, &old, "it is old");
    let undated = world.statement(IDP, "alice", json!({ "iat": null }));
    is_refused(&mut world, &undated, "its age is unknown");
}

fn claims_like(world: &World, issuer: &str) -> Value {
    let now = world.now.as_secs();
    json!({ "iss": issuer, "sub": "alice", "aud": ISSUER, "exp": now + 300, "iat": now })
}

#[test]
fn a_subject_of_a_trusted_issuer_is_never_taken_for_a_local_user_or_client() {
    let mut world = trusting();
    let asked = [&as_a(TokenType::Jwt)[..], &TO_SHIPPING].concat();
    let alice = user_id("alice").to_string();
    for sub in [
        "orders",
        "shipping",
        &alice,
        "alice",
        "a|b",
        "https://id.example.com|x",
    ] {
        let theirs = world.statement(IDP, sub, json!({}));
        let token = world
            .exchange("orders", &theirs, &asked)
            .expect("a token")
            .token;
        assert_eq!(world.claims(&token)["sub"], format!("{IDP}|{sub}"));
        assert!(world.is_active("shipping", &token));
        assert!(world.userinfo(&token).is_err());
    }
    // Its actors are not either: a party that may_act names without an issuer is ours.
    world.reconfigure(|realm| realm.exchange[0].actor.issuer = Some(IDP.to_owned()));
    world.reconfigure(|realm| {
        client(realm, "tv").actor = Some("shipping".parse().expect("an id"));
    });
    let subject = world.orders_token().access;
    let theirs = world.statement(IDP, "shipping", json!({}));
    let asked = [&TO_SHIPPING[..], &actor(&theirs, TokenType::Jwt)].concat();
    let reply = world.exchange_refused("orders", &subject, &asked);
    assert_eq!(reply.0, InvalidRequest);
    assert!(reply.1.contains("may_act"), "{reply:?}");
}

#[test]
fn actors_of_another_issuer_are_kept_in_the_act_chain() {
    let mut world = trusting();
    let theirs = world.statement(IDP, "alice", json!({ "act": { "sub": "x" } }));
    let asked = [&as_a(TokenType::Jwt)[..], &TO_SHIPPING].concat();
    let reply = world.exchange_refused("orders", &theirs, &asked);
    assert_eq!(reply.0, InvalidRequest);
    // A token about an event does not identify a subject, whether its type is that of a logout token or not.
    let returned = world.statement(IDP, "alice", json!({ "events": {} }));
    assert_eq!(
        world.exchange_refused("orders", &returned, &asked).0,
        InvalidRequest
    );
    // Its may_act, which names another party, is not ignored either.
    for may_act in [
        json!({ "sub": "shipping" }),
        // Without `iss` it is a name that the issuer itself gives: its own "orders", not ours.
        json!({ "sub": "orders" }),
        json!({ "sub": "orders", "iss": IDP }),
        json!({ "sub": "orders", "client_id": "shipping" }),
    ] {
        let theirs = world.statement(IDP, "alice", json!({ "may_act": may_act }));
        let reply = world.exchange_refused("orders", &theirs, &asked);
        assert!(reply.1.contains("may_act"), "{may_act}: {reply:?}");
    }
    let ours = json!({ "sub": "orders", "iss": ISSUER });
    let theirs = world.statement(IDP, "alice", json!({ "may_act": ours }));
    world
        .exchange("orders", &theirs, &asked)
        .expect("orders is named");
}

#[test]
fn rfc8725_3_1_an_issuers_algorithms_are_those_that_the_operator_named() {
    let mut world = trusting();
    let theirs = world.statement(IDP, "alice", json!({}));
    let asked = [&as_a(TokenType::Jwt)[..], &TO_SHIPPING].concat();
    let exchanged = world.exchange("orders", &theirs, &asked);
    assert!(exchanged.is_ok(), "its key signs with ES256");
    world.reconfigure(|realm| realm.trusted_issuers[0].algorithms = vec![Algorithm::Rs256]);
    is_refused(
        &mut world,
        &theirs,
        "signed as its key can, and not as it may",
    );
}
