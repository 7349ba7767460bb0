//! The HTTP client for requests to other servers: one policy, wherever a client is made.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

/// How long a connection may take, TLS included.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long a request may take where nothing shorter is set.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// A builder of HTTP clients for requests to other servers.
///
/// It follows no redirects, because their target was not checked and a redirected POST would carry credentials there. It
/// ignores the proxy variables of the environment. A connection may take 5 seconds, and a request `timeout`, unless the
/// request itself sets another one. The size of a response is limited where it is read ([`Limits`](crate::Limits)), and
/// plain http is excluded by the type of the address ([`SecureUrl`](crate::SecureUrl)).
pub fn http_client_builder(timeout: Duration) -> ClientBuilder {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that makes HTTP clients"
    )]
    let builder = Client::builder();
    builder
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIME)
        .timeout(timeout)
}

/// An HTTP client for requests to issuers, made by [`http_client_builder`]: a request may take 30 seconds.
///
/// # Errors
/// The system's certificates cannot be read.
pub fn http_client() -> Result<Client, reqwest::Error> {
    http_client_builder(REQUEST_TIME)
        .user_agent(concat!("grantor-verify/", env!("CARGO_PKG_VERSION")))
        .build()
}
