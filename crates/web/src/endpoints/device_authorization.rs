//! `POST /oauth2/device_authorization` (RFC 8628 section 3.1).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::endpoints::device_authorization::DeviceAuthorization;
use grantor_core::model::endpoint::Endpoint;
use http::StatusCode;
use serde::Serialize;

use crate::app::App;
use crate::oauth;
use crate::request::Form;

/// RFC 8628 section 3.2.
#[derive(Serialize)]
struct DeviceAuthorizationResponse<'a> {
    device_code: &'a str,
    user_code: &'a str,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    oauth::handle_client::<DeviceAuthorization>(&app, &form, |reply, _| {
        // RFC 8628 section 3.3.1: only verification_uri_complete contains the code, as it is displayed.
        let verification_uri = app.realm().url(Endpoint::Device);
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("user_code", &reply.user_code)
            .finish();
        oauth::json(
            StatusCode::OK,
            &DeviceAuthorizationResponse {
                device_code: reply.device_code.reveal(),
                user_code: &reply.user_code,
                verification_uri_complete: format!("{verification_uri}?{query}"),
                verification_uri,
                expires_in: reply.expires_in.as_secs(),
                interval: reply.interval.as_secs(),
            },
        )
    })
    .await
}
