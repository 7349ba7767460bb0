//! JOSE over aws-lc-rs: JWS in compact form, public JWKs, key sets, and the [`Signer`] trait.
//!
//! A key is parsed once, not for each signature or verification. [`Algorithm`] has neither `none` nor MACs, and a key works
//! only with the algorithms of its kind. So a token cannot choose how it is verified.
//!
//! Signing has three steps, so that the code that decides what to sign needs no I/O: [`SigningInput::new`] encodes the
//! input, a [`Signer`] (local or in a KMS) signs it, [`SigningInput::finish`] returns the token. Verifying has two:
//! [`decode`] parses, [`Unverified::verify`] returns a [`Verified`].
//!
//! # Minimum Rust version
//! 1.85, the first with edition 2024. That is what the dependencies declare and what clippy's `incompatible_msrv` accepts;
//! the crate was not built with a compiler that old.

// Printing panics where it cannot be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]
#![warn(missing_docs)]

mod algorithm;
mod at_rest;
mod base64url;
mod decode;
mod hash;
mod jwk;
mod jws;
mod key;
mod keyset;
mod loopback;
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
pub use loopback::{is_loopback_address, is_loopback_host};
pub use signer::{LocalSigner, SignError, Signer};
pub use verification::{VerificationKey, VerifyError};
pub use verification_keys::VerificationKeys;
