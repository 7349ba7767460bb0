//! The time at which tests start, and spans of time.

use std::time::Duration;

use grantor_core::base::time::Timestamp;

/// The moment at which every world and every server starts.
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Spans of time as methods of numbers: `5.s()`.
pub trait Spans {
    fn ms(self) -> Duration;
    fn s(self) -> Duration;
    fn mins(self) -> Duration;
    fn h(self) -> Duration;
    fn days(self) -> Duration;
}

impl Spans for u64 {
    fn ms(self) -> Duration {
        Duration::from_millis(self)
    }

    fn s(self) -> Duration {
        Duration::from_secs(self)
    }

    fn mins(self) -> Duration {
        (self * 60).s()
    }

    fn h(self) -> Duration {
        (self * 60).mins()
    }

    fn days(self) -> Duration {
        (self * 24).h()
    }
}
