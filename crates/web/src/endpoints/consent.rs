//! `POST /consent`: the user's decision about a client's request.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::endpoints::authorize::ConsentDecision;
use grantor_core::people::Action;

use super::{authorize, browser};
use crate::app::App;
use crate::pages::PageError;
use crate::request::Form;

pub(crate) async fn post(State(app): State<Arc<App>>, posted: Form) -> Response {
    let binding = browser::session_binding(&app, &posted.caller);
    let checked = browser::checked_form(&app, &posted, binding.as_ref(), |params| {
        params.opt("request").map(Action::consent)
    });
    let params = match checked {
        Ok(params) => params,
        Err(response) => return *response,
    };
    let decision = match params.opt("decision") {
        Some("approve") => ConsentDecision::Approve,
        Some("deny") => ConsentDecision::Deny,
        _ => return browser::error_page(&app, &posted.caller, PageError::BadRequest),
    };
    let request = params.opt("request").unwrap_or_default();
    authorize::handle(&app, posted.caller.clone(), request, Some(decision)).await
}
