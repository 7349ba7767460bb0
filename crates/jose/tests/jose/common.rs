//! What the tests share: private keys from the RFCs' numbers, and one key of each kind.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::{Algorithm, Jwk, Pkcs8, SigningKey, VerificationKey};
use serde_json::Value;

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// One key for each algorithm, made once: an RSA key is slow to find.
pub(crate) static KEYS: LazyLock<[(SigningKey, Pkcs8); 4]> =
    LazyLock::new(|| Algorithm::ALL.map(|alg| SigningKey::generate(alg).unwrap()));

pub(crate) fn key(alg: Algorithm) -> &'static SigningKey {
    &pair(alg).0
}

pub(crate) fn pair(alg: Algorithm) -> &'static (SigningKey, Pkcs8) {
    KEYS.iter()
        .find(|(key, _)| key.algorithms() == [alg])
        .unwrap()
}

pub(crate) fn verification_key(alg: Algorithm) -> VerificationKey {
    VerificationKey::new(&key(alg).jwk()).unwrap()
}

/// A token from any header and claims, signed by `key` with `alg` whatever the header says.
pub(crate) fn token(key: &SigningKey, alg: Algorithm, header: &str, claims: &str) -> String {
    let input = format!("{}.{}", base64url(header), base64url(claims));
    let signature = key.sign(alg, input.as_bytes()).unwrap();
    format!("{input}.{}", base64url(signature))
}

/// The PKCS#8 of a private key that an RFC gives as a JWK.
pub(crate) fn private_key(jwk: &Value) -> Vec<u8> {
    let number = |name: &str| bytes(jwk[name].as_str().unwrap());
    match jwk["kty"].as_str().unwrap() {
        "RSA" => {
            let public_key = PublicKeyComponents {
                n: number("n"),
                e: number("e"),
            };
            let pair = RsaKeyPair::from_components(&KeyPairComponents {
                public_key,
                d: number("d"),
                p: number("p"),
                q: number("q"),
                dP: number("dp"),
                dQ: number("dq"),
                qInv: number("qi"),
            });
            pair.unwrap().as_der().unwrap().as_ref().to_vec()
        }
        "EC" => {
            let public = [vec![4], number("x"), number("y")].concat();
            let pair = EcdsaKeyPair::from_private_key_and_public_key(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &number("d"),
                &public,
            );
            pair.unwrap().to_pkcs8v1().unwrap().as_ref().to_vec()
        }
        _ => {
            let pair = Ed25519KeyPair::from_seed_and_public_key(&number("d"), &number("x"));
            pair.unwrap().to_pkcs8v1().unwrap().as_ref().to_vec()
        }
    }
}

/// The same JWK without its private members.
pub(crate) fn public_half(jwk: &Value) -> Jwk {
    let mut members = jwk.as_object().unwrap().clone();
    members.retain(|name, _| !["d", "p", "q", "dp", "dq", "qi"].contains(&name.as_str()));
    Jwk::try_from(members).unwrap()
}
