//! The one place that reads clocks. In tests they stand still until they are put forward.

#[cfg(not(test))]
pub(crate) use system::Clock;
#[cfg(test)]
pub(crate) use test::Clock;

#[cfg(not(test))]
mod system {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use tokio::time::Instant;

    /// The clocks of this machine.
    #[derive(Clone, Debug)]
    pub(crate) struct Clock(Instant);

    impl Clock {
        pub(crate) fn new() -> Self {
            Self(Instant::now())
        }

        /// Time that nobody sets, since this clock was made: for how long something is kept.
        pub(crate) fn elapsed(&self) -> Duration {
            self.0.elapsed()
        }

        /// The time of day in seconds since 1970, as `exp` counts them (RFC 7519 section 2, NumericDate).
        #[expect(clippy::unused_self, reason = "in tests there is something to read")]
        pub(crate) fn now(&self) -> u64 {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            let now = SystemTime::now();
            // Before 1970 it is 1970, when every token is of the future.
            now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
        }
    }
}

#[cfg(test)]
mod test {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[derive(Clone, Debug, Default)]
    pub(crate) struct Clock(Arc<AtomicU64>);

    impl Clock {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        pub(crate) fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::SeqCst))
        }

        pub(crate) fn now(&self) -> u64 {
            1_800_000_000 + self.0.load(Ordering::SeqCst)
        }

        pub(crate) fn advance(&self, seconds: u64) {
            self.0.fetch_add(seconds, Ordering::SeqCst);
        }
    }
}
