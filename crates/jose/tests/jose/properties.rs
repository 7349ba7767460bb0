//! What holds for every input.

use crate::common::{key, token, verification_key};
use grantor_jose::{Algorithm, Jwk, Jwks, MAX_TOKEN_LEN, decode};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::json;

fn config() -> ProptestConfig {
    // A fixed seed: the same cases each run, and no file of past failures next to the tests.
    ProptestConfig {
        cases: 512,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7515),
        ..ProptestConfig::default()
    }
}

/// Strings that come far: three parts of base64url, or of JSON in base64url.
fn token_like() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[A-Za-z0-9_-]{0,40}",
        "\\PC{0,40}".prop_map(crate::common::base64url)
    ];
    let header = prop_oneof![
        part.clone(),
        ("[a-zA-Z0-9]{0,6}", "\\PC{0,10}").prop_map(|(alg, kid)| {
            crate::common::base64url(json!({ "alg": alg, "kid": kid }).to_string())
        }),
        Just(crate::common::base64url(r#"{"alg":"ES256"}"#)),
    ];
    (header, part.clone(), part).prop_map(|(h, p, s)| format!("{h}.{p}.{s}"))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn decoding_never_panics(any in "\\PC*", like in token_like()) {
        let _ = decode(&any);
        let _ = decode(&like);
    }

    #[test]
    fn nothing_unsigned_verifies(like in token_like()) {
        if let Ok(token) = decode(&like) {
            for alg in Algorithm::ALL {
                prop_assert!(token.clone().verify(&verification_key(alg)).is_err());
            }
        }
    }

    #[test]
    fn what_decodes_is_the_only_spelling_of_its_parts(like in token_like()) {
        if let Ok(token) = decode(&like) {
            prop_assert!(like.len() <= MAX_TOKEN_LEN);
            let input = std::str::from_utf8(token.signing_input()).unwrap();
            let signature = crate::common::base64url(token.signature());
            prop_assert_eq!(&format!("{input}.{signature}"), &like);
            let payload = crate::common::base64url(token.unverified_payload());
            prop_assert_eq!(input.split('.').nth(1), Some(payload.as_str()));
        }
    }

    #[test]
    fn keys_from_any_json_never_panic(json in "\\PC*", x in any::<Vec<u8>>()) {
        let _ = serde_json::from_str::<Jwk>(&json);
        let _ = serde_json::from_str::<Jwks>(&json);
        let x = crate::common::base64url(x);
        for members in [
            json!({ "kty": "OKP", "crv": "Ed25519", "x": x }),
            json!({ "kty": "EC", "crv": "P-256", "x": x, "y": x }),
            json!({ "kty": "RSA", "n": x, "e": x }),
        ] {
            if let Ok(jwk) = serde_json::from_value::<Jwk>(members) {
                let _ = grantor_jose::VerificationKey::new(&jwk);
            }
        }
    }

    #[test]
    fn a_token_changed_in_one_byte_is_refused(
        alg in prop::sample::select(&Algorithm::ALL[..]),
        at in any::<prop::sample::Index>(),
        to in 0_u8..128,
    ) {
        let token = token(key(alg), alg, &json!({ "alg": alg }).to_string(), r#"{"sub":"alice"}"#);
        let key = verification_key(alg);
        prop_assert!(decode(&token).unwrap().verify(&key).is_ok());
        let mut bytes = token.into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert!(decode(&changed).map_or(true, |token| token.verify(&key).is_err()));
    }
}

/// Not by chance but each byte in turn, by its neighbour and by a letter.
#[test]
fn a_change_of_any_byte_of_a_token_is_refused() {
    for alg in Algorithm::ALL {
        let token = token(
            key(alg),
            alg,
            &json!({ "alg": alg }).to_string(),
            r#"{"sub":"alice"}"#,
        );
        let key = verification_key(alg);
        for at in 0..token.len() {
            for to in [token.as_bytes()[at] ^ 1, b'A', b'_', b'.'] {
                let mut bytes = token.clone().into_bytes();
                if bytes[at] == to {
                    continue;
                }
                bytes[at] = to;
                let changed = String::from_utf8(bytes).unwrap();
                let verdict = decode(&changed).map(|token| token.verify(&key).is_ok());
                assert_ne!(verdict, Ok(true), "{alg}: byte {at} as {to}");
            }
        }
    }
}
