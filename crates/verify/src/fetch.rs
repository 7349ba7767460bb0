//! What others answer, read with a limit on everything.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use url::Url;

/// Bounds of one request to an issuer. Its `Content-Length` is not among them: it is not believed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long request and answer may take together; 5 seconds unless told.
    pub time: Duration,
    /// How many bytes of a body are read; 256 KiB unless told.
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

/// Why an issuer's answer is not there, or of no use.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, no answer, or none in time.
    #[error("no answer: {0}")]
    NoAnswer(#[source] Arc<reqwest::Error>),
    /// The answer is a redirect, which would lead to where nobody checked.
    #[error("{0} redirects, which is not followed")]
    Redirect(Url),
    /// Any other status but 200.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked.
        url: Url,
        /// What came.
        status: u16,
    },
    /// There is more than [`Limits::size`].
    #[error("{url} answered with more than {size} bytes")]
    TooLarge {
        /// What was asked.
        url: Url,
        /// The limit.
        size: usize,
    },
    /// It is not the JSON that belongs there.
    #[error("{url} did not answer with what belongs there: {error}")]
    Json {
        /// What was asked.
        url: Url,
        /// What is wrong.
        #[source]
        error: Arc<serde_json::Error>,
    },
    /// The metadata are those of another issuer.
    #[error("the metadata at {url} are not those of the issuer: they name another")]
    OtherIssuer {
        /// What was asked.
        url: Url,
    },
    /// The metadata have no such address, or something else in its place.
    #[error("the issuer's metadata have no usable `{0}`")]
    NoEndpoint(&'static str),
    /// The request ended without an outcome, as at the end of a runtime.
    #[error("the request was interrupted")]
    Interrupted,
}

impl FetchError {
    /// Whether the other side is well, and does not like this very request: its form or its length, rather than who asks
    /// or how often.
    pub(crate) const fn is_of_this_request(&self) -> bool {
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
        Self::NoAnswer(Arc::new(error))
    }
}

/// What was fetched.
#[derive(Debug)]
pub(crate) struct Fetched<T> {
    pub(crate) value: T,
    /// `max-age` of its Cache-Control (RFC 9111 section 5.2.2.1); none where there is no such header.
    pub(crate) max_age: Option<Duration>,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    url: Url,
    pub(crate) status: u16,
    max_age: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

/// Sends a request, to `url`, and reads what answers it.
pub(crate) async fn answer(
    request: RequestBuilder,
    url: &Url,
    limits: Limits,
) -> Result<Answer, FetchError> {
    let request = request
        .header(ACCEPT, "application/json")
        .timeout(limits.time);
    let response = request.send().await?;
    // The second is of a client that follows them.
    if response.status().is_redirection() || response.url() != url {
        return Err(FetchError::Redirect(url.clone()));
    }
    Ok(Answer {
        url: url.clone(),
        status: response.status().as_u16(),
        max_age: max_age(&response),
        body: body(response, url, limits.size).await?,
    })
}

/// Sends a request, to `url`, and reads the JSON that answers it.
pub(crate) async fn json<T: DeserializeOwned>(
    request: RequestBuilder,
    url: &Url,
    limits: Limits,
) -> Result<Fetched<T>, FetchError> {
    answer(request, url, limits).await?.json()
}

impl Answer {
    /// The JSON of a good answer.
    pub(crate) fn json<T: DeserializeOwned>(self) -> Result<Fetched<T>, FetchError> {
        let Self {
            url,
            status,
            max_age,
            body,
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
