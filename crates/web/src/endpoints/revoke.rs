//! `POST /oauth2/revoke` (RFC 7009).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use grantor_core::endpoints::revoke::Revoke;
use http::{HeaderValue, header};

use crate::app::App;
use crate::oauth;
use crate::request::Form;

pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    // RFC 7009 section 2.2: 200; clients ignore the body, so it is empty.
    oauth::handle_client::<Revoke>(&app, &form, |(), _| {
        let mut response = Response::new(Body::empty());
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    })
    .await
}
