//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core section 5.3).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::params::Params;
use grantor_core::endpoints::userinfo::Userinfo;
use http::StatusCode;

use crate::app::App;
use crate::cors;
use crate::oauth::{self, Challenge};
use crate::request::{Caller, Form, FormError};

/// The body of a GET is not read: RFC 6750 section 2.2 forbids a token in it.
pub(crate) async fn get(app: State<Arc<App>>, caller: Caller) -> Response {
    let params = Params::parse(b"").map_err(FormError::Params);
    post(app, Form { caller, params }).await
}

pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    let caller = &form.caller;
    let parse = |params: &_| Userinfo::parse(caller.authorization(), params);
    let response = oauth::handle(&app, &form, Challenge::Bearer, parse, |reply, _| {
        oauth::json(StatusCode::OK, &reply)
    })
    .await;
    cors::for_token(&app, &form, response)
}
