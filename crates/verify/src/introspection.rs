//! Token introspection (RFC 7662).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::Client;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::cached::Cached;
use crate::clock::Clock;
use crate::expiring_map::ExpiringMap;
use crate::fetch::{self, FetchError, Limits};
use crate::metadata::Discovery;
use crate::refusal::{Invalid, Refusal, Unavailable};
use crate::report::Report;
use crate::rules::Rules;
use crate::secret::ClientCredentials;
use crate::token::AccessToken;
use crate::url::SecureUrl;

/// How long a response is cached. RFC 7662 section 4: "a protected resource could cache [...] to improve performance
/// [...] at the cost of liveness": a revoked token is accepted for so long.
const CACHE_TIME: Duration = Duration::from_secs(15);
/// The most responses that are cached for valid tokens, and as many again for invalid ones.
const MAX_CACHED: usize = 4096;
/// The most introspection requests at the same time.
const MAX_CONCURRENT: usize = 256;
/// After a failed request, no other one for so long.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The SHA-256 of a token: the token itself is not stored.
type Hash = [u8; 32];
type Outcome = Result<AccessToken, Refusal>;

/// Where the introspection endpoint is.
#[derive(Clone, Debug)]
pub(crate) enum Endpoint {
    Fixed(SecureUrl),
    Discovered(Arc<Cached<Discovery>>),
}

/// Introspects tokens. Responses are cached for [`CACHE_TIME`]; concurrent calls for one token share one request.
#[derive(Debug)]
pub(crate) struct Introspection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: Client,
    limits: Limits,
    credentials: ClientCredentials,
    endpoint: Endpoint,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Two caches, so that made-up tokens do not evict valid ones.
    valid: ExpiringMap<Hash, AccessToken>,
    invalid: ExpiringMap<Hash, Invalid>,
    in_flight: HashMap<Hash, watch::Receiver<Option<Outcome>>>,
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Failure {
    error: FetchError,
    retry_at: Duration,
}

impl Introspection {
    pub(crate) fn new(
        http: Client,
        limits: Limits,
        credentials: ClientCredentials,
        endpoint: Endpoint,
        clock: Clock,
    ) -> Self {
        let state = State {
            valid: ExpiringMap::new(MAX_CACHED),
            invalid: ExpiringMap::new(MAX_CACHED),
            in_flight: HashMap::new(),
            failure: None,
        };
        Self(Arc::new(Inner {
            http,
            limits,
            credentials,
            endpoint,
            clock,
            state: Mutex::new(state),
        }))
    }

    /// Verifies a token: the issuer says whether it is active, and the rules whether it is for this service.
    pub(crate) async fn verify(&self, token: &str, rules: &Rules) -> Outcome {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let mut answer = {
            let mut state = self.0.state();
            match state.look_up(&hash, self.0.clock.elapsed()) {
                Some(Lookup::Outcome(outcome)) => return outcome,
                Some(Lookup::InFlight(answer)) => answer,
                None => self.begin(&mut state, hash, token, rules)?,
            }
        };
        match answer.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or_else(interrupted),
            Err(_) => interrupted(),
        }
    }

    /// Begins a request. It continues if the caller is dropped: others may wait for it.
    fn begin(
        &self,
        state: &mut State,
        hash: Hash,
        token: &str,
        rules: &Rules,
    ) -> Result<watch::Receiver<Option<Outcome>>, Refusal> {
        if state.in_flight.len() >= MAX_CONCURRENT {
            return Err(Unavailable::Busy.into());
        }
        let (answers, answer) = watch::channel(None);
        state.in_flight.insert(hash, answer.clone());
        let inner = Arc::clone(&self.0);
        let token = zeroize::Zeroizing::new(token.to_owned());
        let rules = rules.clone();
        tokio::spawn(async move {
            let answered = inner.request(&token).await;
            let now = inner.clock.now();
            let outcome = match answered {
                Ok(claims) => Ok(rules.check_introspected(claims, now).map(AccessToken::from)),
                Err(error) => Err(error),
            };
            let outcome = inner
                .state()
                .settle(hash, outcome, now, inner.clock.elapsed());
            answers.send_replace(Some(outcome));
        });
        Ok(answer)
    }
}

fn interrupted() -> Outcome {
    Err(Unavailable::Introspection(FetchError::Interrupted).into())
}

impl Inner {
    /// The request of section 2.1, with a hint, since the endpoint may know other kinds of token.
    async fn request(&self, token: &str) -> Result<Map<String, Value>, FetchError> {
        let url = match &self.endpoint {
            Endpoint::Fixed(url) => url.clone(),
            Endpoint::Discovered(metadata) => {
                let metadata = metadata
                    .get(|it| it.introspection_endpoint.is_some())
                    .await?;
                let endpoint = metadata.introspection_endpoint.clone();
                endpoint.ok_or(FetchError::MissingEndpoint("introspection_endpoint"))?
            }
        };
        let form = [("token", token), ("token_type_hint", "access_token")];
        let request = self.http.post(url.as_ref().clone()).form(&form);
        let request = self.credentials.authenticate(request);
        let answer = fetch::json(request, url.as_ref(), self.limits).await?;
        Ok(answer.value)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Lookup {
    Outcome(Outcome),
    InFlight(watch::Receiver<Option<Outcome>>),
}

impl State {
    fn look_up(&mut self, hash: &Hash, now: Duration) -> Option<Lookup> {
        if let Some(token) = self.valid.get(hash, now) {
            return Some(Lookup::Outcome(Ok(token)));
        }
        if let Some(invalid) = self.invalid.get(hash, now) {
            return Some(Lookup::Outcome(Err(invalid.into())));
        }
        let in_flight = self.in_flight.get(hash);
        // An error means that the sender is gone.
        if let Some(answer) = in_flight.filter(|answer| answer.has_changed().is_ok()) {
            return Some(Lookup::InFlight(answer.clone()));
        }
        let failure = self.failure.as_ref();
        let failure = failure.filter(|failure| now < failure.retry_at);
        let error = failure.map(|failure| failure.error.clone());
        error.map(|error| Lookup::Outcome(Err(Unavailable::from(error).into())))
    }

    fn settle(
        &mut self,
        hash: Hash,
        outcome: Result<Result<AccessToken, Invalid>, FetchError>,
        now: u64,
        elapsed: Duration,
    ) -> Outcome {
        self.in_flight.remove(&hash);
        let was_failing = self.failure.take().is_some();
        match outcome {
            Ok(Ok(token)) => {
                let left = Duration::from_secs(token.expires.saturating_sub(now));
                let until = elapsed + CACHE_TIME.min(left);
                self.valid.insert(hash, token.clone(), until);
                Ok(token)
            }
            Ok(Err(invalid)) => {
                self.invalid.insert(hash, invalid, elapsed + CACHE_TIME);
                Err(invalid.into())
            }
            Err(error) => {
                // Logged once, until a request succeeds again.
                if !was_failing {
                    let error = Report(&error);
                    tracing::warn!(%error, "token introspection failed");
                }
                // A failure that is due to one token must not affect others.
                if !error.is_about_this_request() {
                    self.failure = Some(Failure {
                        error: error.clone(),
                        retry_at: elapsed + RETRY_DELAY,
                    });
                }
                Err(Unavailable::from(error).into())
            }
        }
    }
}

#[cfg(test)]
mod tests;
