//! `POST /oauth2/introspect` (RFC 7662).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::client_auth::Authenticated;
use grantor_core::endpoints::introspect::Introspect;
use grantor_core::model::endpoint::Endpoint;
use http::StatusCode;

use crate::app::App;
use crate::oauth;
use crate::request::Form;

pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    let caller = &form.caller;
    let parse = |params: &_| {
        Authenticated::<Introspect>::parse(caller.authorization(), params, caller.peer.clone())
    };
    oauth::handle(&app, &form, Endpoint::Introspect, parse, |reply, _| {
        oauth::json(StatusCode::OK, &reply)
    })
    .await
}
