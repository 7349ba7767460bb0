//! The one place that reads clocks. In tests they stand still until they are put forward.

#[cfg(not(test))]
pub(crate) use system::Clock;
#[cfg(test)]
pub(crate) use test::Clock;

#[cfg(not(test))]
mod system {
    use std::time::Duration;

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

        pub(crate) fn advance(&self, seconds: u64) {
            self.0.fetch_add(seconds, Ordering::SeqCst);
        }
    }
}
