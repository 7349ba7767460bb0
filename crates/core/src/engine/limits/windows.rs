//! Sliding-window counters in a table of fixed size.

use std::time::Duration;

use crate::base::time::Timestamp;

/// Parts of a window, plus one: counts are kept for up to an eighth longer than the window, so that no
/// window ever exceeds the limit.
const PARTS: usize = 9;
const WAYS: usize = 8;
const SETS: usize = 8 * 1024;

#[derive(Clone, Copy)]
struct Slot {
    place: u64,
    /// The newest counted part, numbered since the epoch.
    newest: u64,
    counts: [u32; PARTS],
}

const EMPTY: Slot = Slot {
    place: 0,
    newest: 0,
    counts: [0; PARTS],
};

impl Slot {
    /// Drops parts that are over at part `part`.
    fn slide(&mut self, part: u64) {
        let gone = part.saturating_sub(self.newest).min(PARTS as u64);
        for k in 1..=gone {
            self.counts[index(self.newest + k)] = 0;
        }
        self.newest = self.newest.max(part);
    }

    fn sum(&self) -> u32 {
        self.counts.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }
}

/// 65,536 counters: at most 4 MiB, allocated in sets on first use.
pub(super) struct Windows {
    sets: Vec<Option<Box<[Slot; WAYS]>>>,
}

impl std::fmt::Debug for Windows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Windows(…)")
    }
}

impl Windows {
    pub(super) fn new() -> Self {
        Self {
            sets: vec![None; SETS],
        }
    }

    /// The count of `place` within the last `window`.
    pub(super) fn count(&mut self, place: u64, window: Duration, now: Timestamp) -> u32 {
        let part = part_of(now, window);
        self.find(place).map_or(0, |slot| {
            slot.slide(part);
            slot.sum()
        })
    }

    /// Counts `n` more and returns the new count.
    pub(super) fn add(&mut self, place: u64, window: Duration, now: Timestamp, n: u32) -> u32 {
        let part = part_of(now, window);
        let slot = self.find_or_make(place, part);
        slot.slide(part);
        let at = index(part);
        slot.counts[at] = slot.counts[at].saturating_add(n);
        slot.sum()
    }

    /// Subtracts one that was counted at `at`, if it still counts.
    pub(super) fn release(&mut self, place: u64, window: Duration, at: Timestamp) {
        let part = part_of(at, window);
        if let Some(slot) = self.find(place)
            && part <= slot.newest
            && slot.newest - part < PARTS as u64
        {
            let count = &mut slot.counts[index(part)];
            *count = count.saturating_sub(1);
        }
    }

    fn find(&mut self, place: u64) -> Option<&mut Slot> {
        let set = self.sets[set_of(place)].as_mut()?;
        set.iter_mut().find(|slot| slot.place == place)
    }

    /// In a full set, evicts the slot with the lowest count, and of equal ones the oldest: a flood of single attempts
    /// evicts its own slots before one that is near its limit. Expired parts count as zero.
    fn find_or_make(&mut self, place: u64, part: u64) -> &mut Slot {
        let set = self.sets[set_of(place)].get_or_insert_with(|| Box::new([EMPTY; WAYS]));
        let known = set.iter().position(|slot| slot.place == place);
        let heat = |slot: &mut Slot| {
            let newest = slot.newest;
            slot.slide(part);
            (slot.sum(), newest)
        };
        let at = known.unwrap_or_else(|| {
            let coldest = (0..WAYS)
                .min_by_key(|&i| heat(&mut set[i]))
                .unwrap_or_default();
            set[coldest] = Slot { place, ..EMPTY };
            coldest
        });
        &mut set[at]
    }
}

const fn set_of(place: u64) -> usize {
    (place % SETS as u64) as usize
}

const fn index(part: u64) -> usize {
    (part % PARTS as u64) as usize
}

fn part_of(at: Timestamp, window: Duration) -> u64 {
    let length = u64::try_from(window.as_millis()).unwrap_or(u64::MAX) / (PARTS as u64 - 1);
    at.as_millis() / length.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_flood_does_not_evict_a_counter_near_its_limit() {
        let mut windows = Windows::new();
        let now = Timestamp::from_secs(1_000_000);
        windows.add(8, HOUR, now, 19);
        for other in 1..100_000_u64 {
            windows.add(8 + other * SETS as u64, HOUR, now, 1);
        }
        assert_eq!(windows.count(8, HOUR, now), 19);
    }

    #[test]
    fn expired_counts_do_not_evict_current_ones() {
        let mut windows = Windows::new();
        let yesterday = Timestamp::from_secs(1_000_000);
        let today = Timestamp::from_secs(1_090_000);
        // A full set of old counts, each higher than any of today's.
        for old in 1..=WAYS as u64 {
            windows.add(8 + old * SETS as u64, HOUR, yesterday, 21);
        }
        windows.add(8, HOUR, today, 19);
        for other in 100..110_u64 {
            windows.add(8 + other * SETS as u64, HOUR, today, 1);
        }
        assert_eq!(windows.count(8, HOUR, today), 19);
    }

    #[test]
    fn a_clock_that_steps_back_drops_no_counts() {
        let mut windows = Windows::new();
        windows.add(8, HOUR, Timestamp::from_secs(1_000_000), 5);
        assert_eq!(windows.count(8, HOUR, Timestamp::from_secs(990_000)), 5);
    }
}
