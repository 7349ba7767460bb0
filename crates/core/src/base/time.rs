//! Time as a value: milliseconds since the Unix epoch.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How far another node's clock may be ahead. What is stamped later was stamped before this clock stepped back.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(30);

/// Milliseconds since the Unix epoch. Passed in, never read from a clock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch: the `NumericDate` of RFC 7519 section 2.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// As RFC 3339 writes it, in UTC and with milliseconds: `2026-12-01T05:20:00.000Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let (seconds, millis) = (self.0 / 1000, self.0 % 1000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        // The Gregorian calendar repeats every 400 years, which have 146,097 days. A year begins in March here, so that a
        // leap day is its last one. 719,468 days passed from March of the year 0 to 1970.
        let days = days + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        let year = era * 400 + year + u64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }

    /// The time since `earlier`; zero if the clock stepped back.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// How long ago this was, for what is fresh for a while. `None` for a time in the future: how long ago that was is not
    /// known, so nothing is fresh by it.
    #[must_use]
    pub fn age(self, now: Self) -> Option<Duration> {
        (self.since(now) <= MAX_CLOCK_DIFFERENCE).then(|| now.since(self))
    }

    /// Whether this was less than `period` ago. A time in the future was not.
    #[must_use]
    pub fn is_within(self, period: Duration, now: Self) -> bool {
        self.age(now).is_some_and(|age| age < period)
    }

    /// Whether something that expires at `self` has expired at `now`.
    #[must_use]
    pub const fn is_past(self, now: Self) -> bool {
        self.0 <= now.0
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(millis(rhs)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(millis(rhs)))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_in_the_future_is_fresh_by_no_more_than_clocks_differ() {
        let now = Timestamp::from_secs(1000);
        let is_within = |at| Timestamp::from_secs(at).is_within(Duration::from_secs(100), now);
        assert!(is_within(901) && is_within(1000) && is_within(1030));
        assert!(!is_within(900) && !is_within(1031) && !is_within(u64::MAX));
    }

    #[test]
    fn a_time_is_written_as_rfc_3339_does() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_796_083_200_001, "2026-12-01T00:00:00.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).rfc3339(), text);
        }
    }

    proptest! {
        #[test]
        fn time_arithmetic_saturates(at: u64, other: u64, span: u64) {
            let (moment, other) = (Timestamp::from_millis(at), Timestamp::from_millis(other));
            let span = Duration::from_millis(span);
            prop_assert!(moment + span >= moment && moment - span <= moment);
            prop_assert_eq!(moment.since(other).is_zero(), moment <= other);
            prop_assert_eq!(moment.is_past(other), moment <= other);
            prop_assert_eq!((other + moment.since(other)).max(moment), other.max(moment));
        }
    }
}
