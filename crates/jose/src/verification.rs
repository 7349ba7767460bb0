//! Public keys for verification.

use std::fmt;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256,
};

use crate::algorithm::Algorithm;
use crate::jwk::{Jwk, JwkError, PublicKey};

/// A parsed public key, with the algorithms that it may be used with.
#[derive(Clone)]
pub struct VerificationKey {
    algorithms: Vec<Algorithm>,
    key: Parsed,
}

#[derive(Clone)]
enum Parsed {
    /// In aws-lc-rs a parsed key has one padding, so an RSA key is parsed twice.
    Rsa {
        pkcs1: ParsedPublicKey,
        pss: ParsedPublicKey,
    },
    P256(ParsedPublicKey),
    Ed25519(ParsedPublicKey),
}

impl VerificationKey {
    /// Prepares a key for the algorithms that its [`Jwk`] allows.
    ///
    /// # Errors
    /// [`JwkError::Member`] if the numbers are not a key: a point off the curve, an even exponent.
    pub fn new(jwk: &Jwk) -> Result<Self, JwkError> {
        let key = match &jwk.key {
            PublicKey::Rsa { n, e } => {
                // Via DER, since only its parser checks the numbers.
                let key = PublicKeyComponents { n, e };
                let der = key.as_der().map_err(|_| JwkError::Member("n"))?;
                let parse = |params| {
                    ParsedPublicKey::new(params, der.as_ref()).map_err(|_| JwkError::Member("n"))
                };
                Parsed::Rsa {
                    pkcs1: parse(&RSA_PKCS1_2048_8192_SHA256)?,
                    pss: parse(&RSA_PSS_2048_8192_SHA256)?,
                }
            }
            PublicKey::P256 { x, y } => {
                // SEC 1 section 2.3.3: 4 leads an uncompressed point.
                let point = [&[4][..], x, y].concat();
                let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                Parsed::P256(key.map_err(|_| JwkError::Member("x"))?)
            }
            PublicKey::Ed25519 { x } => {
                let key = ParsedPublicKey::new(&ED25519, x);
                Parsed::Ed25519(key.map_err(|_| JwkError::Member("x"))?)
            }
        };
        Ok(Self {
            algorithms: jwk.algorithms().to_vec(),
            key,
        })
    }

    /// What the key may be used with.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Proves that the holder of this key signed `input` with `alg`.
    ///
    /// RFC 8725 section 3.1: "Each key MUST be used with exactly one algorithm, and this MUST be
    /// checked when the cryptographic operation is performed." What the token says is only
    /// compared, with what the key allows and with what it is.
    ///
    /// # Errors
    /// [`VerifyError::AlgorithmNotAllowed`], or [`VerifyError::BadSignature`].
    pub fn verify(
        &self,
        alg: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if !self.algorithms.contains(&alg) {
            return Err(VerifyError::AlgorithmNotAllowed);
        }
        let key = match (&self.key, alg) {
            (Parsed::Rsa { pkcs1, .. }, Algorithm::Rs256) => pkcs1,
            (Parsed::Rsa { pss, .. }, Algorithm::Ps256) => pss,
            (Parsed::P256(key), Algorithm::Es256) => key,
            (Parsed::Ed25519(key), Algorithm::EdDsa) => key,
            _ => return Err(VerifyError::AlgorithmNotAllowed),
        };
        key.verify_sig(input, signature)
            .map_err(|_| VerifyError::BadSignature)
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("algorithms", &self.algorithms)
            .finish()
    }
}

/// Why the signature of a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// There is no key with the token's `kid`, or the token has no `kid`.
    #[error("no such key")]
    UnknownKey,
    /// The key may not be used with the token's `alg`.
    #[error("the algorithm is not allowed for this key")]
    AlgorithmNotAllowed,
    /// The signature is wrong.
    #[error("the signature does not verify")]
    BadSignature,
}
