//! An issuer's key set, kept at hand.

use std::error::Error;
use std::sync::Arc;

use grantor_jose::{Algorithm, Jwks, Kid, VerificationKeys};
use reqwest::Client;

use crate::clock::Clock;
use crate::fetch::{self, FetchError, Fetched, Limits};
use crate::kept::{Fetch, Kept};
use crate::metadata::Discovery;
use crate::url::{IssuerUrl, SecureUrl};

/// Where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// Where its metadata say, `/.well-known/openid-configuration` under the issuer.
    Issuer(IssuerUrl),
    /// At this address, whatever the metadata say.
    At {
        /// Whose they are.
        issuer: IssuerUrl,
        /// The address of the key set.
        jwks_uri: SecureUrl,
    },
}

/// The keys of an issuer: fetched when they are first asked for, kept, and fetched again in the background before
/// they grow stale. A clone is the same set.
///
/// A key that is not among them is looked for at the issuer, but at most once in 30 seconds, so that made-up key ids
/// cost the issuer nothing. An issuer that fails is asked again ever less often, at least once a minute; for four
/// hours its last keys serve meanwhile.
#[derive(Clone, Debug)]
pub struct RemoteKeySet(Arc<Kept<KeyFetch>>);

/// The keys cannot be had now; a token that they would verify is neither right nor wrong.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the keys of {whose} cannot be had: {error}")]
pub struct KeysUnavailable {
    whose: Arc<str>,
    #[source]
    error: FetchError,
}

impl KeysUnavailable {
    /// Why.
    #[must_use]
    pub fn reason(&self) -> &FetchError {
        &self.error
    }
}

impl RemoteKeySet {
    /// Of this source. Nothing is asked yet.
    ///
    /// The client must follow no redirects. It decides whose certificates are believed, and through which proxy.
    #[must_use]
    pub fn new(http: Client, source: KeySource) -> Self {
        Self::with_limits(http, source, Limits::default())
    }

    /// The same with limits of one's own.
    #[must_use]
    pub fn with_limits(http: Client, source: KeySource, limits: Limits) -> Self {
        Self::at(http, source, limits, Clock::new())
    }

    pub(crate) fn at(http: Client, source: KeySource, limits: Limits, clock: Clock) -> Self {
        match source {
            KeySource::At { issuer, jwks_uri } => {
                Self::from_source(http, Source::At(issuer, jwks_uri), limits, clock)
            }
            KeySource::Issuer(issuer) => {
                let discovery = Discovery {
                    http: http.clone(),
                    limits,
                    issuer,
                };
                Self::of(http, Kept::new(discovery, clock.clone()), limits, clock)
            }
        }
    }

    /// Where these metadata say.
    pub(crate) fn of(
        http: Client,
        metadata: Arc<Kept<Discovery>>,
        limits: Limits,
        clock: Clock,
    ) -> Self {
        Self::from_source(http, Source::Metadata(metadata), limits, clock)
    }

    fn from_source(http: Client, source: Source, limits: Limits, clock: Clock) -> Self {
        let fetch = KeyFetch {
            http,
            limits,
            source,
        };
        Self(Kept::new(fetch, clock))
    }

    /// The keys for a token with this `kid` and `alg`. Where none of them fits, the issuer was asked lately and has no
    /// such key: the token is not its.
    ///
    /// Must be called in a tokio runtime.
    ///
    /// # Errors
    /// [`KeysUnavailable`]: there are none, or none that fits and the issuer cannot be asked.
    pub async fn keys_for(
        &self,
        kid: Option<&Kid>,
        alg: Algorithm,
    ) -> Result<Arc<VerificationKeys>, KeysUnavailable> {
        let keys = self.0.get(|keys| keys.has(kid, alg)).await;
        keys.map_err(|error| KeysUnavailable {
            whose: self.0.fetch().issuer().into(),
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
    At(IssuerUrl, SecureUrl),
    Metadata(Arc<Kept<Discovery>>),
}

impl Fetch for KeyFetch {
    type Value = VerificationKeys;

    async fn fetch(&self) -> Result<Fetched<VerificationKeys>, FetchError> {
        let url = match &self.source {
            Source::At(_, url) => url.clone(),
            Source::Metadata(metadata) => {
                let metadata = metadata.get(|it| it.jwks_uri.is_some()).await?;
                let jwks_uri = metadata.jwks_uri.clone();
                jwks_uri.ok_or(FetchError::NoEndpoint("jwks_uri"))?
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

    fn tell(&self, error: &FetchError) {
        let mut cause: &dyn Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let issuer = self.issuer();
        tracing::warn!(issuer, %error, %cause, "the keys of an issuer cannot be had");
    }
}

impl KeyFetch {
    fn issuer(&self) -> &str {
        match &self.source {
            Source::At(issuer, _) => issuer.as_str(),
            Source::Metadata(metadata) => metadata.fetch().issuer.as_str(),
        }
    }
}

#[cfg(test)]
mod tests;
