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
    /// Whether any of its subjects is linked to a user. Without links, none is looked for.
    pub has_links: bool,
    /// The claim that contains one of our usernames, spelled as ours. Without it, and without a link, the subject is
    /// `ISSUER|SUB`.
    pub user_claim: Option<String>,
    /// The maximum age of a token, counted from `iat`.
    pub max_age: Option<Duration>,
    /// Tolerated clock skew.
    pub skew: Duration,
}

/// OpenID Connect Core section 2: `sub` "MUST NOT exceed 255 ASCII characters".
const MAX_SUB_BYTES: usize = 255;

/// Whether an issuer's subject could be called so.
#[must_use]
pub fn may_be_subject(sub: &str) -> bool {
    (1..=MAX_SUB_BYTES).contains(&sub.len()) && !sub.chars().any(char::is_control)
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
