//! The servers of the binary, as processes.

#![expect(
    clippy::expect_used,
    reason = "what these tests expect is their own footing"
)]

mod admin;
mod backup;
mod dev;
mod events;
mod explain;
mod home;
mod identity;
mod keys;
mod log;
mod logout;
mod manage;
mod managed;
mod metrics;
mod oauth2_crate;
mod openidconnect_crate;
#[cfg(feature = "otel")]
mod otel;
mod outgoing;
mod reload;
mod serve;
mod sigkill;
mod terminal;
mod tls;
mod users;
mod verify;
mod visitor;
