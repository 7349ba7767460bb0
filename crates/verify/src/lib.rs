//! What a resource server needs of an authorization server.
//!
//! [`RemoteKeySet`] holds an issuer's keys ready: fetched within bounds on size and time, kept, fetched again in the
//! background, and never more often than the issuer can be asked to bear, whatever tokens arrive.

mod clock;
mod fetch;
mod kept;
mod keys;
mod metadata;
#[cfg(test)]
mod testing;
mod url;

pub use fetch::{FetchError, Limits};
pub use keys::{KeySource, KeysUnavailable, RemoteKeySet};
pub use url::{IssuerUrl, SecureUrl, UrlError};
