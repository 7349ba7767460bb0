//! JOSE over aws-lc-rs: JWS in compact form, public JWKs, key sets, and the [`Signer`] trait.
//!
//! A key is parsed once and then held ready: no signature and no verification parses one again.
//! An algorithm is a value of [`Algorithm`], which knows neither `none` nor any MAC, and a key
//! works only with the algorithms of its own kind. So a token can never choose how it is checked.
//!
//! Minting is three steps, so that what decides stays pure: [`SigningInput::new`] builds the bytes,
//! a [`Signer`] (here or in a KMS) signs them, [`SigningInput::finish`] puts the token together.
//! Checking is two: [`decode`] parses, [`Unverified::verify`] alone gives out a [`Verified`].

mod algorithm;
mod at_rest;
mod base64url;
mod decode;
mod hash;
mod jwk;
mod jws;
mod key;
mod keyset;
mod signer;
mod verification;
mod verification_keys;

pub use algorithm::{Algorithm, KeyKind, UnsupportedAlgorithm};
pub use at_rest::{AtRestError, NONCE_LEN, decrypt_private_key, encrypt_private_key};
pub use decode::{DecodeError, Header, MAX_TOKEN_LEN, Unverified, Verified, decode};
pub use hash::left_half_hash;
pub use jwk::{Jwk, JwkError, Jwks, Kid, PublicKey};
pub use jws::{ProtectedHeader, SigningInput, TokenType};
pub use key::{KeyError, Pkcs8, SigningKey};
pub use keyset::{KeySet, KeySetError, KeyState, PublishedKey};
pub use signer::{LocalSigner, SignError, Signer};
pub use verification::{VerificationKey, VerifyError};
pub use verification_keys::VerificationKeys;
