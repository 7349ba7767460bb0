//! The checks of RFC 9068 section 4, except the signature: is this an access token for this service?

use std::time::Duration;

use grantor_jose::{Algorithm, Header};
use serde_json::{Map, Value};

use crate::refusal::Invalid;
use crate::token::{AccessTokenClaims, time};

/// The `typ` of access tokens (RFC 9068 section 2.1).
const ACCESS: &str = "at+jwt";
/// How far clocks may differ, by default.
const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
/// The largest leeway. RFC 9068 section 4: "usually no more than a few minutes".
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Which tokens are for this service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Those with one of these names of this service in `aud`.
    Names(Vec<String>),
    /// Those with one of these clients in `client_id`: for an issuer whose access tokens have no `aud`, such as Amazon
    /// Cognito. Such a token does not name its service, so each service that accepts the client can use it at the others.
    Clients(Vec<String>),
}

impl Audience {
    /// Tokens issued to one of these clients.
    #[must_use]
    pub fn clients<T: Into<String>>(ids: impl IntoIterator<Item = T>) -> Self {
        Self::Clients(ids.into_iter().map(Into::into).collect())
    }

    /// The name of the service in challenges.
    pub(crate) fn realm(&self) -> &str {
        match self {
            Self::Names(names) => names.first().map_or("", String::as_str),
            Self::Clients(_) => "api",
        }
    }
}

impl From<&str> for Audience {
    fn from(name: &str) -> Self {
        Self::Names(vec![name.to_owned()])
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for Audience {
    fn from(names: [T; N]) -> Self {
        Self::Names(names.into_iter().map(Into::into).collect())
    }
}

/// How access tokens differ from other tokens of their issuer.
#[derive(Clone, Debug)]
pub(crate) enum TypeRule {
    /// The header's `typ` has this value.
    Typ(String),
    /// A claim has this value.
    Claim(String, Value),
}

/// What a verifier requires of a token.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) issuer: String,
    pub(crate) audience: Audience,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) type_rule: TypeRule,
    leeway: u64,
}

impl Rules {
    pub(crate) fn new(issuer: &str, audience: Audience) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience,
            algorithms: Algorithm::ALL.to_vec(),
            type_rule: TypeRule::Typ(ACCESS.to_owned()),
            leeway: DEFAULT_LEEWAY.as_secs(),
        }
    }

    pub(crate) fn allow_leeway(&mut self, leeway: Duration) {
        self.leeway = leeway.min(MAX_LEEWAY).as_secs();
    }

    /// Checks the unverified header, so that a token can be refused before its key is looked up.
    pub(crate) fn check_header(&self, header: &Header) -> Result<(), Invalid> {
        if !self.algorithms.contains(&header.algorithm) {
            return Err(Invalid::Algorithm);
        }
        // RFC 9068 section 4: "The resource server MUST verify that the "typ" header value is "at+jwt" or
        // "application/at+jwt" and reject tokens carrying any other value."
        match (&self.type_rule, header.typ.as_deref()) {
            (TypeRule::Typ(expected), Some(typ)) if is_same_type(typ, expected) => Ok(()),
            (TypeRule::Claim(..), _) => Ok(()),
            _ => Err(Invalid::NotAnAccessToken),
        }
    }

    /// The claims of a JWT whose signature was verified, if it is for this service and valid at `now`.
    pub(crate) fn check_jwt(
        &self,
        claims: Map<String, Value>,
        now: u64,
    ) -> Result<AccessTokenClaims, Invalid> {
        // Another expected `typ` may be that of ID tokens too. Only ID tokens have these claims (OpenID Connect Core
        // sections 2 and 3.3.2.11).
        let is_id_token = || {
            let id_token_claims = ["nonce", "at_hash", "c_hash"];
            id_token_claims
                .iter()
                .any(|name| claims.contains_key(*name))
        };
        let is_other = match &self.type_rule {
            TypeRule::Claim(name, expected) => claims.get(name) != Some(expected),
            TypeRule::Typ(typ) => !is_same_type(typ, ACCESS) && is_id_token(),
        };
        if is_other {
            return Err(Invalid::NotAnAccessToken);
        }
        self.check(claims, None, now)
    }

    /// The claims of an introspection response, with the same checks. `iss` is optional there (RFC 7662 section 2.2): it
    /// is this issuer that answers.
    #[cfg(feature = "fetch")]
    pub(crate) fn check_introspected(
        &self,
        claims: Map<String, Value>,
        now: u64,
    ) -> Result<AccessTokenClaims, Invalid> {
        if claims.get("active") != Some(&Value::Bool(true)) {
            return Err(Invalid::Inactive);
        }
        // "token_type" is optional too. A refresh token has none (RFC 6749 section 5.1), so it is required if no audience
        // distinguishes the two.
        let is_bearer = match claims.get("token_type").map(Value::as_str) {
            Some(typ) => typ.is_some_and(|typ| typ.eq_ignore_ascii_case("Bearer")),
            None => matches!(self.audience, Audience::Names(_)),
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
    ) -> Result<AccessTokenClaims, Invalid> {
        if claims.contains_key("cnf") {
            return Err(Invalid::Bound);
        }
        let not_before = time(&mut claims, "nbf")?;
        let token = AccessTokenClaims::read(claims, issuer)?;
        // "The issuer identifier for the authorization server [...] MUST exactly match the value of the "iss" claim."
        if token.issuer != self.issuer {
            return Err(Invalid::Issuer);
        }
        // "The JWT access token MUST be rejected if "aud" does not contain a resource indicator of the current resource
        // server as a valid audience."
        let is_for_us = match &self.audience {
            Audience::Names(names) => token.audience.iter().any(|name| names.contains(name)),
            Audience::Clients(ids) => token.client_id.as_ref().is_some_and(|id| ids.contains(id)),
        };
        if !is_for_us {
            return Err(Invalid::Audience);
        }
        // "The current time MUST be before the time represented by the "exp" claim."
        if now >= token.expires.saturating_add(self.leeway) {
            return Err(Invalid::Expired);
        }
        // RFC 7519 section 4.1.5: "the JWT MUST NOT be accepted for processing" before `nbf`. An `iat` in the future means
        // that a clock is wrong.
        let latest = now + self.leeway;
        if not_before
            .max(token.issued)
            .is_some_and(|time| time > latest)
        {
            return Err(Invalid::NotYet);
        }
        Ok(token)
    }
}

/// RFC 7515 section 4.1.9: a media type, compared without case, whose prefix `application/` is optional.
fn is_same_type(typ: &str, expected: &str) -> bool {
    const PREFIX: &str = "application/";
    let short = match typ.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => typ,
    };
    short.eq_ignore_ascii_case(expected)
}
