//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core section 5.3).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::endpoints::userinfo::Userinfo;
use http::StatusCode;

use crate::app::App;
use crate::oauth::{self, Challenge};
use crate::request::Form;

/// A GET has no form, so what comes as a body of one is not read as parameters of ours either way.
pub(crate) async fn any(State(app): State<Arc<App>>, form: Form) -> Response {
    let caller = &form.caller;
    let parse = |params: &_| Userinfo::parse(caller.authorization(), params);
    oauth::answer(&app, &form, Challenge::Bearer, parse, |reply, _| {
        oauth::json(StatusCode::OK, &reply)
    })
    .await
}
