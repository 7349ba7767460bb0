//! Asking the issuer about a token (RFC 7662).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use reqwest::Client;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::fetch::{self, FetchError, Limits};
use crate::kept::Kept;
use crate::metadata::Discovery;
use crate::recent::Recent;
use crate::refusal::{Invalid, Refusal, Unavailable};
use crate::rules::Rules;
use crate::secret::ClientCredentials;
use crate::token::AccessToken;
use crate::url::SecureUrl;

/// For how long an answer is taken again. RFC 7662 section 4: "a protected resource could cache [...] to improve
/// performance [...] at the cost of liveness": for so long a token that was revoked goes on.
const KEPT: Duration = Duration::from_secs(15);
/// How many answers are kept; of good tokens, and as many of others.
const MOST_KEPT: usize = 4096;
/// How many tokens are asked about at the same time.
const MOST_AT_ONCE: usize = 256;
/// For how long nothing is asked after a request failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Of a token, that it cannot be found from.
type Hash = [u8; 32];
type Outcome = Result<AccessToken, Refusal>;

/// Where to ask.
#[derive(Clone, Debug)]
pub(crate) enum Endpoint {
    At(SecureUrl),
    Of(Arc<Kept<Discovery>>),
}

/// What asks. Its answers are kept for a short while, and all who ask about one token at the same time get one answer.
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
    /// Apart, so that made-up tokens push no good ones out.
    good: Recent<Hash, AccessToken>,
    bad: Recent<Hash, Invalid>,
    under_way: HashMap<Hash, watch::Receiver<Option<Outcome>>>,
    failed: Option<Failed>,
}

#[derive(Debug)]
struct Failed {
    error: FetchError,
    again: Duration,
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
            good: Recent::new(MOST_KEPT),
            bad: Recent::new(MOST_KEPT),
            under_way: HashMap::new(),
            failed: None,
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

    /// Whether a token is good here, by the issuer's word and then by the rules.
    pub(crate) async fn ask(&self, token: &str, rules: &Rules) -> Outcome {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let mut answer = {
            let mut state = self.0.state();
            match state.known(&hash, self.0.clock.elapsed()) {
                Some(Known::Outcome(outcome)) => return outcome,
                Some(Known::UnderWay(answer)) => answer,
                None => self.begin(&mut state, hash, token, rules)?,
            }
        };
        match answer.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or_else(interrupted),
            Err(_) => interrupted(),
        }
    }

    /// Begins a request, which goes on when the caller goes away: others may wait for the same.
    fn begin(
        &self,
        state: &mut State,
        hash: Hash,
        token: &str,
        rules: &Rules,
    ) -> Result<watch::Receiver<Option<Outcome>>, Refusal> {
        if state.under_way.len() >= MOST_AT_ONCE {
            return Err(Unavailable::Busy.into());
        }
        let (answers, answer) = watch::channel(None);
        state.under_way.insert(hash, answer.clone());
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
    /// Section 2.1, with a hint, since the endpoint knows other tokens too.
    async fn request(&self, token: &str) -> Result<Map<String, Value>, FetchError> {
        let url = match &self.endpoint {
            Endpoint::At(url) => url.clone(),
            Endpoint::Of(metadata) => {
                let metadata = metadata
                    .get(|it| it.introspection_endpoint.is_some())
                    .await?;
                let endpoint = metadata.introspection_endpoint.clone();
                endpoint.ok_or(FetchError::NoEndpoint("introspection_endpoint"))?
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

enum Known {
    Outcome(Outcome),
    UnderWay(watch::Receiver<Option<Outcome>>),
}

impl State {
    fn known(&mut self, hash: &Hash, now: Duration) -> Option<Known> {
        if let Some(token) = self.good.get(hash, now) {
            return Some(Known::Outcome(Ok(token)));
        }
        if let Some(invalid) = self.bad.get(hash, now) {
            return Some(Known::Outcome(Err(invalid.into())));
        }
        let under_way = self.under_way.get(hash);
        // An error says that its sender is gone.
        if let Some(answer) = under_way.filter(|answer| answer.has_changed().is_ok()) {
            return Some(Known::UnderWay(answer.clone()));
        }
        let failed = self.failed.as_ref().filter(|failed| now < failed.again);
        let error = failed.map(|failed| failed.error.clone());
        error.map(|error| Known::Outcome(Err(Unavailable::from(error).into())))
    }

    fn settle(
        &mut self,
        hash: Hash,
        outcome: Result<Result<AccessToken, Invalid>, FetchError>,
        now: u64,
        elapsed: Duration,
    ) -> Outcome {
        self.under_way.remove(&hash);
        let was_failing = self.failed.take().is_some();
        match outcome {
            Ok(Ok(token)) => {
                let left = Duration::from_secs(token.expires.saturating_sub(now));
                let until = elapsed + KEPT.min(left);
                self.good.insert(hash, token.clone(), until);
                Ok(token)
            }
            Ok(Err(invalid)) => {
                self.bad.insert(hash, invalid, elapsed + KEPT);
                Err(invalid.into())
            }
            Err(error) => {
                // Once, until it answers again.
                if !was_failing {
                    tracing::warn!(%error, "the issuer cannot be asked about a token");
                }
                // What it says of one token, nobody else is to be told.
                if !error.is_of_this_request() {
                    self.failed = Some(Failed {
                        error: error.clone(),
                        again: elapsed + PAUSE,
                    });
                }
                Err(Unavailable::from(error).into())
            }
        }
    }
}

#[cfg(test)]
mod tests;
