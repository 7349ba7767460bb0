//! Issuers whose JWTs are taken in exchange (RFC 8693 section 2.1), as the operator declares them.

use std::time::Duration;

use grantor_jose::Algorithm;

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

impl TrustedIssuer {
    /// How we call its subject `sub`. No user, a UUID, and no client is called so.
    #[must_use]
    pub fn name_of(&self, sub: &str) -> String {
        format!("{}|{sub}", self.issuer)
    }

    /// Its own name of a subject that we call `sub`, if it is one of its.
    #[must_use]
    pub fn subject_of<'s>(&self, sub: &'s str) -> Option<&'s str> {
        sub.strip_prefix(&self.issuer)?.strip_prefix('|')
    }
}
