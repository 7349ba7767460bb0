//! Why a login failed.

use grantor_server::cause::innermost;
use grantor_verify::FetchError;

use super::Reply;

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("cannot reach {url}: {cause}")]
    Unreachable { url: String, cause: String },
    #[error("no metadata at {issuer}")]
    NoMetadata {
        issuer: String,
        source: Box<FetchError>,
    },
    #[error(transparent)]
    Fetch(Box<FetchError>),
    /// The response is not one that an authorization server may send.
    #[error("{0}")]
    Protocol(String),
    /// The server refused (RFC 6749 section 5.2).
    #[error("{}", refusal(error, description.as_deref(), trace_id.as_deref()))]
    Refused {
        error: String,
        description: Option<String>,
        trace_id: Option<String>,
    },
    #[error("the code expired before anyone approved it")]
    Expired,
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
    #[error(transparent)]
    System(#[from] std::io::Error),
}

impl Failure {
    pub(super) fn fetch(url: &str, error: FetchError) -> Self {
        match error {
            FetchError::RequestFailed(error) => Self::Unreachable {
                url: error
                    .url()
                    .map_or_else(|| url.to_owned(), ToString::to_string),
                cause: innermost(&*error),
            },
            error => Self::Fetch(Box::new(error)),
        }
    }

    /// The refusal that a reply holds.
    pub(super) fn refused(reply: &Reply) -> Self {
        let Some(error) = reply.text("error") else {
            return Self::Protocol(format!(
                "{} answered status {}, without an OAuth error",
                reply.url, reply.status
            ));
        };
        Self::Refused {
            error: error.to_owned(),
            description: reply.text("error_description").map(str::to_owned),
            trace_id: reply.text("trace_id").map(str::to_owned),
        }
    }
}

fn refusal(error: &str, description: Option<&str>, trace_id: Option<&str>) -> String {
    let description = description
        .map(|text| format!(": {text}"))
        .unwrap_or_default();
    let trace = trace_id
        .map(|id| format!(" (trace_id {id})"))
        .unwrap_or_default();
    format!("{error}{description}{trace}")
}
