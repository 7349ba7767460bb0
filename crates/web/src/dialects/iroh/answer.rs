//! Answers of this server in the form of IROH.

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::oauth;

/// More than any answer that is translated.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// RFC 8628 section 3.5.
const DEVICE_ERRORS: &str = "https://datatracker.ietf.org/doc/html/rfc8628#section-3.5";

/// Which errors a request can have under other names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    ForDeviceTokens,
    ForElse,
}

/// An answer whose body is JSON: of a success `translate` makes the body, of an error IROH's form of errors. `client` is the
/// client that the request names.
pub(super) async fn translated(
    response: Response,
    client: Option<&str>,
    asks: Asks,
    translate: impl FnOnce(Value) -> Value,
) -> Response {
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, MAX_BYTES).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let body = match parts.status.is_success() {
        true if bytes.is_empty() => return Response::from_parts(parts, Body::empty()),
        true => translate(body),
        false => error(body, client, asks),
    };
    if parts.status == StatusCode::CREATED {
        parts.status = StatusCode::OK;
    }
    let mut answer = oauth::json(parts.status, &body);
    // Challenges, and when to try again.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    *answer.headers_mut() = parts.headers;
    answer
}

fn error(body: Value, client: Option<&str>, asks: Asks) -> Value {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    // Of the token endpoint, or a problem of the API (RFC 9457).
    let (code, description, uri) = match body.get("error") {
        Some(_) => (text("error"), text("error_description"), text("error_uri")),
        None => (text("code"), detail(&body), text("type")),
    };
    let (code, description, uri) = match (asks, code.as_str()) {
        (Asks::ForDeviceTokens, "authorization_pending") => (
            code,
            "Authorization pending".to_owned(),
            DEVICE_ERRORS.to_owned(),
        ),
        (Asks::ForDeviceTokens, "access_denied") => (
            code,
            "The user rejected the access".to_owned(),
            DEVICE_ERRORS.to_owned(),
        ),
        (Asks::ForDeviceTokens, "invalid_grant" | "expired_token") => (
            "invalid_device_code".to_owned(),
            "device code not found".to_owned(),
            DEVICE_ERRORS.to_owned(),
        ),
        _ => (code, description, uri),
    };
    let mut error = json!({
        "error": code,
        "error_description": description,
        "error_uri": uri,
        "trace_id": body["trace_id"],
    });
    if let Some(client) = client {
        error["client-id"] = client.into();
    }
    error
}

/// With what is wrong in the body.
fn detail(body: &Value) -> String {
    let mut text = body["detail"].as_str().unwrap_or_default().to_owned();
    for error in body["errors"].as_array().into_iter().flatten() {
        let member = |name: &str| error[name].as_str().unwrap_or_default();
        text += &format!(" {} {}.", member("pointer"), member("detail"));
    }
    text
}

/// A member under another name, where it is there.
pub(super) fn renamed(
    from: &Map<String, Value>,
    name: &str,
    to: &mut Map<String, Value>,
    new: &str,
) {
    if let Some(value) = from.get(name) {
        to.insert(new.to_owned(), value.clone());
    }
}
