//! The part of a [`VerifierBuilder`] that needs requests to the issuer (feature `fetch`).

use std::sync::Arc;

use grantor_jose::DecodeError;
use reqwest::Client;

use super::{BuildError, Inner, Keys, Verifier, VerifierBuilder};
use crate::cached::Cached;
#[cfg(test)]
use crate::clock::Clock;
use crate::fetch::Limits;
use crate::introspection::{Endpoint, Introspection};
use crate::keys::{KeySource, RemoteKeySet};
use crate::metadata::Discovery;
use crate::secret::ClientCredentials;
use crate::url::{IssuerUrl, SecureUrl};

#[derive(Clone, Debug)]
pub(super) struct Remote {
    issuer: IssuerUrl,
    http: Option<Client>,
    limits: Limits,
    jwks_uri: Option<SecureUrl>,
    introspection: Option<(ClientCredentials, Option<SecureUrl>)>,
}

impl Remote {
    pub(super) fn new(issuer: IssuerUrl) -> Self {
        Self {
            issuer,
            http: None,
            limits: Limits::default(),
            jwks_uri: None,
            introspection: None,
        }
    }
}

impl VerifierBuilder {
    /// Fetches the keys from this address instead of the `jwks_uri` of the issuer's metadata.
    #[must_use]
    pub fn jwks_uri(mut self, url: SecureUrl) -> Self {
        self.remote.jwks_uri = Some(url);
        self
    }

    /// Introspects tokens that are not JWTs (RFC 7662), with these credentials at the issuer.
    #[must_use]
    pub fn introspection(mut self, credentials: ClientCredentials) -> Self {
        let endpoint = self.remote.introspection.and_then(|(_, endpoint)| endpoint);
        self.remote.introspection = Some((credentials, endpoint));
        self
    }

    /// As [`Self::introspection`], at this address instead of the one in the issuer's metadata.
    #[must_use]
    pub fn introspection_at(mut self, url: SecureUrl, credentials: ClientCredentials) -> Self {
        self.remote.introspection = Some((credentials, Some(url)));
        self
    }

    /// The HTTP client for requests. It must not follow redirects. Default: [`http_client`](crate::http_client).
    #[must_use]
    pub fn http(mut self, http: Client) -> Self {
        self.remote.http = Some(http);
        self
    }

    /// The limits of requests.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.remote.limits = limits;
        self
    }

    /// Builds the verifier. No request is made yet, so the issuer may start later.
    ///
    /// # Errors
    /// [`BuildError`]
    pub fn build(self) -> Result<Verifier, BuildError> {
        let Self {
            rules,
            keys,
            clock,
            remote,
        } = self;
        let Remote {
            issuer,
            http,
            limits,
            jwks_uri,
            introspection,
        } = remote;
        let http = match http {
            Some(http) => http,
            None => crate::http_client().map_err(BuildError::Http)?,
        };
        let metadata = Discovery {
            http: http.clone(),
            limits,
            issuer: issuer.clone(),
        };
        let metadata = Cached::new(metadata, clock.clone());
        let introspection = introspection.map(|(credentials, url)| {
            let endpoint = match url {
                Some(url) => Endpoint::Fixed(url),
                None => Endpoint::Discovered(Arc::clone(&metadata)),
            };
            Introspection::new(http.clone(), limits, credentials, endpoint, clock.clone())
        });
        let keys = match (keys, jwks_uri) {
            (Some(keys), _) => Keys::Fixed(keys),
            (None, Some(jwks_uri)) => {
                let source = KeySource::JwksUri { issuer, jwks_uri };
                let keys = RemoteKeySet::with_clock(http, source, limits, clock.clone());
                Keys::Remote(keys)
            }
            (None, None) => {
                let keys = RemoteKeySet::discovered(http, metadata, limits, clock.clone());
                Keys::Remote(keys)
            }
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

/// Whether a token is not a JWT at all, rather than a JWT that is not acceptable.
pub(super) const fn is_not_a_jwt(error: DecodeError) -> bool {
    match error {
        DecodeError::NotThreeParts | DecodeError::Base64url | DecodeError::Header => true,
        DecodeError::TooLong | DecodeError::Critical | DecodeError::UnsupportedAlgorithm => false,
    }
}
