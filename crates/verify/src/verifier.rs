//! Verifies access tokens.

use std::sync::Arc;
use std::time::Duration;

use grantor_jose::{Algorithm, Jwks, Kid, Unverified, VerificationKeys, decode};
use serde_json::{Map, Value};

use crate::clock::Clock;
#[cfg(feature = "fetch")]
use crate::introspection::Introspection;
#[cfg(feature = "fetch")]
use crate::keys::RemoteKeySet;
use crate::refusal::{Invalid, Refusal, Unavailable};
use crate::rules::{Audience, Rules, TypeRule};
use crate::token::AccessToken;
use crate::url::{IssuerUrl, UrlError};

#[cfg(feature = "fetch")]
mod remote;
#[cfg(test)]
#[cfg(feature = "fetch")]
mod tests;

/// Verifies access tokens of one issuer for one service. A clone shares the keys.
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: Rules,
    keys: Keys,
    #[cfg(feature = "fetch")]
    introspection: Option<Introspection>,
    clock: Clock,
}

#[derive(Debug)]
enum Keys {
    Fixed(Arc<VerificationKeys>),
    #[cfg(feature = "fetch")]
    Remote(RemoteKeySet),
}

/// Builds a [`Verifier`]. The defaults are those of RFC 9068.
#[derive(Clone, Debug)]
pub struct VerifierBuilder {
    rules: Rules,
    keys: Option<Arc<VerificationKeys>>,
    clock: Clock,
    #[cfg(feature = "fetch")]
    remote: remote::Remote,
}

/// Why a verifier could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no [`VerifierBuilder::key_set`], which is required without the feature `fetch`.
    #[error("a verifier needs a key set if the feature `fetch` is off")]
    NoKeySet,
    /// The HTTP client could not be created.
    #[cfg(feature = "fetch")]
    #[error("the HTTP client could not be created")]
    Http(#[source] reqwest::Error),
}

impl Verifier {
    /// For tokens of `issuer` with this `audience`: the name of this service at the issuer, or several names.
    ///
    /// # Errors
    /// The issuer is neither an https URL nor an http URL on loopback.
    pub fn builder(
        issuer: &str,
        audience: impl Into<Audience>,
    ) -> Result<VerifierBuilder, UrlError> {
        let issuer: IssuerUrl = issuer.parse()?;
        Ok(VerifierBuilder {
            rules: Rules::new(issuer.as_str(), audience.into()),
            keys: None,
            clock: Clock::new(),
            #[cfg(feature = "fetch")]
            remote: remote::Remote::new(issuer),
        })
    }

    /// For access tokens that an Amazon Cognito user pool, `https://cognito-idp.REGION.amazonaws.com/POOL`, issued to one
    /// of `clients`. They have neither `typ` nor, without a resource binding, `aud`; `token_use` is the kind of token.
    ///
    /// # Errors
    /// As [`Self::builder`].
    pub fn cognito<T: Into<String>>(
        issuer: &str,
        clients: impl IntoIterator<Item = T>,
    ) -> Result<VerifierBuilder, UrlError> {
        let builder = Self::builder(issuer, Audience::clients(clients))?;
        Ok(builder
            .algorithms([Algorithm::Rs256])
            .access_claim("token_use", "access"))
    }

    /// Verifies a token.
    ///
    /// A JWT is verified with the issuer's keys. Any other token is introspected, if
    /// `VerifierBuilder::introspection` set the credentials for it.
    ///
    /// Must be called in a tokio runtime, unless the key set was given to the builder.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`] or [`Refusal::Unavailable`].
    pub async fn verify(&self, token: &str) -> Result<AccessToken, Refusal> {
        match decode(token) {
            Ok(jwt) => self.verify_jwt(jwt).await,
            Err(error) => {
                #[cfg(feature = "fetch")]
                if let Some(introspection) = &self.0.introspection
                    && remote::is_not_a_jwt(error)
                {
                    return introspection.verify(token, &self.0.rules).await;
                }
                Err(Invalid::Malformed(error).into())
            }
        }
    }

    async fn verify_jwt(&self, jwt: Unverified) -> Result<AccessToken, Refusal> {
        let Inner {
            rules, keys, clock, ..
        } = &*self.0;
        let header = jwt.header();
        rules.check_header(header)?;
        let keys = keys.keys_for(header.kid.as_ref(), header.algorithm).await?;
        let verified = keys.verify(jwt).map_err(Invalid::from)?;
        let claims: Map<String, Value> =
            verified.claims().map_err(|_| Invalid::NotAnAccessToken)?;
        let claims = rules.check_jwt(claims, clock.now())?;
        Ok(claims.into())
    }

    /// The name of the protected service in challenges.
    pub(crate) fn realm(&self) -> &str {
        self.0.rules.audience.realm()
    }

    /// Whether `other` is a clone of this verifier.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Keys {
    #[cfg_attr(
        not(feature = "fetch"),
        expect(unused_variables, reason = "only a remote key set is asked for a key")
    )]
    async fn keys_for(
        &self,
        kid: Option<&Kid>,
        alg: Algorithm,
    ) -> Result<Arc<VerificationKeys>, Unavailable> {
        match self {
            Self::Fixed(keys) => Ok(Arc::clone(keys)),
            #[cfg(feature = "fetch")]
            Self::Remote(keys) => Ok(keys.keys_for(kid, alg).await?),
        }
    }
}

impl VerifierBuilder {
    /// The allowed algorithms. Default: all that are supported, ES256, RS256, PS256 and EdDSA.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.rules.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Access tokens have this `typ` instead of `at+jwt`. If ID tokens have the same `typ`, they are recognized only by
    /// their audience and their claims `nonce`, `at_hash` and `c_hash`.
    #[must_use]
    pub fn token_type(mut self, typ: impl Into<String>) -> Self {
        self.rules.type_rule = TypeRule::Typ(typ.into());
        self
    }

    /// Access tokens have this claim, for example `token_use` = `access`; their `typ` is not checked.
    #[must_use]
    pub fn access_claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.rules.type_rule = TypeRule::Claim(name.into(), value.into());
        self
    }

    /// How far this clock and the issuer's may differ. Default: 30 seconds. At most five minutes.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.allow_leeway(leeway);
        self
    }

    /// Verifies with these keys only; none are fetched. Keys that cannot be used are skipped (RFC 7517 section 5).
    #[must_use]
    pub fn key_set(mut self, keys: &Jwks) -> Self {
        self.keys = Some(Arc::new(VerificationKeys::from(keys)));
        self
    }

    /// Builds the verifier. No request is made yet, so the issuer may start later.
    ///
    /// # Errors
    /// [`BuildError`]
    #[cfg(not(feature = "fetch"))]
    pub fn build(self) -> Result<Verifier, BuildError> {
        let keys = self.keys.ok_or(BuildError::NoKeySet)?;
        Ok(Verifier(Arc::new(Inner {
            rules: self.rules,
            keys: Keys::Fixed(keys),
            clock: self.clock,
        })))
    }
}
