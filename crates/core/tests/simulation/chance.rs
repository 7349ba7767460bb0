//! Chance that can be had again: everything that happens follows from one number.

/// A generator of numbers (SplitMix64): quick, and quite random enough to choose what happens next.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from zero up to, and without, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    pub(crate) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        (self.number() % len as u64) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())]
    }

    /// One of what there is, the newest ones more often than the old.
    pub(crate) fn recent(&mut self, len: usize) -> Option<usize> {
        let newest = len.checked_sub(1)?;
        let back = match self.below(4) {
            0 => self.index(len),
            1 => self.index(len.min(8)),
            _ => self.index(len.min(2)),
        };
        Some(newest - back)
    }

    /// A place in the list, by its weight there.
    pub(crate) fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return at,
            }
        }
        unreachable!("the rest is less than the sum")
    }
}
