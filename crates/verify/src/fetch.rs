//! HTTP requests to issuers, limited in time and size.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use url::Url;

/// Limits of one request to an issuer. They do not rely on its `Content-Length`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for the request and its response together. Default: 5 seconds.
    pub time: Duration,
    /// Maximum body size in bytes. Default: 256 KiB.
    pub size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            size: 256 * 1024,
        }
    }
}

/// Why there is no usable response.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, no response, or none in time.
    #[error("the request failed")]
    RequestFailed(#[source] Arc<reqwest::Error>),
    /// The response is a redirect, whose target was not checked.
    #[error("{0} answered with a redirect, which is not followed")]
    Redirect(Url),
    /// Any other status but 200.
    #[error("{url} answered with status {status}")]
    Status {
        /// The address of the request.
        url: Url,
        /// The status code.
        status: u16,
    },
    /// The body is larger than [`Limits::size`].
    #[error("{url} answered with more than {size} bytes")]
    TooLarge {
        /// The address of the request.
        url: Url,
        /// The limit in bytes.
        size: usize,
    },
    /// The body is not the expected JSON.
    #[error("{url} did not answer with the expected JSON")]
    Json {
        /// The address of the request.
        url: Url,
        /// What is wrong with it.
        #[source]
        error: Arc<serde_json::Error>,
    },
    /// The metadata name another issuer (RFC 8414 section 3.3).
    #[error("the metadata at {url} name another issuer")]
    IssuerMismatch {
        /// The address of the request.
        url: Url,
    },
    /// The metadata have no such member, or its value is not an address that may be used.
    #[error("the issuer's metadata have no usable `{0}`")]
    MissingEndpoint(&'static str),
    /// The request was dropped before it ended, for example at the shutdown of the runtime.
    #[error("the request was interrupted")]
    Interrupted,
}

impl FetchError {
    /// Whether the server rejects the form or the length of this one request, so that other requests may succeed.
    pub(crate) const fn is_about_this_request(&self) -> bool {
        matches!(
            self,
            Self::Status {
                status: 400 | 413 | 414 | 422 | 431,
                ..
            }
        )
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::RequestFailed(Arc::new(error))
    }
}

/// A fetched value.
#[derive(Debug)]
pub(crate) struct Fetched<T> {
    pub(crate) value: T,
    /// `max-age` of `Cache-Control` (RFC 9111 section 5.2.2.1), if sent.
    pub(crate) max_age: Option<Duration>,
}

/// A response whose body was read.
pub(crate) struct Answer {
    url: Url,
    pub(crate) status: u16,
    max_age: Option<Duration>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

/// Sends a request to `url` and reads the response.
pub(crate) async fn answer(
    request: RequestBuilder,
    url: &Url,
    limits: Limits,
) -> Result<Answer, FetchError> {
    let request = request
        .header(ACCEPT, "application/json")
        .timeout(limits.time);
    let response = request.send().await?;
    // The second condition: the caller's client followed a redirect.
    if response.status().is_redirection() || response.url() != url {
        return Err(FetchError::Redirect(url.clone()));
    }
    Ok(Answer {
        url: url.clone(),
        status: response.status().as_u16(),
        max_age: max_age(&response),
        retry_after: retry_after(&response),
        body: body(response, url, limits.size).await?,
    })
}

/// Sends a request to `url` and parses the JSON of the response.
pub(crate) async fn json<T: DeserializeOwned>(
    request: RequestBuilder,
    url: &Url,
    limits: Limits,
) -> Result<Fetched<T>, FetchError> {
    answer(request, url, limits).await?.json()
}

impl Answer {
    /// The JSON of a response with status 200.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<Fetched<T>, FetchError> {
        let Self {
            url,
            status,
            max_age,
            body,
            ..
        } = self;
        if status != 200 {
            return Err(FetchError::Status { url, status });
        }
        match serde_json::from_slice(&body) {
            Ok(value) => Ok(Fetched { value, max_age }),
            Err(error) => Err(FetchError::Json {
                url,
                error: Arc::new(error),
            }),
        }
    }
}

async fn body(mut response: Response, url: &Url, size: usize) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > size {
            return Err(FetchError::TooLarge {
                url: url.clone(),
                size,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

fn max_age(response: &Response) -> Option<Duration> {
    let headers = response.headers().get_all(CACHE_CONTROL).iter();
    let texts = headers.filter_map(|header| header.to_str().ok());
    let ages = texts
        .flat_map(|text| text.split(','))
        .filter_map(|directive| {
            let (name, value) = match directive.split_once('=') {
                Some((name, value)) => (name.trim(), value.trim()),
                None => (directive.trim(), ""),
            };
            let is = |other| name.eq_ignore_ascii_case(other);
            if is("no-store") || is("no-cache") {
                return Some(0);
            }
            is("max-age").then(|| value.trim_matches('"').parse().ok())?
        });
    ages.min().map(Duration::from_secs)
}
