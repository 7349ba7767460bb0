//! CORS (Fetch section 3.2): which requests scripts of other origins may send, and which responses they may read. A
//! response is readable for the origins of the requesting client only. Requests without `Origin` are not affected.
//!
//! Credentialed requests are never allowed: no endpoint that other origins can call reads a cookie.

use axum::body::Body;
use axum::response::Response;
use grantor_core::model::client::Client;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::request::Caller;

/// Response headers that a script may read.
const EXPOSED_HEADERS: &str = "www-authenticate, x-request-id, retry-after";
/// Request headers that need a preflight and are allowed.
const ALLOWED_HEADERS: &str = "authorization, content-type";
/// How long browsers cache a preflight, in seconds. Chromium caches no longer than this.
const PREFLIGHT_MAX_AGE: &str = "7200";

/// Makes the response readable for the client whose request it answers, if that is known.
pub(crate) fn for_client(
    caller: &Caller,
    client: Option<&Client>,
    mut response: Response,
) -> Response {
    if !caller.headers.contains_key(ORIGIN) {
        return response;
    }
    let origin = origin(&caller.headers)
        .filter(|(_, text)| client.is_some_and(|client| client.has_origin(text)));
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some((origin, _)) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED_HEADERS),
        );
    }
    response
}

/// `None` if the header is missing or sent twice.
fn origin(headers: &HeaderMap) -> Option<(&HeaderValue, &str)> {
    let mut all = headers.get_all(ORIGIN).into_iter();
    let origin = all.next().filter(|_| all.next().is_none())?;
    Some((origin, origin.to_str().ok()?))
}

/// Answers a preflight for an endpoint with these methods.
///
/// A preflight does not name the client, so each origin may send requests: that allows no more than a program outside a
/// browser can do, as no cookie counts. The response of the actual request is readable for the client's own origins only.
pub(crate) async fn preflight(methods: &'static str) -> Response {
    preflight_response(methods, ALLOWED_HEADERS)
}

/// Documents are public: any origin may read them.
pub(crate) async fn document_preflight() -> Response {
    preflight_response("GET, HEAD", "*")
}

fn preflight_response(methods: &'static str, allowed_headers: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, allowed_headers),
        (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
