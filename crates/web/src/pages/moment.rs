//! A point in time as people read it: how long ago, and exactly when.

use jiff::Timestamp;
use serde::Serialize;

/// A time in the past, in UTC: the server cannot know the reader's time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// For machines, as in `<time datetime>`: `2026-11-21T18:39:00Z`.
    iso: String,
    /// For people: `2026-11-21 18:39`.
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

impl Moment {
    /// `then` as seen at `now`, both in seconds since 1970. A `then` that is yet to come counts as now.
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
    fn an_age_is_told_in_its_largest_whole_unit() {
        let told = |age| {
            let moment = Moment::new(THEN, THEN + age);
            (moment.unit, moment.count)
        };
        assert_eq!(told(59), (Unit::Now, 0));
        assert_eq!(told(60), (Unit::Minutes, 1));
        assert_eq!(told(3_599), (Unit::Minutes, 59));
        assert_eq!(told(3_600), (Unit::Hours, 1));
        assert_eq!(told(200_000), (Unit::Days, 2));
    }

    #[test]
    fn the_absolute_time_is_utc() {
        let moment = Moment::new(THEN, THEN);
        assert_eq!(moment.iso, "2026-11-21T18:39:00Z");
        assert_eq!(moment.utc, "2026-11-21 18:39");
        assert_eq!(Moment::new(0, 0).iso, "1970-01-01T00:00:00Z");
    }

    #[test]
    fn no_time_at_all_makes_it_fail() {
        assert_eq!(Moment::new(u64::MAX, 0).unit, Unit::Now);
        assert_eq!(Moment::new(0, u64::MAX).unit, Unit::Days);
    }
}
