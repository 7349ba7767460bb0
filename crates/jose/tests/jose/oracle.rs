//! Differential: what we sign, `jsonwebtoken` verifies; what it signs, we verify.

use crate::common::{key, pair, verification_key};
use futures_util::FutureExt as _;
use grantor_jose::{
    Algorithm, KeySet, KeyState, LocalSigner, SignError, SigningInput, SigningKey, TokenType,
    VerificationKey, decode,
};
use jsonwebtoken as oracle;
use serde_json::{Value, json};

fn claims() -> Value {
    json!({
        "iss": "https://as.example",
        "sub": "Ünïcode \u{1F511}",
        "exp": 4_102_444_800_u64,
        "scope": "openid orders.example.com/read",
        "nested": { "list": [1, null, true] },
    })
}

fn their(alg: Algorithm) -> oracle::Algorithm {
    serde_json::from_value(json!(alg)).unwrap()
}

/// Their view of our key, through its public JSON alone.
fn their_decoding_key(key: &SigningKey) -> oracle::DecodingKey {
    let jwk: oracle::jwk::Jwk = serde_json::from_value(json!(key.jwk())).unwrap();
    assert_eq!(jwk.common.key_id.as_deref(), Some(key.kid().as_str()));
    oracle::DecodingKey::from_jwk(&jwk).unwrap()
}

fn their_encoding_key(alg: Algorithm) -> oracle::EncodingKey {
    let pkcs8 = pair(alg).1.reveal();
    match alg {
        Algorithm::Es256 => oracle::EncodingKey::from_ec_der(pkcs8),
        Algorithm::EdDsa => oracle::EncodingKey::from_ed_der(pkcs8),
        Algorithm::Rs256 | Algorithm::Ps256 => {
            // It wants PKCS#1, which PKCS#8 wraps as its last member, an OCTET STRING.
            assert_eq!(pkcs8[22..24], [0x04, 0x82]);
            oracle::EncodingKey::from_rsa_der(&pkcs8[26..])
        }
    }
}

fn their_verdict(alg: Algorithm, key: &SigningKey, token: &str) -> oracle::TokenData<Value> {
    let validation = oracle::Validation::new(their(alg));
    oracle::decode(token, &their_decoding_key(key), &validation).unwrap()
}

#[test]
fn the_oracle_verifies_what_the_local_signer_signs() {
    for alg in Algorithm::ALL {
        let own = SigningKey::from_pkcs8(alg, pair(alg).1.reveal()).unwrap();
        let keys = KeySet::new([(own.jwk(), KeyState::Active)]).unwrap();
        let signer = LocalSigner::from_iter([own]);
        for typ in TokenType::ALL {
            let input = SigningInput::new(keys.header(alg, typ).unwrap(), &claims()).unwrap();
            let token = input.sign(&signer).now_or_never().unwrap().unwrap();
            let theirs = their_verdict(alg, key(alg), &token);
            assert_eq!(theirs.claims, claims());
            assert_eq!(theirs.header.alg, their(alg));
            assert_eq!(theirs.header.typ.as_deref(), Some(typ.name()));
            assert_eq!(theirs.header.kid.as_deref(), Some(key(alg).kid().as_str()));

            let ours = keys.verify(decode(&token).unwrap()).unwrap();
            assert!(typ.is(ours.header().typ.as_deref()));
            assert_eq!(ours.claims::<Value>().unwrap(), claims());
        }
    }
}

#[test]
fn we_verify_what_the_oracle_signs() {
    for alg in Algorithm::ALL {
        let mut header = oracle::Header::new(their(alg));
        header.kid = Some("any".to_owned());
        let token = oracle::encode(&header, &claims(), &their_encoding_key(alg)).unwrap();
        let verified = decode(&token)
            .unwrap()
            .verify(&verification_key(alg))
            .unwrap();
        assert_eq!(verified.claims::<Value>().unwrap(), claims());
        assert_eq!(verified.header().algorithm, alg);
        assert_eq!(verified.header().kid.as_ref().unwrap().as_str(), "any");
    }
}

#[test]
fn thumbprints_equal_those_of_the_oracle() {
    for alg in Algorithm::ALL {
        let jwk: oracle::jwk::Jwk = serde_json::from_value(json!(key(alg).jwk())).unwrap();
        let theirs = jwk.thumbprint(oracle::jwk::ThumbprintHash::SHA256).unwrap();
        assert_eq!(theirs, key(alg).kid().as_str());
    }
}

#[test]
fn an_rsa_key_serves_both_paddings_if_both_are_allowed() {
    let rsa = SigningKey::from_pkcs8(Algorithm::Rs256, pair(Algorithm::Rs256).1.reveal()).unwrap();
    let error = rsa.sign(Algorithm::Ps256, b"input").unwrap_err();
    assert!(matches!(error, SignError::AlgorithmNotAllowed));

    let rsa = rsa.allow(Algorithm::Ps256).unwrap();
    assert_eq!(rsa.jwk().algorithm, None, "`alg` would name one of two");
    let public = VerificationKey::new(&rsa.jwk()).unwrap();
    for alg in [Algorithm::Rs256, Algorithm::Ps256] {
        let token = crate::common::token(
            &rsa,
            alg,
            &json!({ "alg": alg }).to_string(),
            &claims().to_string(),
        );
        their_verdict(alg, &rsa, &token);
        decode(&token).unwrap().verify(&public).unwrap();
    }
    assert!(rsa.allow(Algorithm::Es256).is_err());
}

#[test]
fn a_signer_refuses_unknown_keys_and_algorithms() {
    let own = SigningKey::from_pkcs8(Algorithm::Es256, pair(Algorithm::Es256).1.reveal()).unwrap();
    let signer = LocalSigner::from_iter([own]);
    let ask = |kid, alg| {
        grantor_jose::Signer::sign(&signer, kid, alg, b"x")
            .now_or_never()
            .unwrap()
    };
    let (own, foreign) = (key(Algorithm::Es256).kid(), key(Algorithm::EdDsa).kid());
    ask(own, Algorithm::Es256).unwrap();
    assert!(matches!(
        ask(own, Algorithm::Rs256),
        Err(SignError::AlgorithmNotAllowed)
    ));
    assert!(
        matches!(ask(foreign, Algorithm::EdDsa), Err(SignError::UnknownKey(kid)) if kid == *foreign)
    );
}
