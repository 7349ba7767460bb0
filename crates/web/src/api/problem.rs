//! Refusals as `application/problem+json` (RFC 9457), with the challenge of RFC 6750 where a token is the matter.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use grantor_core::engine::event::{Event, EventKind};
use grantor_core::manage::{Admission, ApiCode, ApiRefusal};
use grantor_core::model::right::Right;
use http::{HeaderValue, Request, StatusCode, header};
use serde::Serialize;

use super::request::ApiRequest;
use crate::app::{App, Unavailable};

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    trace_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Member<'a>>,
}

#[derive(Serialize)]
struct Member<'a> {
    pointer: &'a str,
    detail: &'a str,
}

pub(crate) fn response(app: &App, request: &ApiRequest, refusal: &ApiRefusal) -> Response {
    log(app, request, refusal);
    let realm = app.realm();
    let ApiRefusal { code, detail, .. } = refusal;
    let errors = refusal.errors.iter().map(|error| Member {
        pointer: &error.pointer,
        detail: &error.detail,
    });
    let body = Problem {
        r#type: format!("{}/errors/{}", realm.issuer, code.name()),
        title: code.title(),
        status: code.status(),
        detail,
        code: code.name(),
        trace_id: request.caller.trace.as_str(),
        errors: errors.collect(),
    };
    // The types of this crate always serialize.
    let mut response = Response::new(Body::from(serde_json::to_vec(&body).unwrap_or_default()));
    *response.status_mut() = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("application/problem+json");
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let Some(challenge) = challenge(&realm.issuer, refusal) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// RFC 6750 section 3. A request without a token is told only the scheme.
fn challenge(issuer: &str, refusal: &ApiRefusal) -> Option<HeaderValue> {
    let error = match refusal.code {
        ApiCode::InvalidToken => match refusal.cause.is_about_a_token() {
            true => ", error=\"invalid_token\"".to_owned(),
            false => String::new(),
        },
        ApiCode::InsufficientScope => {
            let scope = refusal.needed.map(Right::token).unwrap_or_default();
            format!(", error=\"insufficient_scope\", scope=\"{scope}\"")
        }
        _ => return None,
    };
    HeaderValue::try_from(format!("Bearer realm=\"{issuer}\"{error}")).ok()
}

fn log(app: &App, request: &ApiRequest, refusal: &ApiRefusal) {
    let failed = matches!(refusal.code, ApiCode::ServerError | ApiCode::Unavailable);
    // The operator sees it on the terminal.
    if matches!(request.admission, Admission::Operator(_)) && !failed {
        return;
    }
    let ApiRefusal { code, detail, .. } = refusal;
    let event = match failed {
        true => Event::new(EventKind::RequestFailed),
        false => Event::refused_by(refusal.check(), refusal.cause),
    };
    let event = event.request("api", code.name(), detail);
    app.record_traced(&event.peer(&request.caller.peer), &request.caller.trace);
    tracing::info!(
        target: "grantor::refusal",
        trace_id = request.caller.trace.as_str(),
        endpoint = "api",
        error = refusal.code.name(),
        description = &*refusal.detail,
        cause = refusal.cause.logged().map(tracing::field::debug),
        address = %request.caller.peer,
        "refused"
    );
}

pub(crate) fn unavailable(app: &App, request: &ApiRequest, error: &Unavailable) -> Response {
    let refusal = match error.code().status() {
        503 => ApiRefusal {
            retry_after: Some(1),
            ..ApiRefusal::new(
                ApiCode::Unavailable,
                "The server cannot answer now; try again soon.",
            )
        },
        _ => ApiRefusal::new(ApiCode::ServerError, "The server failed; the log says why."),
    };
    tracing::error!(
        trace_id = request.caller.trace.as_str(),
        error = %grantor_core::base::cause::Causes(error),
        "a request to the API failed"
    );
    response(app, request, &refusal)
}

/// What a `type` leads to: the code in words.
pub(super) async fn explained(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    request: Request<Body>,
) -> Response {
    let known = ApiCode::ALL.into_iter().find(|known| known.name() == code);
    let Some(code) = known else {
        let request = ApiRequest::without_body(&app, request);
        let why = ApiRefusal::new(ApiCode::NotFound, "There is no such error code.");
        return response(&app, &request, &why);
    };
    let text = format!(
        "{}: {} (HTTP {}).\nThe member detail of the answer says more, and `grantor why TRACE_ID` what was decided.\n",
        code.name(),
        code.title(),
        code.status()
    );
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}
