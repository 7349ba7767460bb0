//! `POST /oauth2/introspect` (RFC 7662).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::endpoints::introspect::Introspect;
use http::StatusCode;

use crate::app::App;
use crate::oauth;
use crate::request::Form;

pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    oauth::handle_client::<Introspect>(&app, &form, |reply, _| oauth::json(StatusCode::OK, &reply))
        .await
}
