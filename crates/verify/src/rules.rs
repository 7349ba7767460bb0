//! What a token must be to be an access token for this service: the checks of RFC 9068 section 4, without signature.

use std::time::Duration;

use grantor_jose::{Algorithm, Header};
use serde_json::{Map, Value};

use crate::refusal::Invalid;
use crate::token::{Facts, time};

/// The `typ` of access tokens (RFC 9068 section 2.1).
const ACCESS: &str = "at+jwt";
/// How far clocks may differ, unless told.
const LEEWAY: Duration = Duration::from_secs(30);
/// How far at most. RFC 9068 section 4: "usually no more than a few minutes".
const MOST_LEEWAY: Duration = Duration::from_secs(300);

/// For whom tokens must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// One of these is in `aud`: the names of this service.
    Of(Vec<String>),
    /// One of these is `client_id`: for an issuer whose access tokens have no `aud`, as Amazon Cognito's. Such a token
    /// does not say which service it is for, so each service that trusts the client can use it at the others.
    Clients(Vec<String>),
}

impl Audience {
    /// Tokens given to one of these clients.
    #[must_use]
    pub fn clients<T: Into<String>>(ids: impl IntoIterator<Item = T>) -> Self {
        Self::Clients(ids.into_iter().map(Into::into).collect())
    }

    /// What the service is called in challenges.
    pub(crate) fn realm(&self) -> &str {
        match self {
            Self::Of(names) => names.first().map_or("", String::as_str),
            Self::Clients(_) => "api",
        }
    }
}

impl From<&str> for Audience {
    fn from(name: &str) -> Self {
        Self::Of(vec![name.to_owned()])
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for Audience {
    fn from(names: [T; N]) -> Self {
        Self::Of(names.into_iter().map(Into::into).collect())
    }
}

/// By what an access token is told from other tokens of its issuer.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    /// By `typ` of its header.
    Typ(String),
    /// By a claim.
    Claim(String, Value),
}

/// The rules.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) issuer: String,
    pub(crate) audience: Audience,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) mark: Mark,
    leeway: u64,
}

impl Rules {
    pub(crate) fn new(issuer: &str, audience: Audience) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience,
            algorithms: Algorithm::ALL.to_vec(),
            mark: Mark::Typ(ACCESS.to_owned()),
            leeway: LEEWAY.as_secs(),
        }
    }

    pub(crate) fn allow_leeway(&mut self, leeway: Duration) {
        self.leeway = leeway.min(MOST_LEEWAY).as_secs();
    }

    /// What the sender's word is good for: to be refused before any key is looked for.
    pub(crate) fn check_header(&self, header: &Header) -> Result<(), Invalid> {
        if !self.algorithms.contains(&header.algorithm) {
            return Err(Invalid::Algorithm);
        }
        // RFC 9068 section 4: "The resource server MUST verify that the "typ" header value is "at+jwt" or
        // "application/at+jwt" and reject tokens carrying any other value."
        match (&self.mark, header.typ.as_deref()) {
            (Mark::Typ(expected), Some(typ)) if is_same_type(typ, expected) => Ok(()),
            (Mark::Claim(..), _) => Ok(()),
            _ => Err(Invalid::NotAnAccessToken),
        }
    }

    /// The facts of a JWT whose signature was verified, if it is for this service and good at `now`.
    pub(crate) fn check_jwt(&self, claims: Map<String, Value>, now: u64) -> Result<Facts, Invalid> {
        // Where another `typ` is expected, it may be that of ID tokens too. These claims only they have (OpenID Connect
        // Core sections 2 and 3.3.2.11).
        let of_id_token = || {
            let only_theirs = ["nonce", "at_hash", "c_hash"];
            only_theirs.iter().any(|name| claims.contains_key(*name))
        };
        let is_other = match &self.mark {
            Mark::Claim(name, expected) => claims.get(name) != Some(expected),
            Mark::Typ(typ) => !is_same_type(typ, ACCESS) && of_id_token(),
        };
        if is_other {
            return Err(Invalid::NotAnAccessToken);
        }
        self.check(claims, None, now)
    }

    /// The facts of what introspection answered, with the same checks. RFC 7662 section 2.2 lets `iss` be left out: it is
    /// this issuer that answers.
    pub(crate) fn check_introspected(
        &self,
        claims: Map<String, Value>,
        now: u64,
    ) -> Result<Facts, Invalid> {
        if claims.get("active") != Some(&Value::Bool(true)) {
            return Err(Invalid::Inactive);
        }
        // "token_type" may be left out, too; but a refresh token has none (RFC 6749 section 5.1), and where no audience
        // tells it from an access token, this must.
        let is_bearer = match claims.get("token_type").map(Value::as_str) {
            Some(typ) => typ.is_some_and(|typ| typ.eq_ignore_ascii_case("Bearer")),
            None => matches!(self.audience, Audience::Of(_)),
        };
        if !is_bearer {
            return Err(Invalid::NotAnAccessToken);
        }
        self.check(claims, Some(&self.issuer), now)
    }

    fn check(
        &self,
        mut claims: Map<String, Value>,
        issuer: Option<&str>,
        now: u64,
    ) -> Result<Facts, Invalid> {
        if claims.contains_key("cnf") {
            return Err(Invalid::Bound);
        }
        let begins = time(&mut claims, "nbf")?;
        let facts = Facts::read(claims, issuer)?;
        // "The issuer identifier for the authorization server [...] MUST exactly match the value of the "iss" claim."
        if facts.issuer != self.issuer {
            return Err(Invalid::Issuer);
        }
        // "The JWT access token MUST be rejected if "aud" does not contain a resource indicator of the current resource
        // server as a valid audience."
        let is_for_us = match &self.audience {
            Audience::Of(names) => facts.audience.iter().any(|name| names.contains(name)),
            Audience::Clients(ids) => facts.client_id.as_ref().is_some_and(|id| ids.contains(id)),
        };
        if !is_for_us {
            return Err(Invalid::Audience);
        }
        // "The current time MUST be before the time represented by the "exp" claim."
        if now >= facts.expires.saturating_add(self.leeway) {
            return Err(Invalid::Expired);
        }
        // RFC 7519 section 4.1.5: "the JWT MUST NOT be accepted for processing" before `nbf`; and what was made in the
        // future was made by a clock that nobody should believe.
        let soon = now + self.leeway;
        if begins.max(facts.issued).is_some_and(|time| time > soon) {
            return Err(Invalid::NotYet);
        }
        Ok(facts)
    }
}

/// RFC 7515 section 4.1.9: a media type, without regard to case, whose `application/` may be left out.
fn is_same_type(typ: &str, expected: &str) -> bool {
    const PREFIX: &str = "application/";
    let short = match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => typ,
    };
    short.eq_ignore_ascii_case(expected)
}
