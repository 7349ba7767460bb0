//! Static assets, and the responses to unknown paths and methods.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{assets, browser};
use crate::app::App;
use crate::pages::{self, PageError};
use crate::request::Caller;

pub(crate) async fn any(State(app): State<Arc<App>>, caller: Caller) -> Response {
    match pages::assets::find(caller.path()) {
        Some(asset) => assets::response(asset),
        None => browser::error_page(&app, &caller, PageError::NotFound),
    }
}

pub(crate) fn starting(app: &App, caller: &Caller) -> Response {
    browser::error_page(app, caller, PageError::Unavailable)
}

pub(crate) async fn method_not_allowed(State(app): State<Arc<App>>, caller: Caller) -> Response {
    browser::error_page(&app, &caller, PageError::MethodNotAllowed)
}
