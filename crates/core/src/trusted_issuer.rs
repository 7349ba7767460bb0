//! Issuers whose JWTs are taken in exchange (RFC 8693 section 2.1), by the rules of RFC 7521 section 5.2.

use std::time::Duration;

use grantor_jose::{Algorithm, Kid};

/// An issuer that the operator trusts. How its keys are found is the shell's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// Its issuer identifier, exactly as `iss` has it.
    pub issuer: String,
    /// The algorithms with which it may sign.
    pub algorithms: Vec<Algorithm>,
    /// Names of ours, one of which `aud` must have beside our issuer and our token endpoint.
    pub audiences: Vec<String>,
    /// The claim that holds one of our usernames; without it a subject stays the issuer's: `ISSUER|SUB`.
    pub user_claim: Option<String>,
    /// How old a token may be, counted from its `iat`.
    pub max_age: Option<Duration>,
    /// How far its clock may be off.
    pub skew: Duration,
}

/// Which key is needed to verify a foreign token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAsk {
    /// The issuer: a trusted one.
    pub issuer: String,
    /// The key that the token names.
    pub kid: Option<Kid>,
    /// How the token says that it is signed.
    pub algorithm: Algorithm,
}
