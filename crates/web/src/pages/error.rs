//! What went wrong, in words that help, and the id by which the operator finds the rest.

use http::StatusCode;
use serde::Serialize;

use super::Site;
use crate::render::Page;

/// A request of a browser that cannot be answered. Never holds input.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorPage {
    /// Whose page it is.
    pub site: Site,
    /// What went wrong.
    pub fault: Fault,
    /// The HTTP status; [`Fault::status`].
    status: u16,
    /// Whether there is something to tell those who made the link.
    for_developers: bool,
    /// The W3C trace id, as in the header and the log.
    pub trace_id: String,
}

/// What can go wrong with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The request makes no sense.
    BadRequest,
    /// The form's token is missing, of another session, or too old.
    ExpiredForm,
    /// The authorization request names no client of ours, so there is nobody to send the error to.
    UnknownClient,
    /// The address to go back to is not registered: nobody is sent there (RFC 6749 section 4.1.2.1).
    RedirectUri,
    /// The logout request of a client cannot be verified.
    BadLogout,
    /// There is no such page.
    NotFound,
    /// The page exists, for another method.
    MethodNotAllowed,
    /// The request is larger than any of our forms.
    TooLarge,
    /// Too much was asked.
    TooManyRequests,
    /// Ours.
    Internal,
    /// The store or a signer is away.
    Unavailable,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 11] = [
        Self::BadRequest,
        Self::ExpiredForm,
        Self::UnknownClient,
        Self::RedirectUri,
        Self::BadLogout,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The status that the page is sent with.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::UnknownClient | Self::RedirectUri | Self::BadLogout => {
                StatusCode::BAD_REQUEST
            }
            Self::ExpiredForm => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn is_of_developers(self) -> bool {
        matches!(
            self,
            Self::UnknownClient | Self::RedirectUri | Self::BadLogout
        )
    }
}

impl ErrorPage {
    /// The page of a fault.
    pub fn new(site: Site, fault: Fault, trace_id: String) -> Self {
        Self {
            site,
            fault,
            status: fault.status().as_u16(),
            for_developers: fault.is_of_developers(),
            trace_id,
        }
    }
}

impl Page for ErrorPage {
    const TEMPLATE: &'static str = "error.html";

    fn samples() -> Vec<Self> {
        Fault::ALL
            .map(|fault| {
                Self::new(
                    Site::sample(),
                    fault,
                    "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
                )
            })
            .into()
    }
}
