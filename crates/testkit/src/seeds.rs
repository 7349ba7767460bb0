//! Seeds from a counter: a test runs the same way each time.

use std::sync::atomic::{AtomicU64, Ordering};

use grantor_core::base::seed::Seed;

#[derive(Debug, Default)]
pub struct Seeds(AtomicU64);

impl Seeds {
    /// A seed that was not given before.
    pub fn next(&self) -> Seed {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Seed::from_bytes(bytes)
    }

    /// How many seeds were given.
    pub fn position(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Continues from a position: seeds after it are the same as they were or will be.
    pub fn set_position(&self, position: u64) {
        self.0.store(position, Ordering::Relaxed);
    }
}
