//! The error page, with the trace id for finding details in the log.

use std::borrow::Cow;

use http::StatusCode;
use serde::Serialize;

use super::Site;
use crate::render::Page;

/// Must not contain input.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorPage {
    pub site: Site,
    pub fault: PageError,
    status: u16,
    /// Whether to show a hint for the client's developers.
    for_developers: bool,
    /// The refusal, in English, for the same.
    pub description: Option<Cow<'static, str>>,
    pub trace_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PageError {
    BadRequest,
    /// The authorization request names an unknown client, so the error cannot be sent to it.
    UnknownClient,
    /// The redirect URI is not registered, so it must not be used (RFC 6749 section 4.1.2.1).
    RedirectUri,
    /// The authorization request asks for what is not supported, and does not say where the error can be sent.
    NotSupported,
    /// A client's logout request is not valid.
    BadLogout,
    NotFound,
    MethodNotAllowed,
    /// The request is larger than any form of this server.
    TooLarge,
    TooManyRequests,
    Internal,
    /// A temporary failure, such as of the store.
    Unavailable,
    /// Too many passwords are waiting to be checked.
    Busy,
}

impl PageError {
    pub const ALL: [Self; 12] = [
        Self::BadRequest,
        Self::UnknownClient,
        Self::RedirectUri,
        Self::NotSupported,
        Self::BadLogout,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
        Self::Busy,
    ];

    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest
            | Self::UnknownClient
            | Self::RedirectUri
            | Self::NotSupported
            | Self::BadLogout => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn concerns_developers(self) -> bool {
        matches!(
            self,
            Self::UnknownClient | Self::RedirectUri | Self::NotSupported | Self::BadLogout
        )
    }
}

impl ErrorPage {
    pub fn new(site: Site, fault: PageError, trace_id: String) -> Self {
        Self {
            site,
            fault,
            status: fault.status().as_u16(),
            for_developers: fault.concerns_developers(),
            description: None,
            trace_id,
        }
    }
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";

    fn samples() -> Vec<Self> {
        let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736".to_owned();
        let page = |fault| Self::new(Site::sample(), fault, trace_id.clone());
        let refused = Self {
            description: Some("The parameter request_uri is not supported.".into()),
            ..page(PageError::NotSupported)
        };
        PageError::ALL
            .into_iter()
            .map(page)
            .chain([refused])
            .collect()
    }
}
