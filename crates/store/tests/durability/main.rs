//! What the SQLite store keeps when the power fails, or when its disk or its files are damaged.

#![expect(clippy::expect_used, reason = "a part of tests")]

mod damage;
mod disk;
mod folder;
mod ledger;
mod power_cut;
