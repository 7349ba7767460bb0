//! What a resource server in Rust needs of its authorization server: access tokens of Grantor, or of any other OpenID
//! issuer, verified.
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
//! - [`Verifier`]: is this token good here, and what does it say? A JWT is checked as RFC 9068 section 4 has it; what
//!   its algorithm, type, issuer and audience must be is said by the service, never by the token. About a token that is
//!   no JWT the issuer is asked, where [`VerifierBuilder::introspection`] says as whom (RFC 7662).
//! - [`Protect`]: a layer of `tower` around services of any body; its refusals are those of RFC 6750 section 3.
//!   [`AccessToken`] and [`BearerToken`] are extractors of `axum` (feature `axum`, which is on unless turned off).
//! - [`RemoteKeySet`]: an issuer's keys, fetched within bounds on size and time, kept, fetched again in the background,
//!   and never more often than the issuer can be asked to bear, whatever tokens arrive.
//! - [`TokenClient`]: the token that a service needs for the next one: exchanged for its user's (RFC 8693), or its own.
//!
//! Tokens that are bound to a key (`cnf`: DPoP, mutual TLS) are refused: their proofs are not verified yet. A revoked
//! JWT is good until it ends; let the issuer seal its tokens for a service that must know sooner.

mod actor;
mod bearer;
mod client;
mod clock;
#[cfg(feature = "axum")]
mod extract;
mod fetch;
mod introspection;
mod kept;
mod keys;
mod layer;
mod metadata;
mod recent;
mod refusal;
mod rules;
mod scope;
mod secret;
#[cfg(test)]
mod testing;
mod token;
mod url;
mod verifier;

pub use actor::{Actor, ActorChain};
pub use client::{Given, TokenClient, TokenError, Wanted};
#[cfg(feature = "axum")]
pub use extract::NotProtected;
pub use fetch::{FetchError, Limits};
pub use grantor_jose::Algorithm;
pub use keys::{KeySource, KeysUnavailable, RemoteKeySet};
pub use layer::{Protect, Protected};
pub use refusal::{Invalid, Refusal, Unavailable};
pub use rules::Audience;
pub use scope::Scopes;
pub use secret::{BearerToken, ClientCredentials};
pub use token::{AccessToken, Facts};
pub use url::{IssuerUrl, SecureUrl, UrlError};
pub use verifier::{Verifier, VerifierBuilder};

/// The page of the book, whose programs are compiled with these tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/resource-servers.md")]
struct Book;

/// A client for requests to issuers: it follows no redirect, and asks no proxy of the environment.
///
/// # Errors
/// The system's certificates cannot be read.
pub fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    let client = reqwest::Client::builder();
    client
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("grantor-verify/", env!("CARGO_PKG_VERSION")))
        .build()
}
