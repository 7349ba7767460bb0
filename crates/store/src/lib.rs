//! The store contract, its backends, and the conformance suite that each backend must pass.
//!
//! A store has five methods. It knows keys, versions and expiry, but not what a row means: every rule of the protocol is
//! in `grantor-core`. Single use rests on one property of the store: of two commits that expect the same version, one
//! wins.
//!
//! [`memory`] is lost at the end of the process; [`sqlite`] is the embedded default. [`conformance`] is the suite, and
//! [`testing`] has wrappers that count calls and that fail on command.

// Printing panics where it cannot be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod conformance;
mod contract;
mod listing;
pub mod memory;
pub mod sqlite;
pub mod testing;

/// Shared by all backends, also those in other crates.
pub mod backend {
    pub use crate::contract::{admit_keys, admit_writes, first_after, kind_bounds};
}

pub use contract::{
    Health, MAX_CLOCK_SKEW, MAX_KEY_BYTES, SWEEP_GRACE, Store, StoreCall, StoreError,
};
pub use listing::{list_all, list_pages};
