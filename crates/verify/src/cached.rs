//! A value of an issuer that is fetched, cached and refreshed: when, and when not.
//!
//! However many tokens arrive, there is at most one request at a time, at most one per [`MISS_INTERVAL`] for something
//! that the cached value lacks, and after a failure none until the backoff has passed. No caller waits for a request
//! while there is a usable value.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::fetch::{FetchError, Fetched};

/// Between two requests for something that the value lacks: anyone can make up a `kid`.
const MISS_INTERVAL: Duration = Duration::from_secs(30);
/// How long a value is fresh if the issuer sends no `max-age`.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);
/// Bounds for the issuer's `max-age`.
const MIN_LIFETIME: Duration = Duration::from_secs(5 * 60);
const MAX_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How long a stale value is still used while the issuer fails. Its tokens rarely live longer, and it issues no new
/// ones meanwhile; an attacker with a withdrawn key must not gain more by keeping the issuer unreachable.
const STALE_GRACE: Duration = Duration::from_secs(4 * 3600);
/// The wait after the first failure; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// Between two log lines about failures.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// How a value is fetched.
pub(crate) trait Fetch: Send + Sync + 'static {
    type Value: Send + Sync;

    fn fetch(&self) -> impl Future<Output = Result<Fetched<Self::Value>, FetchError>> + Send;

    /// Logs a failure, unless the caller does. Called at most once a minute.
    fn log_failure(&self, _: &FetchError) {}
}

/// A cached value.
#[derive(Debug)]
pub(crate) struct Cached<F: Fetch> {
    fetch: F,
    clock: Clock,
    state: Mutex<State<F::Value>>,
}

#[derive(Debug)]
struct State<T> {
    entry: Option<Entry<T>>,
    /// When the last request began, by the monotonic clock.
    begun: Option<Duration>,
    /// Closes when the request that is running ends.
    in_flight: Option<watch::Receiver<()>>,
    failure: Option<Failure>,
    /// When a failure was last logged.
    logged: Option<Duration>,
}

#[derive(Debug)]
struct Entry<T> {
    value: Arc<T>,
    /// When to refresh it in the background.
    refresh_at: Duration,
    /// From then on it is used only while the issuer fails.
    stale_at: Duration,
}

#[derive(Clone, Debug)]
struct Failure {
    error: FetchError,
    count: u32,
    /// No request before.
    retry_at: Duration,
}

/// What a caller should do.
enum Lookup<T> {
    Use(Arc<T>),
    Fail(FetchError),
    /// Use this, and refresh it in the background.
    UseAndRefresh(Arc<T>),
    Wait,
}

impl<F: Fetch> Cached<F> {
    pub(crate) fn new(fetch: F, clock: Clock) -> Arc<Self> {
        let state = State {
            entry: None,
            begun: None,
            in_flight: None,
            failure: None,
            logged: None,
        };
        Arc::new(Self {
            fetch,
            clock,
            state: Mutex::new(state),
        })
    }

    pub(crate) fn fetch(&self) -> &F {
        &self.fetch
    }

    /// A usable value. It satisfies `fits` if possible; one that does not means that the issuer was asked within
    /// [`MISS_INTERVAL`] and has nothing else.
    ///
    /// # Errors
    /// Why there is no value, or if the cached one does not fit, why there is no newer one.
    pub(crate) async fn get(
        self: &Arc<Self>,
        fits: impl Fn(&F::Value) -> bool,
    ) -> Result<Arc<F::Value>, FetchError> {
        let mut waited = false;
        loop {
            let mut in_flight = {
                let mut state = self.state();
                let now = self.clock.elapsed();
                match state.look_up(now, &fits, waited) {
                    Lookup::Use(value) => return Ok(value),
                    Lookup::Fail(error) => return Err(error),
                    Lookup::UseAndRefresh(value) => {
                        self.begin(&mut state, now);
                        return Ok(value);
                    }
                    Lookup::Wait => self.begin(&mut state, now),
                }
            };
            // Nothing is ever sent: the channel closes when the request ends, however it ends.
            in_flight.changed().await.ok();
            waited = true;
        }
    }

    /// Joins the request that is running, or begins one. It continues if the caller is dropped.
    fn begin(self: &Arc<Self>, state: &mut State<F::Value>, now: Duration) -> watch::Receiver<()> {
        if let Some(in_flight) = state.pending() {
            return in_flight.clone();
        }
        let (done, in_flight) = watch::channel(());
        state.in_flight = Some(in_flight.clone());
        state.begun = Some(now);
        let cached = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = cached.fetch.fetch().await;
            let now = cached.clock.elapsed();
            if let Err(error) = &outcome
                && cached.state().should_log(now)
            {
                cached.fetch.log_failure(error);
            }
            cached.state().settle(outcome, now);
            drop(done);
        });
        in_flight
    }

    #[cfg(test)]
    pub(crate) fn in_flight(&self) -> Option<watch::Receiver<()>> {
        self.state().pending().cloned()
    }

    fn state(&self) -> MutexGuard<'_, State<F::Value>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn look_up(&self, now: Duration, fits: &impl Fn(&T) -> bool, waited: bool) -> Lookup<T> {
        let may_fetch = !waited && self.may_fetch(now);
        let usable = |entry: &&Entry<T>| now < entry.stale_at + STALE_GRACE;
        let Some(entry) = self.entry.as_ref().filter(usable) else {
            return match &self.failure {
                _ if may_fetch => Lookup::Wait,
                Some(failure) => Lookup::Fail(failure.error.clone()),
                None => Lookup::Fail(FetchError::Interrupted),
            };
        };
        let value = Arc::clone(&entry.value);
        if !fits(&value) {
            let is_allowed = self.pending().is_some() || self.is_miss_interval_over(now);
            return match &self.failure {
                _ if may_fetch && is_allowed => Lookup::Wait,
                Some(failure) => Lookup::Fail(failure.error.clone()),
                None => Lookup::Use(value),
            };
        }
        let is_failing = self.failure.is_some();
        match may_fetch {
            // It was not used for long, and may be outdated.
            true if now >= entry.stale_at && !is_failing => Lookup::Wait,
            true if now >= entry.refresh_at && self.pending().is_none() => {
                Lookup::UseAndRefresh(value)
            }
            _ => Lookup::Use(value),
        }
    }

    /// Whether the last failure, if any, is long enough ago; a request that is running can always be joined.
    fn may_fetch(&self, now: Duration) -> bool {
        let failure = self.failure.as_ref();
        let is_backing_off = failure.is_some_and(|failure| now < failure.retry_at);
        self.pending().is_some() || !is_backing_off
    }

    fn is_miss_interval_over(&self, now: Duration) -> bool {
        self.begun.is_none_or(|begun| now >= begun + MISS_INTERVAL)
    }

    fn pending(&self) -> Option<&watch::Receiver<()>> {
        // An error means that the sender is gone.
        let in_flight = self.in_flight.as_ref();
        in_flight.filter(|in_flight| in_flight.has_changed().is_ok())
    }

    fn should_log(&mut self, now: Duration) -> bool {
        let is_due = self
            .logged
            .is_none_or(|logged| now >= logged + LOG_INTERVAL);
        if is_due {
            self.logged = Some(now);
        }
        is_due
    }

    fn settle(&mut self, outcome: Result<Fetched<T>, FetchError>, now: Duration) {
        match outcome {
            Ok(Fetched { value, max_age }) => {
                let lifetime = max_age.map_or(DEFAULT_LIFETIME, |age| {
                    age.clamp(MIN_LIFETIME, MAX_LIFETIME)
                });
                self.failure = None;
                self.entry = Some(Entry {
                    value: Arc::new(value),
                    refresh_at: now + lifetime / 4 * 3,
                    stale_at: now + lifetime,
                });
            }
            Err(error) => {
                let count = self.failure.as_ref().map_or(0, |failure| failure.count);
                let backoff = FIRST_BACKOFF * 2_u32.pow(count.min(10));
                self.failure = Some(Failure {
                    error,
                    count: count + 1,
                    retry_at: now + backoff.min(MAX_BACKOFF),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct AlwaysFails {
        requests: AtomicUsize,
        log_lines: AtomicUsize,
    }

    impl Fetch for AlwaysFails {
        type Value = ();

        async fn fetch(&self) -> Result<Fetched<()>, FetchError> {
            self.requests.fetch_add(1, Ordering::SeqCst);
            Err(FetchError::Interrupted)
        }

        fn log_failure(&self, _: &FetchError) {
            self.log_lines.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn failures_are_logged_once_a_minute() {
        let clock = Clock::new();
        let cached = Cached::new(AlwaysFails::default(), clock.clone());
        for _ in 0..300 {
            assert!(cached.get(|()| true).await.is_err());
            clock.advance(1);
        }
        let counted = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        // At 0, 1, 3, 7, 15, 31, 63, 123, 183 and 243 seconds.
        assert_eq!(counted(&cached.fetch().requests), 10);
        assert_eq!(counted(&cached.fetch().log_lines), 5);
    }
}
