//! A running server: everything between the settings and the sockets.
//!
//! What belongs here: the assembly of a realm from settings, the owner of its snapshots, reloads, the key ring, signing keys and master keys, calls to other
//! servers, back-channel logout, events, metrics, traces, TLS, the server's side of the admin socket, the users of the
//! file, the keys of trusted issuers, and the system's clock and entropy. Protocol decisions belong to `grantor-core`, HTTP
//! endpoints and pages to `grantor-web`, and what a command prints to `grantor`.

// Printing panics where it cannot be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod admin;
pub mod assemble;
pub mod backchannel;
pub mod clients;
pub mod config_watch;
pub mod events;
pub mod files;
mod first_administrator;
pub mod generated_password;
pub mod installation;
pub mod key_policy;
pub mod key_ring;
pub mod links;
mod management;
pub mod master_key;
pub mod metrics;
pub mod openapi;
pub mod outgoing;
pub mod realm_owner;
pub mod reload;
pub mod run;
mod secret_uses;
pub mod setting_error;
pub mod signing_keys;
pub mod system;
pub mod telemetry;
pub mod tls;
#[cfg(feature = "otel")]
pub mod traces;
pub mod trusted_keys;
pub mod users;
pub mod written;

pub use grantor_core::base::cause;
pub use run::{StartError, run};
