//! Something of an issuer's that is fetched, kept, and fetched again: when, and when not.
//!
//! Whatever arrives, there is at most one request at a time, at most one in [`SPACING`] for what the kept value does
//! not have, and after a failure none until a time that doubles has passed. Nobody waits for a request while there
//! is a value to go on with.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::fetch::{FetchError, Fetched};

/// Between two requests for what the value does not have: an unknown `kid` can be anybody's invention.
const SPACING: Duration = Duration::from_secs(30);
/// For how long a value is taken as it is, where the issuer does not say.
const LIFETIME: Duration = Duration::from_secs(3600);
/// The bounds of what it says.
const SHORTEST: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// For how long beyond it the last good value serves while the issuer fails. Its tokens rarely live longer, and it
/// makes no new ones meanwhile; whoever stole a key that it withdrew must not gain more by keeping it silent.
const GRACE: Duration = Duration::from_secs(4 * 3600);
/// After the first failure; then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Between two lines of the log that say so.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// How a value is fetched.
pub(crate) trait Fetch: Send + Sync + 'static {
    type Value: Send + Sync;

    fn fetch(&self) -> impl Future<Output = Result<Fetched<Self::Value>, FetchError>> + Send;

    /// Tells the operator that it failed, if that is nobody else's to tell. Called once a minute at most.
    fn tell(&self, _: &FetchError) {}
}

/// A value that is kept.
#[derive(Debug)]
pub(crate) struct Kept<F: Fetch> {
    fetch: F,
    clock: Clock,
    state: Mutex<State<F::Value>>,
}

#[derive(Debug)]
struct State<T> {
    held: Option<Held<T>>,
    /// When the last request began, on the clock that nobody sets.
    begun: Option<Duration>,
    /// Ends with the request that is under way.
    under_way: Option<watch::Receiver<()>>,
    failed: Option<Failed>,
    /// When a failure was told last.
    told: Option<Duration>,
}

#[derive(Debug)]
struct Held<T> {
    value: Arc<T>,
    /// When it is to be fetched again, in the background.
    due: Duration,
    /// From when on it serves only while the issuer fails.
    stale: Duration,
}

#[derive(Clone, Debug)]
struct Failed {
    error: FetchError,
    times: u32,
    /// Not to be asked before.
    again: Duration,
}

/// What a caller is to do.
enum Look<T> {
    Have(Arc<T>),
    Refuse(FetchError),
    /// Go on with this, while it is fetched again.
    Renew(Arc<T>),
    Wait,
}

impl<F: Fetch> Kept<F> {
    pub(crate) fn new(fetch: F, clock: Clock) -> Arc<Self> {
        let state = State {
            held: None,
            begun: None,
            under_way: None,
            failed: None,
            told: None,
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

    /// A value that is good. If possible it `fits`; where it does not, the issuer was asked lately, and has no other.
    ///
    /// # Errors
    /// Why there is none, or where the one at hand does not fit, why there is no newer one.
    pub(crate) async fn get(
        self: &Arc<Self>,
        fits: impl Fn(&F::Value) -> bool,
    ) -> Result<Arc<F::Value>, FetchError> {
        let mut waited = false;
        loop {
            let mut under_way = {
                let mut state = self.state();
                let now = self.clock.elapsed();
                match state.look(now, &fits, waited) {
                    Look::Have(value) => return Ok(value),
                    Look::Refuse(error) => return Err(error),
                    Look::Renew(value) => {
                        self.begin(&mut state, now);
                        return Ok(value);
                    }
                    Look::Wait => self.begin(&mut state, now),
                }
            };
            // It sends nothing: it ends, with the request, however that does.
            under_way.changed().await.ok();
            waited = true;
        }
    }

    /// Joins the request that is under way, or begins one. It goes on when the caller goes away.
    fn begin(self: &Arc<Self>, state: &mut State<F::Value>, now: Duration) -> watch::Receiver<()> {
        if let Some(under_way) = state.pending() {
            return under_way.clone();
        }
        let (ends, under_way) = watch::channel(());
        state.under_way = Some(under_way.clone());
        state.begun = Some(now);
        let kept = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = kept.fetch.fetch().await;
            let now = kept.clock.elapsed();
            if let Err(error) = &outcome
                && kept.state().is_to_be_told(now)
            {
                kept.fetch.tell(error);
            }
            kept.state().settle(outcome, now);
            drop(ends);
        });
        under_way
    }

    #[cfg(test)]
    pub(crate) fn under_way(&self) -> Option<watch::Receiver<()>> {
        self.state().pending().cloned()
    }

    fn state(&self) -> MutexGuard<'_, State<F::Value>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn look(&self, now: Duration, fits: &impl Fn(&T) -> bool, waited: bool) -> Look<T> {
        let may_ask = !waited && self.may_ask(now);
        let Some(held) = self.held.as_ref().filter(|held| now < held.stale + GRACE) else {
            return match &self.failed {
                _ if may_ask => Look::Wait,
                Some(failed) => Look::Refuse(failed.error.clone()),
                None => Look::Refuse(FetchError::Interrupted),
            };
        };
        let value = Arc::clone(&held.value);
        if !fits(&value) {
            return match &self.failed {
                _ if may_ask && (self.pending().is_some() || self.is_spaced(now)) => Look::Wait,
                Some(failed) => Look::Refuse(failed.error.clone()),
                None => Look::Have(value),
            };
        }
        let is_failing = self.failed.is_some();
        match may_ask {
            // Nobody asked for it for long: what it was may be no more.
            true if now >= held.stale && !is_failing => Look::Wait,
            true if now >= held.due && self.pending().is_none() => Look::Renew(value),
            _ => Look::Have(value),
        }
    }

    /// Whether a failure, if there was one, is long enough ago; a request that is under way can always be joined.
    fn may_ask(&self, now: Duration) -> bool {
        let paused = self
            .failed
            .as_ref()
            .is_some_and(|failed| now < failed.again);
        self.pending().is_some() || !paused
    }

    fn is_spaced(&self, now: Duration) -> bool {
        self.begun.is_none_or(|begun| now >= begun + SPACING)
    }

    fn pending(&self) -> Option<&watch::Receiver<()>> {
        // An error says that its sender is gone.
        let under_way = self.under_way.as_ref();
        under_way.filter(|under_way| under_way.has_changed().is_ok())
    }

    fn is_to_be_told(&mut self, now: Duration) -> bool {
        let is_new = self.told.is_none_or(|told| now >= told + TOLD_EVERY);
        if is_new {
            self.told = Some(now);
        }
        is_new
    }

    fn settle(&mut self, outcome: Result<Fetched<T>, FetchError>, now: Duration) {
        match outcome {
            Ok(Fetched { value, max_age }) => {
                let lifetime = max_age.map_or(LIFETIME, |age| age.clamp(SHORTEST, LONGEST));
                self.failed = None;
                self.held = Some(Held {
                    value: Arc::new(value),
                    due: now + lifetime / 4 * 3,
                    stale: now + lifetime,
                });
            }
            Err(error) => {
                let times = self.failed.as_ref().map_or(0, |failed| failed.times);
                let pause = FIRST_PAUSE * 2_u32.pow(times.min(10));
                self.failed = Some(Failed {
                    error,
                    times: times + 1,
                    again: now + pause.min(LONGEST_PAUSE),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// One that is always away.
    #[derive(Default)]
    struct Away {
        asked: AtomicUsize,
        told: AtomicUsize,
    }

    impl Fetch for Away {
        type Value = ();

        async fn fetch(&self) -> Result<Fetched<()>, FetchError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            Err(FetchError::Interrupted)
        }

        fn tell(&self, _: &FetchError) {
            self.told.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn that_an_issuer_is_away_is_told_once_a_minute() {
        let clock = Clock::new();
        let kept = Kept::new(Away::default(), clock.clone());
        for _ in 0..300 {
            assert!(kept.get(|()| true).await.is_err());
            clock.advance(1);
        }
        let counted = |count: &AtomicUsize| count.load(Ordering::SeqCst);
        // At 0, 1, 3, 7, 15, 31, 63, 123, 183 and 243 seconds.
        assert_eq!(counted(&kept.fetch().asked), 10);
        assert_eq!(counted(&kept.fetch().told), 5);
    }
}
