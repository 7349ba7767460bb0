//! Signers: this process, or a remote KMS.

use std::collections::HashMap;
use std::error::Error;
use std::future::ready;

use futures_util::future::{BoxFuture, FutureExt as _};

use crate::algorithm::Algorithm;
use crate::jwk::Kid;
use crate::key::SigningKey;

/// Signs with private keys that it never reveals.
///
/// Asynchronous, since a KMS or an HSM needs a request. Tokens are signed before their commit, so a failed signature has no
/// effect.
pub trait Signer: Send + Sync {
    /// The JWS signature of `signing_input` by the key `kid` with `alg` (RFC 7518 section 3): for
    /// ES256 `r || s`, 64 bytes, not the DER form that most KMSs return.
    fn sign<'a>(
        &'a self,
        kid: &'a Kid,
        alg: Algorithm,
        signing_input: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>>;
}

/// Why signing failed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The signer does not have that key.
    #[error("the signer has no key {0}")]
    UnknownKey(Kid),
    /// The key may not be used with that algorithm.
    #[error("the algorithm is not allowed for this key")]
    AlgorithmNotAllowed,
    /// The library failed. Not expected with a key that was accepted.
    #[error("signing failed")]
    Failed,
    /// A remote signer did not answer, or answered with an error: try again.
    #[error("the signer is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// Signs in this process, on the caller's thread: 25 µs for ES256 and EdDSA, half a millisecond for RSA with 2048 bits,
/// too little to use a thread pool.
#[derive(Debug, Default)]
pub struct LocalSigner {
    keys: HashMap<Kid, SigningKey>,
}

impl LocalSigner {
    /// The key with this id.
    #[must_use]
    pub fn key(&self, kid: &Kid) -> Option<&SigningKey> {
        self.keys.get(kid)
    }
}

impl FromIterator<SigningKey> for LocalSigner {
    fn from_iter<I: IntoIterator<Item = SigningKey>>(keys: I) -> Self {
        Self {
            keys: keys
                .into_iter()
                .map(|key| (key.kid().clone(), key))
                .collect(),
        }
    }
}

impl Signer for LocalSigner {
    fn sign<'a>(
        &'a self,
        kid: &'a Kid,
        alg: Algorithm,
        signing_input: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        let signature = match self.keys.get(kid) {
            Some(key) => key.sign(alg, signing_input),
            None => Err(SignError::UnknownKey(kid.clone())),
        };
        ready(signature).boxed()
    }
}
