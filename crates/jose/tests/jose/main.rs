//! The crate from outside: the RFCs' vectors, another library, attacks, and properties.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod common;
mod keys;
mod oracle;
mod properties;
mod vectors;
