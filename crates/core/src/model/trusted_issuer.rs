//! Issuers whose JWTs are accepted in token exchange (RFC 8693 section 2.1).

use std::time::Duration;

use grantor_jose::Algorithm;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// Exactly as in `iss`.
    pub issuer: String,
    pub algorithms: Vec<Algorithm>,
    /// Accepted values of `aud`, in addition to our issuer and token endpoint.
    pub audiences: Vec<String>,
    /// The claim that contains one of our usernames. Without it, the subject is `ISSUER|SUB`.
    pub user_claim: Option<String>,
    /// The maximum age of a token, counted from `iat`.
    pub max_age: Option<Duration>,
    /// Tolerated clock skew.
    pub skew: Duration,
}

impl TrustedIssuer {
    /// Our name for its subject `sub`. Never equals a user's or client's id.
    #[must_use]
    pub fn qualified_subject(&self, sub: &str) -> String {
        format!("{}|{sub}", self.issuer)
    }

    /// The reverse: the issuer's own `sub` of a qualified subject.
    #[must_use]
    pub fn own_subject<'s>(&self, sub: &'s str) -> Option<&'s str> {
        sub.strip_prefix(&self.issuer)?.strip_prefix('|')
    }
}
