//! The server as a program: its commands, its configuration, and the system's clock and entropy.
//!
//! It is a library beside a small `main`, so that tests reach the parts without a process.

pub mod admin;
pub mod assemble;
pub mod backchannel;
mod cause;
pub mod cli;
pub mod commands;
pub mod config;
pub mod events;
pub mod exit;
pub mod house;
pub mod key_policy;
pub mod key_ring;
pub mod master_key;
pub mod metrics;
pub mod outgoing;
pub mod password;
pub mod server;
pub mod signing_keys;
pub mod system;
pub mod telemetry;
pub mod tls;
#[cfg(feature = "otel")]
pub mod traces;
pub mod trusted_keys;
pub mod users;
