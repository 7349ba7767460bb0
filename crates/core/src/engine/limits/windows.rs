//! Sliding-window counters in a table of fixed size.

use std::time::Duration;

use crate::base::time::Timestamp;

/// Parts of a window, plus one: counts are kept for up to an eighth longer than the window, so that no
/// window ever exceeds the limit.
const PARTS: usize = 9;
const WAYS: usize = 8;
const SETS: usize = 4 * 1024;

#[derive(Clone, Copy)]
struct Slot {
    place: u64,
    /// The length of its parts, in milliseconds.
    length: u64,
    /// The newest counted part, numbered since the epoch.
    newest: u64,
    counts: [u32; PARTS],
}

const EMPTY: Slot = Slot {
    place: 0,
    length: 1,
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

    /// The sum now. The slot stays as old as it is.
    fn sum_at(mut self, now: Timestamp) -> u32 {
        self.slide(part_at(now, self.length));
        self.sum()
    }

    /// Slides to the part of now, of this length. Where a reload changed the length of the window, what counts so far goes
    /// on to count for a whole new window: too much for a while, never too little.
    fn slide_to(&mut self, now: Timestamp, length: u64) {
        if self.length != length {
            let (sum, newest) = (self.sum_at(now), part_at(now, length));
            self.counts = EMPTY.counts;
            self.counts[index(newest)] = sum;
            (self.length, self.newest) = (length, newest);
        }
        self.slide(part_at(now, length));
    }

    fn sum(&self) -> u32 {
        self.counts.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }
}

/// Whether one more can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    UsedUp,
    /// It has no slot, and each that it could get is near the limit: such a slot is never evicted, since its subject could
    /// then start over.
    NoSlot,
}

/// 32,768 counters of one kind: at most 2 MiB, allocated in sets on first use.
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
        self.find(place).map_or(0, |slot| {
            slot.slide_to(now, part_millis(window));
            slot.sum()
        })
    }

    /// Whether `place` can be counted below `limit`.
    pub(super) fn room(&self, place: u64, now: Timestamp, limit: u32) -> Room {
        if limit == 0 {
            return Room::UsedUp;
        }
        let Some(set) = self.sets[set_of(place)].as_ref() else {
            return Room::Free;
        };
        match set.iter().find(|slot| slot.place == place) {
            Some(slot) if slot.sum_at(now) < limit => Room::Free,
            Some(_) => Room::UsedUp,
            None if set.iter().any(|slot| slot.sum_at(now) < near(limit)) => Room::Free,
            None => Room::NoSlot,
        }
    }

    /// Counts `n` more and returns the new count. Where there is [`Room::NoSlot`], it counts nothing.
    pub(super) fn add(
        &mut self,
        place: u64,
        window: Duration,
        now: Timestamp,
        limit: u32,
        n: u32,
    ) -> u32 {
        let length = part_millis(window);
        let Some(slot) = self.find_or_make(place, length, now, near(limit)) else {
            return 0;
        };
        slot.slide_to(now, length);
        let at = index(part_at(now, length));
        slot.counts[at] = slot.counts[at].saturating_add(n);
        slot.sum()
    }

    /// Whether one was counted at `at` that still counts. `None` where it has no slot.
    pub(super) fn counted_at(&mut self, place: u64, at: Timestamp) -> Option<bool> {
        self.find(place).map(|slot| {
            let part = part_at(at, slot.length);
            let kept = part <= slot.newest && slot.newest - part < PARTS as u64;
            kept && slot.counts[index(part)] > 0
        })
    }

    /// Subtracts one, where [`Self::counted_at`].
    pub(super) fn release(&mut self, place: u64, at: Timestamp) {
        if let Some(slot) = self.find(place) {
            let count = &mut slot.counts[index(part_at(at, slot.length))];
            *count = count.saturating_sub(1);
        }
    }

    fn find(&mut self, place: u64) -> Option<&mut Slot> {
        let set = self.sets[set_of(place)].as_mut()?;
        set.iter_mut().find(|slot| slot.place == place)
    }

    /// In a full set, evicts the slot with the lowest count, and of equal ones the oldest: a flood of single attempts
    /// evicts its own slots before others. Expired parts count as zero. `None` where each has `near` or more.
    fn find_or_make(
        &mut self,
        place: u64,
        length: u64,
        now: Timestamp,
        near: u32,
    ) -> Option<&mut Slot> {
        let set = self.sets[set_of(place)].get_or_insert_with(|| Box::new([EMPTY; WAYS]));
        let known = set.iter().position(|slot| slot.place == place);
        let heat = |slot: &Slot| (slot.sum_at(now), slot.newest);
        let at = match known {
            Some(at) => at,
            None => {
                let coldest = (0..WAYS).min_by_key(|&i| heat(&set[i]))?;
                if set[coldest].sum_at(now) >= near {
                    return None;
                }
                set[coldest] = Slot {
                    place,
                    length,
                    ..EMPTY
                };
                coldest
            }
        };
        Some(&mut set[at])
    }
}

/// From this count on a counter with this limit is near it.
const fn near(limit: u32) -> u32 {
    limit.div_ceil(2)
}

const fn set_of(place: u64) -> usize {
    (place % SETS as u64) as usize
}

const fn index(part: u64) -> usize {
    (part % PARTS as u64) as usize
}

/// The length of a part.
pub(super) fn part(window: Duration) -> Duration {
    window / (PARTS as u32 - 1)
}

fn part_millis(window: Duration) -> u64 {
    let length = u64::try_from(part(window).as_millis()).unwrap_or(u64::MAX);
    length.max(1)
}

fn part_at(at: Timestamp, length: u64) -> u64 {
    at.as_millis() / length
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_flood_does_not_evict_a_counter_near_its_limit() {
        let mut windows = Windows::new();
        let now = Timestamp::from_secs(1_000_000);
        windows.add(8, HOUR, now, 20, 19);
        for other in 1..100_000_u64 {
            windows.add(8 + other * SETS as u64, HOUR, now, 20, 1);
        }
        assert_eq!(windows.count(8, HOUR, now), 19);
    }

    #[test]
    fn a_counter_near_its_limit_is_not_evicted_by_others_that_are_nearer() {
        let mut windows = Windows::new();
        let now = Timestamp::from_secs(1_000_000);
        windows.add(8, HOUR, now, 20, 10);
        let mut counted = 0;
        for other in (1..100_u64).map(|n| 8 + n * SETS as u64) {
            for _ in 0..20 {
                if windows.room(other, now, 20) == Room::Free {
                    windows.add(other, HOUR, now, 20, 1);
                    counted += 1;
                }
            }
        }
        assert_eq!(windows.count(8, HOUR, now), 10);
        // The others fill the rest of the set to their limit, and those without a slot pass no attempt.
        assert_eq!(counted, 20 * (WAYS - 1));
        assert_eq!(windows.room(9, now, 20), Room::Free, "another set has room");
        let later = Timestamp::from_secs(1_005_000);
        let other = 8 + 999 * SETS as u64;
        assert_eq!(windows.room(other, now, 20), Room::NoSlot);
        assert_eq!(
            windows.add(other, HOUR, now, 20, 1),
            0,
            "nothing goes for it"
        );
        assert_eq!(windows.room(other, later, 20), Room::Free);
    }

    #[test]
    fn expired_counts_do_not_evict_current_ones() {
        let mut windows = Windows::new();
        let yesterday = Timestamp::from_secs(1_000_000);
        let today = Timestamp::from_secs(1_090_000);
        // A full set of old counts, each higher than any of today's.
        for old in 1..=WAYS as u64 {
            windows.add(8 + old * SETS as u64, HOUR, yesterday, 20, 21);
        }
        windows.add(8, HOUR, today, 20, 19);
        for other in 100..110_u64 {
            windows.add(8 + other * SETS as u64, HOUR, today, 20, 1);
        }
        assert_eq!(windows.count(8, HOUR, today), 19);
    }

    #[test]
    fn a_clock_that_steps_back_drops_no_counts() {
        let mut windows = Windows::new();
        windows.add(8, HOUR, Timestamp::from_secs(1_000_000), 20, 5);
        assert_eq!(windows.count(8, HOUR, Timestamp::from_secs(990_000)), 5);
    }

    #[test]
    fn a_window_that_a_reload_made_longer_keeps_its_counts_and_lets_them_end() {
        let mut windows = Windows::new();
        let now = Timestamp::from_secs(1_000_000);
        windows.add(8, HOUR, now, 20, 5);
        let half = now + HOUR / 2;
        windows.add(8, HOUR * 3, half, 20, 1);
        assert_eq!(windows.count(8, HOUR * 3, half + HOUR * 2), 6);
        assert_eq!(windows.count(8, HOUR * 3, half + HOUR * 4), 0);
        windows.add(8, HOUR * 3, half + HOUR * 4, 20, 1);
        assert_eq!(windows.counted_at(8, half + HOUR * 4), Some(true));
    }

    #[test]
    fn a_window_that_is_made_shorter_drops_no_counts() {
        let mut windows = Windows::new();
        let now = Timestamp::from_secs(1_000_000);
        windows.add(8, HOUR * 3, now, 20, 5);
        assert_eq!(windows.count(8, HOUR, now + HOUR * 2), 5);
        assert_eq!(windows.count(8, HOUR, now + HOUR * 4), 0);
    }
}
