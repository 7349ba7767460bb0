//! Wrappers for tests: a store that counts calls, and one that fails on command.

mod counting;
mod faulty;

pub use counting::{Counting, Counts};
pub use faulty::{Fault, Faulty};
