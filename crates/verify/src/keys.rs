//! An issuer's key set, fetched and cached.

use std::sync::Arc;

use grantor_jose::{Algorithm, Jwks, Kid, VerificationKeys};
use reqwest::Client;

use crate::cached::{Cached, Fetch};
use crate::clock::Clock;
use crate::fetch::{self, FetchError, Fetched, Limits};
use crate::metadata::Discovery;
use crate::report::Report;
use crate::url::{IssuerUrl, SecureUrl};

/// Where an issuer's keys are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// At the `jwks_uri` of its metadata, `/.well-known/openid-configuration` under the issuer.
    Issuer(IssuerUrl),
    /// At this address; the metadata are not read.
    JwksUri {
        /// The issuer of the keys.
        issuer: IssuerUrl,
        /// The address of the key set.
        jwks_uri: SecureUrl,
    },
}

/// The keys of an issuer: fetched at first use, cached, and refreshed in the background before they become stale.
/// A clone shares the cache.
///
/// A key that is not in the cache makes it ask the issuer, but at most once in 30 seconds, so that made-up key ids cost
/// the issuer nothing. If the issuer fails, requests back off to one a minute, and its last keys are used for four more
/// hours.
#[derive(Clone, Debug)]
pub struct RemoteKeySet(Arc<Cached<KeyFetch>>);

/// The issuer's keys are unavailable now, so a token can be neither accepted nor rejected.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the keys of {issuer} are unavailable")]
pub struct KeysUnavailable {
    issuer: Arc<str>,
    #[source]
    error: FetchError,
}

impl KeysUnavailable {
    /// The cause, as `source` gives it too.
    #[must_use]
    pub fn reason(&self) -> &FetchError {
        &self.error
    }
}

impl RemoteKeySet {
    /// The keys of this source. No request is made yet.
    ///
    /// The client must not follow redirects. Its settings decide which certificates are trusted and which proxy is used.
    #[must_use]
    pub fn new(http: Client, source: KeySource) -> Self {
        Self::with_limits(http, source, Limits::default())
    }

    /// As [`Self::new`], with other limits.
    #[must_use]
    pub fn with_limits(http: Client, source: KeySource, limits: Limits) -> Self {
        Self::with_clock(http, source, limits, Clock::new())
    }

    pub(crate) fn with_clock(
        http: Client,
        source: KeySource,
        limits: Limits,
        clock: Clock,
    ) -> Self {
        match source {
            KeySource::JwksUri { issuer, jwks_uri } => {
                Self::from_source(http, Source::Fixed(issuer, jwks_uri), limits, clock)
            }
            KeySource::Issuer(issuer) => {
                let discovery = Discovery {
                    http: http.clone(),
                    limits,
                    issuer,
                };
                Self::discovered(http, Cached::new(discovery, clock.clone()), limits, clock)
            }
        }
    }

    /// The keys at the `jwks_uri` of these metadata.
    pub(crate) fn discovered(
        http: Client,
        metadata: Arc<Cached<Discovery>>,
        limits: Limits,
        clock: Clock,
    ) -> Self {
        Self::from_source(http, Source::Discovered(metadata), limits, clock)
    }

    fn from_source(http: Client, source: Source, limits: Limits, clock: Clock) -> Self {
        let fetch = KeyFetch {
            http,
            limits,
            source,
        };
        Self(Cached::new(fetch, clock))
    }

    /// The keys to verify a token with this `kid` and `alg`. If none of them fits, the issuer was asked within 30
    /// seconds and has no such key: the token is not one of its tokens.
    ///
    /// Must be called in a tokio runtime.
    ///
    /// # Errors
    /// [`KeysUnavailable`] if there are no keys, or none that fits and the issuer cannot be asked.
    pub async fn keys_for(
        &self,
        kid: Option<&Kid>,
        alg: Algorithm,
    ) -> Result<Arc<VerificationKeys>, KeysUnavailable> {
        let keys = self.0.get(|keys| keys.has(kid, alg)).await;
        keys.map_err(|error| KeysUnavailable {
            issuer: self.0.fetch().issuer().into(),
            error,
        })
    }
}

#[derive(Debug)]
struct KeyFetch {
    http: Client,
    limits: Limits,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Fixed(IssuerUrl, SecureUrl),
    Discovered(Arc<Cached<Discovery>>),
}

impl Fetch for KeyFetch {
    type Value = VerificationKeys;

    async fn fetch(&self) -> Result<Fetched<VerificationKeys>, FetchError> {
        let url = match &self.source {
            Source::Fixed(_, url) => url.clone(),
            Source::Discovered(metadata) => {
                let metadata = metadata.get(|it| it.jwks_uri.is_some()).await?;
                let jwks_uri = metadata.jwks_uri.clone();
                jwks_uri.ok_or(FetchError::MissingEndpoint("jwks_uri"))?
            }
        };
        let request = self.http.get(url.as_ref().clone());
        let fetched = fetch::json::<Jwks>(request, url.as_ref(), self.limits);
        let Fetched { value, max_age } = fetched.await?;
        Ok(Fetched {
            value: VerificationKeys::from(&value),
            max_age,
        })
    }

    fn log_failure(&self, error: &FetchError) {
        let (issuer, error) = (self.issuer(), Report(error));
        tracing::warn!(issuer, %error, "fetching the keys of an issuer failed");
    }
}

impl KeyFetch {
    fn issuer(&self) -> &str {
        match &self.source {
            Source::Fixed(issuer, _) => issuer.as_str(),
            Source::Discovered(metadata) => metadata.fetch().issuer.as_str(),
        }
    }
}

#[cfg(test)]
mod tests;
