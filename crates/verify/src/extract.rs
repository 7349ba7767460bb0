//! Extractors for handlers of `axum`.

use std::any::Any;

use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::refusal::Refusal;
use crate::secret::BearerToken;
use crate::token::AccessToken;

/// A handler extracts the token of a route without [`Protect`](crate::Protect): a bug in the service, answered with
/// status 500. So a route that someone forgot to protect is closed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a handler extracts the access token of a route without the layer Protect")]
pub struct NotProtected;

impl IntoResponse for NotProtected {
    fn into_response(self) -> Response {
        tracing::error!("{self}");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.response::<Body>("api")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AccessToken {
    type Rejection = NotProtected;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotProtected> {
        extension(parts)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BearerToken {
    type Rejection = NotProtected;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotProtected> {
        extension(parts)
    }
}

fn extension<T: Clone + Any + Send + Sync>(parts: &Parts) -> Result<T, NotProtected> {
    parts.extensions.get::<T>().cloned().ok_or(NotProtected)
}
