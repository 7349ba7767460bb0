//! A verifier with a given key set: it makes no request and needs no runtime, so it works without the feature `fetch`.

#![expect(clippy::unwrap_used, reason = "a part of tests")]

use futures_util::FutureExt as _;
use grantor_jose::{Algorithm, Kid, ProtectedHeader, SigningInput, SigningKey, TokenType};
use grantor_verify::{AccessToken, Invalid, Jwks, Refusal, Verifier};
use serde_json::{Value, json};

const ISSUER: &str = "https://auth.example.com";
/// 2100-01-01.
const LATER: u64 = 4_102_444_800;

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa).unwrap().0
}

fn token(key: &SigningKey, kid: &Kid, claims: &Value) -> String {
    let header = ProtectedHeader::new(Algorithm::EdDsa, TokenType::Access, kid);
    let input = SigningInput::new(&header, claims).unwrap();
    let signature = key.sign(Algorithm::EdDsa, input.as_bytes()).unwrap();
    input.finish(&signature)
}

fn verifier(keys: &Jwks) -> Verifier {
    let builder = Verifier::builder(ISSUER, "orders").unwrap();
    builder.key_set(keys).build().unwrap()
}

/// Panics if verification waits for anything.
fn verify(verifier: &Verifier, token: &str) -> Result<AccessToken, Refusal> {
    verifier.verify(token).now_or_never().unwrap()
}

fn invalid(verifier: &Verifier, token: &str) -> Invalid {
    match verify(verifier, token) {
        Err(Refusal::InvalidToken(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_verified_with_the_given_keys_only() {
    let (ours, other) = (key(), key());
    let verifier = verifier(&Jwks {
        keys: vec![ours.jwk()],
    });
    let claims = json!({ "iss": ISSUER, "sub": "alice", "aud": "orders", "exp": LATER });
    let good = verify(&verifier, &token(&ours, ours.kid(), &claims)).unwrap();
    assert_eq!(good.subject, "alice");

    let unknown_key = invalid(&verifier, &token(&other, other.kid(), &claims));
    assert_eq!(
        unknown_key,
        Invalid::Signature(grantor_jose::VerifyError::UnknownKey)
    );
    let forged = invalid(&verifier, &token(&other, ours.kid(), &claims));
    assert_eq!(
        forged,
        Invalid::Signature(grantor_jose::VerifyError::BadSignature)
    );
}

#[test]
fn claims_are_checked_as_with_fetched_keys() {
    let key = key();
    let verifier = verifier(&Jwks {
        keys: vec![key.jwk()],
    });
    for (name, value, expected) in [
        ("iss", json!("https://other.example.com"), Invalid::Issuer),
        ("aud", json!("shipping"), Invalid::Audience),
        ("exp", json!(1), Invalid::Expired),
        ("nbf", json!(LATER), Invalid::NotYet),
        ("cnf", json!({ "jkt": "x" }), Invalid::Bound),
    ] {
        let mut claims = json!({ "iss": ISSUER, "sub": "alice", "aud": "orders", "exp": LATER });
        claims[name] = value;
        let token = token(&key, key.kid(), &claims);
        assert_eq!(invalid(&verifier, &token), expected, "{name}");
    }
}

#[test]
fn an_opaque_token_is_malformed() {
    let verifier = verifier(&Jwks::default());
    let refused = invalid(&verifier, "opaque");
    assert!(matches!(refused, Invalid::Malformed(_)), "{refused:?}");
}

#[cfg(not(feature = "fetch"))]
#[test]
fn without_fetch_a_verifier_needs_a_key_set() {
    use grantor_verify::BuildError;

    let builder = Verifier::builder(ISSUER, "orders").unwrap();
    assert!(matches!(builder.build(), Err(BuildError::NoKeySet)));
}
