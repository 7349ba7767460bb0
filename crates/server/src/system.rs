//! The system's clock and randomness: the one place that reads them.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_web::{Clock, Entropy};

#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the system clock")]
        let now = SystemTime::now();
        // A clock before 1970 counts as 1970.
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::default() + since_epoch
    }

    fn monotonic(&self) -> Timestamp {
        static START: OnceLock<Instant> = OnceLock::new();
        #[expect(clippy::disallowed_methods, reason = "this is the system clock")]
        let now = Instant::now();
        // What was begun before the start has a time on this clock, too.
        let start = Timestamp::from_secs(40 * 24 * 3600);
        start + now.duration_since(*START.get_or_init(|| now))
    }
}

/// The system's generator. The one of aws-lc collects CPU jitter for some 30 ms before its first byte, which would delay
/// the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn seed(&self) -> Seed {
        let mut bytes = [0; 32];
        #[expect(clippy::disallowed_methods, reason = "this is the system's entropy")]
        let filled = getrandom::fill(&mut bytes);
        #[expect(
            clippy::expect_used,
            reason = "a server without randomness must not go on; Linux has it from its first seconds"
        )]
        filled.expect("the system has randomness");
        Seed::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_that_of_this_century() {
        let now = SystemClock.now();
        assert!(
            now > Timestamp::from_secs(1_700_000_000) && now < Timestamp::from_secs(4_100_000_000)
        );
    }

    #[test]
    fn no_seed_comes_twice() {
        let [a, b] = [SystemEntropy.seed(), SystemEntropy.seed()];
        assert_ne!(a.bytes::<32>("a"), b.bytes::<32>("a"));
    }
}
