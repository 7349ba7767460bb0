//! Everything else: static assets, and pages that do not exist.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{assets, browser};
use crate::app::App;
use crate::pages::Fault;
use crate::pages::assets as known;
use crate::request::Caller;

pub(crate) async fn any(State(app): State<Arc<App>>, caller: Caller) -> Response {
    match known::find(caller.path()) {
        Some(asset) => assets::response(asset),
        None => browser::fault(&app, &caller, Fault::NotFound),
    }
}

pub(crate) async fn method_not_allowed(State(app): State<Arc<App>>, caller: Caller) -> Response {
    browser::fault(&app, &caller, Fault::MethodNotAllowed)
}
