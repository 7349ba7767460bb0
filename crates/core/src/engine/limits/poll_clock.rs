//! When each device last polled, in a table of fixed size.

use std::time::Duration;

use crate::base::time::Timestamp;
use crate::model::ids::GrantId;

const WAYS: usize = 8;
const SETS: usize = 32 * 1024;
/// Polls this little too early count as on time, because of network jitter.
const TOLERANCE_MS: u64 = 500;
/// The minimum time between reads of one undecided grant.
const READ_APART_MS: u64 = 1000;
/// RFC 8628 section 3.5: "the interval MUST be increased by 5 seconds".
const SLOWER_MS: u64 = 5000;
const SLOWEST_MS: u64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Read the grant. If it is still pending and the poll was early, answer `slow_down`.
    Read {
        /// Whether the poll came before its interval was over.
        early: bool,
    },
    /// The grant was pending within the last second: answer `slow_down` if early, else `authorization_pending`.
    FromMemory {
        /// Whether the poll came before its interval was over.
        early: bool,
    },
}

/// 32 bytes per device.
#[derive(Clone, Copy)]
struct Slot {
    grant: u64,
    polled_ms: u64,
    /// Zero if the next poll must read.
    read_ms: u64,
    interval_ms: u32,
    decided: bool,
}

const EMPTY: Slot = Slot {
    grant: 0,
    polled_ms: 0,
    read_ms: 0,
    interval_ms: 0,
    decided: false,
};

/// 262,144 devices: at most 8 MiB, allocated in sets on first use.
pub(super) struct PollClock {
    sets: Vec<Option<Box<[Slot; WAYS]>>>,
}

impl std::fmt::Debug for PollClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PollClock(…)")
    }
}

impl PollClock {
    pub(super) fn new() -> Self {
        Self {
            sets: vec![None; SETS],
        }
    }

    /// Records a poll. An evicted device starts over, which costs one read.
    pub(super) fn poll(&mut self, now: Timestamp, grant: GrantId, interval: Duration) -> Poll {
        let now = now.as_millis();
        let slot = self.slot(grant);
        if slot.polled_ms == 0 {
            slot.interval_ms = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
            (slot.polled_ms, slot.read_ms) = (now, now);
            return Poll::Read { early: false };
        }
        let waited = now.saturating_sub(slot.polled_ms);
        let early = !slot.decided && waited + TOLERANCE_MS < u64::from(slot.interval_ms);
        slot.polled_ms = now;
        if early {
            // At most a minute, but never below the initial interval.
            let slower = (u64::from(slot.interval_ms) + SLOWER_MS)
                .min(SLOWEST_MS.max(u64::from(slot.interval_ms)));
            slot.interval_ms = u32::try_from(slower).unwrap_or(u32::MAX);
        }
        // A clock that stepped back must not delay a device's tokens.
        let fresh = now >= slot.read_ms && now - slot.read_ms < READ_APART_MS;
        if fresh && !slot.decided {
            return Poll::FromMemory { early };
        }
        slot.read_ms = now;
        Poll::Read { early }
    }

    /// Makes every later poll of this grant read.
    pub(super) fn mark_decided(&mut self, grant: GrantId) {
        self.slot(grant).decided = true;
    }

    /// In a full set, evicts the device that polled least recently. The last half of an id is random
    /// and authenticated, so attackers cannot choose a set.
    fn slot(&mut self, grant: GrantId) -> &mut Slot {
        let mut id = [0; 8];
        id.copy_from_slice(&grant.as_bytes()[8..]);
        let id = u64::from_be_bytes(id);
        let set =
            self.sets[(id % SETS as u64) as usize].get_or_insert_with(|| Box::new([EMPTY; WAYS]));
        let known = set.iter().position(|slot| slot.grant == id);
        let at = known.unwrap_or_else(|| {
            let oldest = (0..WAYS)
                .min_by_key(|&i| set[i].polled_ms)
                .unwrap_or_default();
            set[oldest] = Slot { grant: id, ..EMPTY };
            oldest
        });
        &mut set[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polls(times_ms: &[u64]) -> Vec<Poll> {
        let mut clock = PollClock::new();
        let grant = GrantId::from_bytes([9; 16]);
        let at = |ms: &u64| Timestamp::from_millis(1_000_000 + ms);
        times_ms
            .iter()
            .map(|ms| clock.poll(at(ms), grant, Duration::from_secs(5)))
            .collect()
    }

    #[test]
    fn rfc8628_3_5_the_first_poll_is_never_early() {
        assert_eq!(polls(&[0]), [Poll::Read { early: false }]);
    }

    #[test]
    fn rfc8628_3_5_slow_down_adds_five_seconds() {
        // 3 s is early, so the interval is 10 s: 9 s after it is early too, 10 s later would not have been.
        assert_eq!(polls(&[0, 3000, 12_000])[2], Poll::Read { early: true });
        assert_eq!(polls(&[0, 3000, 13_000])[2], Poll::Read { early: false });
    }

    #[test]
    fn a_poll_half_a_second_early_is_on_time() {
        assert_eq!(polls(&[0, 4500])[1], Poll::Read { early: false });
        assert_eq!(polls(&[0, 4499])[1], Poll::Read { early: true });
    }

    #[test]
    fn a_grant_is_read_at_most_once_a_second() {
        let times: Vec<u64> = (0..100).map(|i| i * 100).collect();
        let reads = polls(&times)
            .iter()
            .filter(|poll| matches!(poll, Poll::Read { .. }))
            .count();
        assert_eq!(reads, 10);
    }

    #[test]
    fn the_interval_never_grows_beyond_a_minute() {
        let mut times: Vec<u64> = (0..100).map(|i| i * 10).collect();
        times.push(990 + 60_000);
        assert_eq!(polls(&times)[100], Poll::Read { early: false });
    }

    #[test]
    fn a_decided_grant_is_read_at_every_poll() {
        let mut clock = PollClock::new();
        let grant = GrantId::from_bytes([9; 16]);
        let now = Timestamp::from_secs(1);
        clock.poll(now, grant, Duration::from_secs(5));
        assert_eq!(
            clock.poll(now, grant, Duration::from_secs(5)),
            Poll::FromMemory { early: true }
        );
        clock.mark_decided(grant);
        assert_eq!(
            clock.poll(now, grant, Duration::from_secs(5)),
            Poll::Read { early: false }
        );
        assert_eq!(
            clock.poll(now, grant, Duration::from_secs(5)),
            Poll::Read { early: false }
        );
    }

    #[test]
    fn a_clock_that_stepped_back_does_not_delay_tokens() {
        assert_eq!(
            polls(&[10_000_000, 5_000_000])[1],
            Poll::Read { early: true }
        );
    }
}
