//! The protocol: what Grantor decides, and nothing of how it is carried out.
//!
//! No socket, SQL, clock or async in here. Time, randomness and keys come in as values, decisions go out as data.
//! Each room may use itself and the rooms above it in this list; `cargo xtask test` checks the arrows.

// Printing panics where it cannot be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod base;
pub mod client_auth;
pub mod endpoints;
pub mod engine;
pub mod exchange;
pub mod grants;
pub mod manage;
pub mod model;
pub mod people;
pub mod records;
pub mod tokens;
