//! Foreign keys: what is refused, and what is skipped.

use grantor_jose::{Algorithm, Jwk, JwkError, Jwks, VerificationKey};
use serde_json::{Value, json};

use crate::common::{base64url, key};

#[test]
fn keys_that_are_not_for_signatures_are_refused() {
    let good = json!(key(Algorithm::Rs256).jwk());
    let with = |name: &str, value: Value| {
        let mut jwk = good.as_object().unwrap().clone();
        jwk.insert(name.to_owned(), value);
        Jwk::try_from(jwk)
    };
    let modulus = |len: usize, first: u8| {
        let mut n = vec![0xff; len];
        n[0] = first;
        json!(base64url(n))
    };
    assert_eq!(
        with("unknown", json!([1])).unwrap(),
        key(Algorithm::Rs256).jwk()
    );
    assert_eq!(with("d", json!("AQAB")), Err(JwkError::Private));
    assert_eq!(with("d", json!(null)), Err(JwkError::Private));
    assert_eq!(with("use", json!("enc")), Err(JwkError::NotForSignatures));
    assert_eq!(
        with("key_ops", json!(["sign"])),
        Err(JwkError::NotForSignatures)
    );
    assert!(with("key_ops", json!(["verify"])).is_ok());
    for alg in ["ES256", "HS256", "none", "RSA-OAEP", "RS512"] {
        assert_eq!(
            with("alg", json!(alg)),
            Err(JwkError::UnsupportedAlgorithm),
            "{alg}"
        );
    }
    assert_eq!(with("kty", json!("oct")), Err(JwkError::UnsupportedKind));
    assert_eq!(with("n", modulus(128, 0xff)), Err(JwkError::RsaSize));
    assert_eq!(
        with("n", modulus(256, 0x7f)),
        Err(JwkError::RsaSize),
        "2047 bits"
    );
    assert_eq!(with("n", modulus(1025, 0x01)), Err(JwkError::RsaSize));
    assert_eq!(
        with("n", modulus(257, 0)),
        Err(JwkError::Member("n")),
        "a leading zero"
    );
    assert_eq!(
        with("n", json!(format!("{}=", good["n"].as_str().unwrap()))),
        Err(JwkError::Member("n"))
    );
    assert_eq!(with("e", json!("")), Err(JwkError::Member("e")));
    for exponent in [1, 2, 16] {
        let jwk = with("e", json!(base64url([exponent]))).unwrap();
        assert!(VerificationKey::new(&jwk).is_err(), "exponent {exponent}");
    }
    let too_long = with("e", json!(base64url([0xff; 6]))).unwrap();
    assert!(VerificationKey::new(&too_long).is_err());
    let even = with("n", json!(base64url([0xfe; 256]))).unwrap();
    assert!(VerificationKey::new(&even).is_err(), "an even modulus");
}

#[test]
fn points_off_the_curve_and_short_coordinates_are_refused() {
    let jwk = |y: &[u8]| {
        let x = base64url([1; 32]);
        serde_json::from_value::<Jwk>(
            json!({"kty": "EC", "crv": "P-256", "x": x, "y": base64url(y)}),
        )
    };
    assert_eq!(
        VerificationKey::new(&jwk(&[1; 32]).unwrap()).unwrap_err(),
        JwkError::Member("x")
    );
    assert!(jwk(&[1; 31]).is_err());
    assert!(jwk(&[1; 33]).is_err());
    let p384 = json!({"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"});
    assert!(serde_json::from_value::<Jwk>(p384).is_err());
}

#[test]
fn a_set_skips_what_it_does_not_understand() {
    let set: Jwks = serde_json::from_value(json!({
        "keys": [
            { "kty": "new", "kid": "a" },
            { "kty": "OKP", "crv": "X25519", "x": "AA", "kid": "b" },
            { "kty": "RSA", "kid": "c" },
            { "kty": "oct", "kid": "d", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75" },
            { "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA", "d": "AA", "kid": "e" },
            { "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "kid": "f" },
            { "kty": 1, "kid": "g" },
            { "use": "enc", "kid": "h" },
            {},
            key(Algorithm::EdDsa).jwk(),
        ],
        "other": 1,
    }))
    .unwrap();
    assert_eq!(set.keys, [key(Algorithm::EdDsa).jwk()]);
}
