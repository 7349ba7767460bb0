//! For resource servers in Rust: verifies access tokens of Grantor or of any other OpenID issuer.
//!
//! ```
//! use axum::{Router, routing::get};
//! use grantor_verify::{AccessToken, Protect, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::builder("https://auth.example.com", "orders.example.com")?.build()?;
//! let protect = Protect::new(verifier);
//! let app: Router = Router::new()
//!     .route("/orders", get(orders).layer(protect.scope("orders.example.com/read")))
//!     .route("/whoami", get(async |token: AccessToken| token.subject.clone()))
//!     .layer(protect);
//!
//! async fn orders(token: AccessToken) -> String {
//!     match &token.act {
//!         Some(act) => format!("{} acts for {}", act.current().subject, token.subject),
//!         None => format!("{} acts", token.subject),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - [`Verifier`] verifies a token and returns its claims. A JWT is checked by RFC 9068 section 4; the service sets the
//!   allowed algorithms, type, issuer and audience, never the token. Other tokens are introspected (RFC 7662) if
//!   `VerifierBuilder::introspection` is set.
//! - [`Protect`] is a `tower` layer for services with any body type; it answers refusals by RFC 6750 section 3.
//!   [`AccessToken`] and [`BearerToken`] are `axum` extractors.
//! - `RemoteKeySet` holds an issuer's keys: fetched with limits on size and time, cached, refreshed in the background.
//!   Requests to the issuer are rare whatever tokens arrive.
//! - `TokenClient` requests the tokens that a service needs for other services: by exchanging its caller's (RFC 8693), or
//!   for itself.
//!
//! Tokens that are bound to a key (`cnf`: DPoP, mutual TLS) are refused: proofs of possession are not supported yet. A
//! revoked JWT is accepted until it expires; if a service must notice sooner, let the issuer issue sealed tokens for it.
//!
//! # Features
//! Both are on by default.
//! - `fetch`: discovery, remote key sets, introspection and `TokenClient`, over `reqwest` and `tokio`. Without it a verifier
//!   needs [`VerifierBuilder::key_set`] and makes no request.
//! - `axum`: the extractors.
//!
//! # Minimum Rust version
//! 1.88. That is what the dependencies declare and what clippy's `incompatible_msrv` accepts; the crate was not built with
//! a compiler that old.

// Printing panics where it cannot be written.
#![deny(clippy::print_stdout, clippy::print_stderr)]
#![warn(missing_docs)]

mod actor;
mod bearer;
#[cfg(feature = "fetch")]
mod cached;
#[cfg(feature = "fetch")]
mod client;
mod clock;
#[cfg(feature = "fetch")]
mod expiring_map;
#[cfg(feature = "axum")]
mod extract;
#[cfg(feature = "fetch")]
mod fetch;
#[cfg(feature = "fetch")]
mod introspection;
#[cfg(feature = "fetch")]
mod keys;
mod layer;
#[cfg(feature = "fetch")]
mod metadata;
#[cfg(feature = "fetch")]
mod outgoing;
mod refusal;
mod report;
mod rules;
mod scope;
mod secret;
#[cfg(feature = "fetch")]
mod server;
#[cfg(test)]
#[cfg(feature = "fetch")]
mod testing;
mod token;
mod url;
mod verifier;

pub use actor::{Actor, ActorChain};
#[cfg(feature = "fetch")]
pub use client::{IssuedToken, TokenClient, TokenError, TokenRequest};
#[cfg(feature = "axum")]
pub use extract::NotProtected;
#[cfg(feature = "fetch")]
pub use fetch::{FetchError, Limits};
pub use grantor_jose::{Algorithm, Jwks};
#[cfg(feature = "fetch")]
pub use keys::{KeySource, KeysUnavailable, RemoteKeySet};
pub use layer::{Protect, Protected};
#[cfg(feature = "fetch")]
pub use outgoing::{http_client, http_client_builder};
pub use refusal::{Invalid, Refusal, Unavailable};
pub use rules::Audience;
pub use scope::Scopes;
pub use secret::BearerToken;
#[cfg(feature = "fetch")]
pub use secret::ClientCredentials;
#[cfg(feature = "fetch")]
pub use server::{ClientAuthentication, EndpointResponse, ServerMetadata};
pub use token::{AccessToken, AccessTokenClaims};
pub use url::{IssuerUrl, SecureUrl, UrlError};
pub use verifier::{BuildError, Verifier, VerifierBuilder};

/// The page of the book, whose programs are compiled with these tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/resource-servers.md")]
struct Book;
