//! Random choices that can be repeated: everything follows from one number.

/// A generator of numbers (SplitMix64): fast, and random enough for choosing what happens next.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from zero up to, and without, `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end
    }

    pub fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub fn index(&mut self, len: usize) -> usize {
        (self.number() % len as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())]
    }

    /// An index below `len`, higher ones more often.
    pub fn recent(&mut self, len: usize) -> Option<usize> {
        let newest = len.checked_sub(1)?;
        let back = match self.below(4) {
            0 => self.index(len),
            1 => self.index(len.min(8)),
            _ => self.index(len.min(2)),
        };
        Some(newest - back)
    }

    /// An index of the list, by the weights in it.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
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
