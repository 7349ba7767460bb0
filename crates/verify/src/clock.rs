//! The only place that reads clocks. In tests they stand still until they are advanced.

#[cfg(not(test))]
pub(crate) use system::Clock;
#[cfg(test)]
pub(crate) use test::Clock;

#[cfg(not(test))]
mod system {
    use std::time::{SystemTime, UNIX_EPOCH};

    /// The clocks of this machine.
    #[derive(Clone, Debug)]
    pub(crate) struct Clock {
        #[cfg(feature = "fetch")]
        started: tokio::time::Instant,
    }

    impl Clock {
        pub(crate) fn new() -> Self {
            Self {
                #[cfg(feature = "fetch")]
                started: tokio::time::Instant::now(),
            }
        }

        /// Monotonic time since this clock was made: for the age of what is cached.
        #[cfg(feature = "fetch")]
        pub(crate) fn elapsed(&self) -> std::time::Duration {
            self.started.elapsed()
        }

        /// Seconds since 1970, as `exp` counts them (RFC 7519 section 2, NumericDate).
        #[expect(clippy::unused_self, reason = "the test clock has a state")]
        pub(crate) fn now(&self) -> u64 {
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            let now = SystemTime::now();
            // A clock before 1970 counts as 1970: then every token was issued in the future.
            now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
        }
    }
}

#[cfg(test)]
mod test {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Clone, Debug, Default)]
    pub(crate) struct Clock(Arc<AtomicU64>);

    impl Clock {
        pub(crate) fn new() -> Self {
            Self::default()
        }

        #[cfg(feature = "fetch")]
        pub(crate) fn elapsed(&self) -> std::time::Duration {
            std::time::Duration::from_secs(self.0.load(Ordering::SeqCst))
        }

        pub(crate) fn now(&self) -> u64 {
            1_800_000_000 + self.0.load(Ordering::SeqCst)
        }

        #[cfg(feature = "fetch")]
        pub(crate) fn advance(&self, seconds: u64) {
            self.0.fetch_add(seconds, Ordering::SeqCst);
        }
    }
}
