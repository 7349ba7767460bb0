//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core section 5.3).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::params::Params;
use grantor_core::endpoints::userinfo::Userinfo;
use grantor_core::model::endpoint::Endpoint;
use http::StatusCode;

use crate::app::App;
use crate::oauth;
use crate::request::{Caller, Form, FormError};

/// The body of a GET is not read: RFC 6750 section 2.2 forbids a token in it.
pub(crate) async fn get(app: State<Arc<App>>, caller: Caller) -> Response {
    let params = Params::parse(b"").map_err(FormError::Params);
    post(app, Form { caller, params }).await
}

pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    let caller = &form.caller;
    let parse = |params: &_| Userinfo::parse(caller.authorization(), params);
    oauth::handle(&app, &form, Endpoint::Userinfo, parse, |reply, _| {
        oauth::json(StatusCode::OK, &reply)
    })
    .await
}
