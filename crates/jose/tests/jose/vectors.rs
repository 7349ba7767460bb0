//! The RFCs' own examples.

use crate::common::{bytes, private_key, public_half};
use aws_lc_rs::hmac;
use grantor_jose::{
    Algorithm, DecodeError, Jwk, JwkError, Jwks, PublicKey, SigningKey, VerificationKey,
    VerifyError, decode,
};
use serde_json::{Value, json};

const ED25519_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
    hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn rfc7515() -> Value {
    serde_json::from_str(include_str!("vectors/rfc7515.json")).unwrap()
}

fn rfc7517() -> Value {
    serde_json::from_str(include_str!("vectors/rfc7517.json")).unwrap()
}

fn ed25519_jwk() -> Value {
    json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    })
}

fn verify(jwk: &Value, token: &str) -> Result<Vec<u8>, VerifyError> {
    let key = VerificationKey::new(&public_half(jwk)).unwrap();
    Ok(decode(token).unwrap().verify(&key)?.payload().to_vec())
}

/// Signs the token's own signing input again.
fn sign_again(alg: Algorithm, jwk: &Value, token: &str) -> String {
    let key = SigningKey::from_pkcs8(alg, &private_key(jwk)).unwrap();
    let (input, _) = token.rsplit_once('.').unwrap();
    format!(
        "{input}.{}",
        crate::common::base64url(key.sign(alg, input.as_bytes()).unwrap())
    )
}

/// A negative: the HMAC is right, and a MAC is still no signature here.
#[test]
fn rfc7515_a_1_hs256_is_refused() {
    let vector = &rfc7515()["a1"];
    let token = vector["token"].as_str().unwrap();
    let (input, mac) = token.rsplit_once('.').unwrap();
    let key = hmac::Key::new(
        hmac::HMAC_SHA256,
        &bytes(vector["jwk"]["k"].as_str().unwrap()),
    );
    hmac::verify(&key, input.as_bytes(), &bytes(mac)).unwrap();
    assert_eq!(
        decode(token).unwrap_err(),
        DecodeError::UnsupportedAlgorithm
    );
}

#[test]
fn rfc7515_a_2_rs256_verifies_and_is_signed_again_to_the_byte() {
    let vector = &rfc7515()["a2"];
    let token = vector["token"].as_str().unwrap();
    let payload =
        b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
    assert_eq!(verify(&vector["jwk"], token).unwrap(), payload);
    assert_eq!(sign_again(Algorithm::Rs256, &vector["jwk"], token), token);
}

#[test]
fn rfc7515_a_3_es256_verifies_and_a_new_signature_has_64_bytes() {
    let vector = &rfc7515()["a3"];
    let token = vector["token"].as_str().unwrap();
    verify(&vector["jwk"], token).unwrap();
    let again = sign_again(Algorithm::Es256, &vector["jwk"], token);
    verify(&vector["jwk"], &again).unwrap();
    assert_eq!(decode(&again).unwrap().signature().len(), 64);
    assert_ne!(again, token, "ECDSA draws a nonce for each signature");
}

#[test]
fn rfc8037_a_4_and_5_ed25519_verifies_and_is_signed_again_to_the_byte() {
    assert_eq!(
        verify(&ed25519_jwk(), ED25519_TOKEN).unwrap(),
        b"Example of Ed25519 signing"
    );
    assert_eq!(
        sign_again(Algorithm::EdDsa, &ed25519_jwk(), ED25519_TOKEN),
        ED25519_TOKEN
    );
}

#[test]
fn rfc8037_a_3_thumbprint() {
    let key = public_half(&ed25519_jwk()).key;
    assert_eq!(
        key.thumbprint(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
}

/// The example's key is that of RFC 7517 appendix A.1.
#[test]
fn rfc7638_3_1_thumbprint() {
    let key = public_half(&rfc7517()["a1"]["keys"][1]).key;
    assert_eq!(
        key.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

#[test]
fn rfc7517_a_1_gives_the_signature_key_and_skips_the_one_for_encryption() {
    let set: Jwks = serde_json::from_value(rfc7517()["a1"].clone()).unwrap();
    assert_eq!(set.keys.len(), 1);
    let jwk = set.find("2011-04-29").unwrap();
    assert_eq!(jwk.algorithm, Some(Algorithm::Rs256));
    assert!(set.find("1").is_none());
    VerificationKey::new(jwk).unwrap();
}

#[test]
fn rfc7517_a_2_and_3_private_and_symmetric_keys_are_no_public_keys() {
    let error = serde_json::from_value::<Jwks>(rfc7517()["a2"].clone()).unwrap_err();
    assert_eq!(error.to_string(), JwkError::Private.to_string());
    // Section 5: symmetric keys beside others do not make the others unusable.
    let set = serde_json::from_value::<Jwks>(rfc7517()["a3"].clone()).unwrap();
    assert_eq!(set, Jwks::default());
    for set in ["a2", "a3"] {
        for key in rfc7517()[set]["keys"].as_array().unwrap() {
            let error = Jwk::try_from(key.as_object().unwrap().clone()).unwrap_err();
            assert_eq!(error, JwkError::Private);
        }
    }
}

#[test]
fn rfc7517_b_a_certificate_in_a_key_is_ignored() {
    let jwk: Jwk = serde_json::from_value(rfc7517()["b"].clone()).unwrap();
    assert!(matches!(jwk.key, PublicKey::Rsa { .. }));
    let json = serde_json::to_value(&jwk).unwrap();
    assert!(json.get("x5c").is_none());
    assert_eq!(json["use"], "sig");
    assert_eq!(json["n"], rfc7517()["b"]["n"]);
}
