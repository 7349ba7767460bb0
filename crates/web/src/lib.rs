//! The HTTP layer: parses requests, runs decisions with the real store and signer, and renders responses.
//!
//! `endpoints/` has one file for each endpoint, and `pages/` one for each page. Neither makes decisions.

// Printing panics where it cannot be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod api;
mod app;
mod context;
mod cookies;
mod cors;
mod dialects;
mod endpoints;
mod event_log;
mod excess;
mod lists;
pub mod locale;
mod managed_clients;
pub mod metrics;
mod oauth;
pub mod pages;
mod passwords;
mod peer;
mod refusal;
pub mod render;
mod request;
mod router;
mod secret_uses;
mod server;
mod shell;
mod snapshot;
#[cfg(feature = "spans")]
mod span;
mod system;
mod tls;
mod trace;

pub use app::{App, Parts, StartError, Unavailable};
pub use event_log::{EventFilter, EventLog, EventLogError, EventPage, EventQuery, MAX_PAGE_EVENTS};
pub use grantor_core::base::peer::ForwardedHeader;
pub use passwords::hash_password;
pub use peer::Proxies;
pub use router::{Router, probes};
pub use server::{serve, serve_operators};
pub use shell::Shell;
pub use snapshot::{Snapshot, SnapshotParts};
#[cfg(feature = "spans")]
pub use span::{Span, SpanSink};
pub use system::{Clock, Entropy, EventSink, Management, NoTrustedKeys, SigningKey, TrustedKeys};
pub use tls::{Certificate, CertificateError, MinTlsVersion, Tls};
