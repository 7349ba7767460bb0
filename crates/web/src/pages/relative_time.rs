//! A point in time for display: how long ago, and the exact time.

use jiff::Timestamp;
use serde::Serialize;

/// A time in the past. It is in UTC because the server does not know the user's time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelativeTime {
    /// For `<time datetime>`: `2026-11-21T18:39:00Z`.
    iso: String,
    /// For display: `2026-11-21 18:39`.
    utc: String,
    unit: Unit,
    count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Unit {
    Now,
    Minutes,
    Hours,
    Days,
}

impl RelativeTime {
    /// Both in seconds since 1970. A `then` in the future is treated as `now`.
    pub fn new(then: u64, now: u64) -> Self {
        let timestamp = i64::try_from(then)
            .ok()
            .and_then(|s| Timestamp::from_second(s).ok())
            .unwrap_or(Timestamp::MAX);
        let (unit, count) = match now.saturating_sub(then) {
            0..60 => (Unit::Now, 0),
            age @ 60..3_600 => (Unit::Minutes, age / 60),
            age @ 3_600..86_400 => (Unit::Hours, age / 3_600),
            age => (Unit::Days, age / 86_400),
        };
        Self {
            iso: timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            utc: timestamp.strftime("%Y-%m-%d %H:%M").to_string(),
            unit,
            count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEN: u64 = 1_795_286_340;

    #[test]
    fn an_age_uses_the_largest_unit_that_fits() {
        let age = |age| {
            let time = RelativeTime::new(THEN, THEN + age);
            (time.unit, time.count)
        };
        assert_eq!(age(59), (Unit::Now, 0));
        assert_eq!(age(60), (Unit::Minutes, 1));
        assert_eq!(age(3_599), (Unit::Minutes, 59));
        assert_eq!(age(3_600), (Unit::Hours, 1));
        assert_eq!(age(200_000), (Unit::Days, 2));
    }

    #[test]
    fn the_absolute_time_is_utc() {
        let time = RelativeTime::new(THEN, THEN);
        assert_eq!(time.iso, "2026-11-21T18:39:00Z");
        assert_eq!(time.utc, "2026-11-21 18:39");
        assert_eq!(RelativeTime::new(0, 0).iso, "1970-01-01T00:00:00Z");
    }

    #[test]
    fn extreme_times_do_not_panic() {
        assert_eq!(RelativeTime::new(u64::MAX, 0).unit, Unit::Now);
        assert_eq!(RelativeTime::new(0, u64::MAX).unit, Unit::Days);
    }
}
