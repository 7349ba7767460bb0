//! Times on the command line: RFC 3339, or a number with a unit.

use std::time::Duration;

use grantor_server::system::SystemClock;
use grantor_web::Clock as _;

/// A time, or how long ago it was.
pub(super) fn past(text: &str) -> Result<String, String> {
    const WRONG: &str = "write a time as 2026-12-01T03:28:00Z, or how long ago as 30m, 1h or 7d";
    at(text, Duration::checked_sub, WRONG)
}

/// A time, or in how long it is.
pub(super) fn future(text: &str) -> Result<String, String> {
    const WRONG: &str = "write a time as 2027-01-31T00:00:00Z, or in how long as 1h or 90d";
    at(text, Duration::checked_add, WRONG)
}

fn at(
    text: &str,
    relative_to: impl Fn(Duration, Duration) -> Option<Duration>,
    wrong: &str,
) -> Result<String, String> {
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(text.to_owned());
    }
    let now = Duration::from_millis(SystemClock.now().as_millis());
    let moment = span(text).and_then(|span| {
        let at = relative_to(now, span).unwrap_or_default();
        let at = i64::try_from(at.as_millis()).ok()?;
        jiff::Timestamp::from_millisecond(at).ok()
    });
    moment
        .map(|at| at.to_string())
        .ok_or_else(|| wrong.to_owned())
}

fn span(text: &str) -> Option<Duration> {
    let seconds = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let count: u32 = text[..text.len() - 1].parse().ok()?;
    Some(Duration::from_secs(u64::from(count) * seconds))
}

#[cfg(test)]
mod tests {
    use super::{future, past};

    #[test]
    fn a_time_or_how_far_it_is() {
        let written = "2026-12-01T03:28:00Z";
        assert_eq!(past(written).as_deref(), Ok(written));
        let (before, after) = (past("7d").expect("a time"), future("90d").expect("a time"));
        assert!(before < after, "{before} {after}");
        for wrong in ["tomorrow", "7", "d", "", "7w", "-1d", "é"] {
            assert!(past(wrong).is_err() && future(wrong).is_err(), "{wrong}");
        }
    }
}
