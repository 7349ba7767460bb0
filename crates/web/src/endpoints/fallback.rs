//! Static assets, and the responses to unknown paths and methods.

use axum::response::Response;

use super::assets;
use crate::context::Context;
use crate::pages::{self, PageError};

pub(crate) async fn any(context: Context) -> Response {
    match pages::assets::find(context.caller.path()) {
        Some(asset) => assets::response(asset),
        None => context.error_page(PageError::NotFound),
    }
}

pub(crate) fn starting(context: &Context) -> Response {
    context.error_page(PageError::Unavailable)
}

pub(crate) async fn method_not_allowed(context: Context) -> Response {
    context.error_page(PageError::MethodNotAllowed)
}
