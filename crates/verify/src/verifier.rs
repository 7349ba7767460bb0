//! Whether a token is good here.

use std::sync::Arc;
use std::time::Duration;

use grantor_jose::{Algorithm, DecodeError, Unverified, decode};
use reqwest::Client;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::fetch::Limits;
use crate::introspection::{Endpoint, Introspection};
use crate::kept::Kept;
use crate::keys::{KeySource, RemoteKeySet};
use crate::metadata::Discovery;
use crate::refusal::{Invalid, Refusal, Unavailable};
use crate::rules::{Audience, Mark, Rules};
use crate::secret::ClientCredentials;
use crate::token::AccessToken;
use crate::url::{IssuerUrl, SecureUrl, UrlError};

/// Says whether access tokens of one issuer are good at one service. A clone is the same verifier, with the same keys.
#[derive(Clone, Debug)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    rules: Rules,
    keys: RemoteKeySet,
    introspection: Option<Introspection>,
    clock: Clock,
}

/// A [`Verifier`] in the making. What is not said is as RFC 9068 has it.
#[derive(Clone, Debug)]
pub struct VerifierBuilder {
    issuer: IssuerUrl,
    rules: Rules,
    http: Option<Client>,
    limits: Limits,
    jwks_uri: Option<SecureUrl>,
    introspection: Option<(ClientCredentials, Option<SecureUrl>)>,
    clock: Clock,
}

impl Verifier {
    /// Of the tokens of `issuer` for `audience`: the name of this service, as the issuer knows it, or several.
    ///
    /// # Errors
    /// The issuer is no https URL, nor http on loopback.
    pub fn builder(
        issuer: &str,
        audience: impl Into<Audience>,
    ) -> Result<VerifierBuilder, UrlError> {
        let issuer: IssuerUrl = issuer.parse()?;
        Ok(VerifierBuilder {
            rules: Rules::new(issuer.as_str(), audience.into()),
            issuer,
            http: None,
            limits: Limits::default(),
            jwks_uri: None,
            introspection: None,
            clock: Clock::new(),
        })
    }

    /// For access tokens of an Amazon Cognito user pool, `https://cognito-idp.REGION.amazonaws.com/POOL`, that were given
    /// to one of `clients`. They have neither `typ` nor, without a resource binding, `aud`; `token_use` says what they are.
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

    /// Whether a token is good here, and what it says.
    ///
    /// A JWT is verified by the issuer's keys. About a token that is none, the issuer is asked, where
    /// [`VerifierBuilder::introspection`] says as whom.
    ///
    /// Must be called in a tokio runtime.
    ///
    /// # Errors
    /// [`Refusal::InvalidToken`] or [`Refusal::Unavailable`].
    pub async fn verify(&self, token: &str) -> Result<AccessToken, Refusal> {
        let Inner {
            rules,
            introspection,
            ..
        } = &*self.0;
        match (decode(token), introspection) {
            (Ok(jwt), _) => self.verify_jwt(jwt).await,
            (Err(error), Some(introspection)) if is_no_jwt(error) => {
                introspection.ask(token, rules).await
            }
            (Err(error), _) => Err(Invalid::Malformed(error).into()),
        }
    }

    async fn verify_jwt(&self, jwt: Unverified) -> Result<AccessToken, Refusal> {
        let Inner {
            rules, keys, clock, ..
        } = &*self.0;
        let header = jwt.header();
        rules.check_header(header)?;
        let keys = keys.keys_for(header.kid.as_ref(), header.algorithm);
        let keys = keys.await.map_err(Unavailable::from)?;
        let verified = keys.verify(jwt).map_err(Invalid::from)?;
        let claims: Map<String, Value> =
            verified.claims().map_err(|_| Invalid::NotAnAccessToken)?;
        let facts = rules.check_jwt(claims, clock.now())?;
        Ok(facts.into())
    }

    /// What is protected, as challenges call it.
    pub(crate) fn realm(&self) -> &str {
        self.0.rules.audience.realm()
    }

    /// Whether both are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Whether a token is no JWT at all, rather than one that is not to be believed.
const fn is_no_jwt(error: DecodeError) -> bool {
    match error {
        DecodeError::NotThreeParts | DecodeError::Base64url | DecodeError::Header => true,
        DecodeError::TooLong | DecodeError::Critical | DecodeError::UnsupportedAlgorithm => false,
    }
}

impl VerifierBuilder {
    /// The algorithms that are allowed; else all that are known: ES256, RS256, PS256 and EdDSA.
    #[must_use]
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.rules.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Access tokens have this `typ` instead of `at+jwt`. Where ID tokens have the same, only the audience tells them
    /// apart, and that an access token has no `nonce`, `at_hash` or `c_hash`.
    #[must_use]
    pub fn token_type(mut self, typ: impl Into<String>) -> Self {
        self.rules.mark = Mark::Typ(typ.into());
        self
    }

    /// Access tokens are known by this claim, as `token_use` = `access`; their `typ` is any, or none.
    #[must_use]
    pub fn access_claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.rules.mark = Mark::Claim(name.into(), value.into());
        self
    }

    /// How far this clock and the issuer's may differ: 30 seconds unless told, five minutes at most.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.allow_leeway(leeway);
        self
    }

    /// The keys are here, whatever the issuer's metadata say.
    #[must_use]
    pub fn jwks_uri(mut self, url: SecureUrl) -> Self {
        self.jwks_uri = Some(url);
        self
    }

    /// The issuer is asked about tokens that are no JWTs (RFC 7662), by this client of its.
    #[must_use]
    pub fn introspection(mut self, credentials: ClientCredentials) -> Self {
        let endpoint = self.introspection.and_then(|(_, endpoint)| endpoint);
        self.introspection = Some((credentials, endpoint));
        self
    }

    /// As [`Self::introspection`], at this address, whatever the issuer's metadata say.
    #[must_use]
    pub fn introspection_at(mut self, url: SecureUrl, credentials: ClientCredentials) -> Self {
        self.introspection = Some((credentials, Some(url)));
        self
    }

    /// Requests go by this client. It must follow no redirects; without one of one's own there is one that does not.
    #[must_use]
    pub fn http(mut self, http: Client) -> Self {
        self.http = Some(http);
        self
    }

    /// The bounds of requests.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The verifier. Nothing is asked yet: the issuer may come up later.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn build(self) -> Result<Verifier, reqwest::Error> {
        let Self {
            issuer,
            rules,
            http,
            limits,
            jwks_uri,
            introspection,
            clock,
        } = self;
        let http = match http {
            Some(http) => http,
            None => crate::http_client()?,
        };
        let metadata = Discovery {
            http: http.clone(),
            limits,
            issuer: issuer.clone(),
        };
        let metadata = Kept::new(metadata, clock.clone());
        let introspection = introspection.map(|(credentials, url)| {
            let endpoint = match url {
                Some(url) => Endpoint::At(url),
                None => Endpoint::Of(Arc::clone(&metadata)),
            };
            Introspection::new(http.clone(), limits, credentials, endpoint, clock.clone())
        });
        let keys = match jwks_uri {
            Some(jwks_uri) => {
                let source = KeySource::At { issuer, jwks_uri };
                RemoteKeySet::at(http, source, limits, clock.clone())
            }
            None => RemoteKeySet::of(http, metadata, limits, clock.clone()),
        };
        Ok(Verifier(Arc::new(Inner {
            rules,
            keys,
            introspection,
            clock,
        })))
    }

    #[cfg(test)]
    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

#[cfg(test)]
mod tests;
