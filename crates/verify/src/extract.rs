//! What handlers of `axum` can ask for.

use std::any::Any;

use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::refusal::Refusal;
use crate::secret::BearerToken;
use crate::token::AccessToken;

/// A handler asks for the token of a request, and no [`Protect`](crate::Protect) is around it: a fault of the service,
/// which is a 500. So a route that somebody forgot to protect lets nobody in.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a handler asks for the token of a route that is not protected")]
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
