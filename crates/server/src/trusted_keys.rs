//! The keys of trusted issuers, fetched when one of their tokens is presented, and cached.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::engine::facts::KeyQuery;
use grantor_jose::VerificationKeys;
use grantor_verify::{KeySource, Limits, RemoteKeySet};
use grantor_web::TrustedKeys;

use crate::outgoing::{Outgoing, OutgoingError};
use grantor_config::{self as config, Settings};

#[cfg(test)]
mod tests;

/// How long an issuer may take for its metadata, and for its keys.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// A key set for each issuer that the file trusts. Tokens cannot add to them.
pub struct KeySets {
    /// None while no issuer is trusted.
    http: Option<reqwest::Client>,
    limits: Limits,
    sets: HashMap<String, (KeySource, RemoteKeySet)>,
}

impl KeySets {
    /// The keys of the issuers that these settings trust.
    ///
    /// # Errors
    /// [`OutgoingError`]
    pub fn from_settings(settings: &Settings) -> Result<Self, OutgoingError> {
        Self::with_timeout(settings, ANSWER_TIME)
    }

    fn with_timeout(settings: &Settings, time: Duration) -> Result<Self, OutgoingError> {
        let limits = Limits {
            time,
            ..Limits::default()
        };
        let none = Self {
            http: None,
            limits,
            sets: HashMap::new(),
        };
        none.for_settings(settings)
    }

    /// Those of other settings. An issuer whose keys are where they were keeps what was fetched of them.
    ///
    /// # Errors
    /// [`OutgoingError`]
    pub fn for_settings(&self, settings: &Settings) -> Result<Self, OutgoingError> {
        let (limits, mut sets) = (self.limits, HashMap::new());
        if settings.trusted_issuers.is_empty() {
            return Ok(Self {
                http: None,
                limits,
                sets,
            });
        }
        let http = match &self.http {
            Some(http) => http.clone(),
            None => Outgoing::from_settings(settings).client(limits.time)?,
        };
        for trusted in &settings.trusted_issuers {
            let source = source(trusted);
            let known = self.sets.get(trusted.issuer.as_str());
            let known = known.filter(|(before, _)| *before == source);
            let keys = known.map_or_else(
                || RemoteKeySet::with_limits(http.clone(), source.clone(), limits),
                |(_, keys)| keys.clone(),
            );
            sets.insert(trusted.issuer.to_string(), (source, keys));
        }
        Ok(Self {
            http: Some(http),
            limits,
            sets,
        })
    }
}

fn source(trusted: &config::TrustedIssuer) -> KeySource {
    let issuer = trusted.issuer.clone();
    match trusted.jwks_uri.clone() {
        Some(jwks_uri) => KeySource::JwksUri { issuer, jwks_uri },
        None => KeySource::Issuer(issuer),
    }
}

impl TrustedKeys for KeySets {
    fn keys<'a>(&'a self, ask: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>> {
        let keys = async {
            let (_, of_issuer) = self.sets.get(&ask.issuer)?;
            let keys = of_issuer.keys_for(ask.kid.as_ref(), ask.algorithm);
            // The reason was logged.
            keys.await.ok()
        };
        keys.boxed()
    }
}
