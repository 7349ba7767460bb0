//! Where rows are kept: the contract, its backends, and the suite that each backend passes.
//!
//! A store is five methods. It knows keys, versions and expiry, and nothing of what a row means:
//! every rule of the protocol is in `grantor-core`, and single use of anything is one property
//! here, that of two commits which expect the same version one wins.
//!
//! [`memory`] forgets at the end of the process; [`sqlite`] is the embedded default.
//! [`conformance`] is what a backend must pass before it is shipped, and [`testing`] has
//! wrappers that count and that fail on command.

pub mod conformance;
mod contract;
pub mod memory;
pub mod sqlite;
pub mod testing;

/// What each backend does alike, one of another crate too.
pub mod backend {
    pub use crate::contract::{admit_keys, admit_writes, first_after, kind_bounds};
}

pub use contract::{Health, MAX_CLOCK_SKEW, MAX_KEY_BYTES, SWEEP_GRACE, Store, StoreError};
