//! The keys of trusted issuers, fetched when one of their tokens is presented, and cached.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::engine::facts::KeyQuery;
use grantor_jose::VerificationKeys;
use grantor_verify::{KeySource, Limits, RemoteKeySet};
use grantor_web::{NoTrustedKeys, TrustedKeys};

use crate::outgoing::{Outgoing, OutgoingError};
use grantor_config::{self as config, Settings};

#[cfg(test)]
mod tests;

/// How long an issuer may take for its metadata, and for its keys.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// A key set for each issuer that the file trusts. Tokens cannot add to them.
struct KeySets(HashMap<String, RemoteKeySet>);

/// The keys of the issuers that these settings trust.
///
/// # Errors
/// [`OutgoingError`]
pub fn from_settings(settings: &Settings) -> Result<Arc<dyn TrustedKeys>, OutgoingError> {
    with_timeout(settings, ANSWER_TIME)
}

fn with_timeout(
    settings: &Settings,
    time: Duration,
) -> Result<Arc<dyn TrustedKeys>, OutgoingError> {
    if settings.trusted_issuers.is_empty() {
        return Ok(Arc::new(NoTrustedKeys));
    }
    let http = Outgoing::from_settings(settings).client(time)?;
    let limits = Limits {
        time,
        ..Limits::default()
    };
    let of = |trusted: &config::TrustedIssuer| {
        let issuer = trusted.issuer.clone();
        let source = match trusted.jwks_uri.clone() {
            Some(jwks_uri) => KeySource::JwksUri { issuer, jwks_uri },
            None => KeySource::Issuer(issuer),
        };
        let keys = RemoteKeySet::with_limits(http.clone(), source, limits);
        (trusted.issuer.to_string(), keys)
    };
    let sets = settings.trusted_issuers.iter().map(of);
    Ok(Arc::new(KeySets(sets.collect())))
}

impl TrustedKeys for KeySets {
    fn keys<'a>(&'a self, ask: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>> {
        let keys = async {
            let of_issuer = self.0.get(&ask.issuer)?;
            let keys = of_issuer.keys_for(ask.kid.as_ref(), ask.algorithm);
            // The reason was logged.
            keys.await.ok()
        };
        keys.boxed()
    }
}
