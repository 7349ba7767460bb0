//! The table of paths: each with its methods, and what the documentation says of them.
//!
//! To add an operation: a line in `operations` of its path, and its handler in `handlers`; a test compares them. A line is a kind (it tells method, status, body, conditions and most refusals), the operation id,
//! the object, and a summary; then `.needs(…)` with the rights of the operation, any of which is enough, `.query(…)` with
//! parameters besides `limit` and `after`, and `.refuses(…)` with refusals that its kind has not.
//!
//! To add a kind of object: a line among the objects. One that is only read derives `schemars::JsonSchema` on the struct from
//! which it is serialized; doc comments of its members become the words of the document. One of the file's tables has its
//! members from there: only those that the API adds are a struct.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::MethodRouter;
use grantor_core::manage::{Admit, ApiAnswer, ApiCode, ApiOperation, ApiRefusal, Idempotent};
use grantor_core::model::right::Right;
use http::{HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tokio::sync::MutexGuard;

use super::operation::Operation;
use super::problem;
use super::request::ApiRequest;
use crate::app::App;

mod table;

pub use table::ROUTES;
pub(super) use table::{READ_CLIENTS, WRITE_CLIENTS};

pub struct Route {
    /// Below `/api/v1`.
    pub path: &'static str,
    pub operations: &'static [Operation],
    handlers: fn() -> MethodRouter<Arc<App>>,
}

impl Route {
    /// Its handlers, with the response to other methods.
    pub(super) fn handlers(&'static self) -> MethodRouter<Arc<App>> {
        let operations = self.operations.iter();
        let allowed: Vec<_> = operations.map(|it| it.kind.method()).collect();
        let allowed = allowed.join(", ");
        (self.handlers)().fallback(
            async move |State(app): State<Arc<App>>, request: ApiRequest| {
                let why = ApiRefusal::new(ApiCode::MethodNotAllowed, "The path has other methods.");
                let mut response = problem::response(&app, &request, &why);
                if let Ok(allowed) = HeaderValue::try_from(&allowed) {
                    response.headers_mut().insert(header::ALLOW, allowed);
                }
                response
            },
        )
    }
}

/// Runs an operation, and renders what it replies.
pub(super) async fn answer<O>(
    app: &Arc<App>,
    request: &ApiRequest,
    operation: O,
    render: impl FnOnce(O::Reply) -> Response,
) -> Response
where
    O: ApiOperation + Send + 'static,
{
    match request.run(app, operation).await {
        Ok(outcome) => match outcome.reply {
            Ok(reply) => render(reply),
            Err(refusal) => problem::response(app, request, &refusal),
        },
        Err(error) => problem::unavailable(app, request, &error),
    }
}

/// The same for an operation that may be refused before it runs.
pub(super) async fn answer_with<O>(
    app: &Arc<App>,
    request: &ApiRequest,
    operation: Result<O, ApiRefusal>,
    render: impl FnOnce(O::Reply) -> ApiAnswer,
) -> Response
where
    O: ApiOperation + Send + 'static,
{
    match operation {
        Ok(operation) => answer(app, request, operation, |reply| send(app, &render(reply))).await,
        // Who is not admitted learns that, and nothing of what they sent.
        Err(refusal) => match request.run(app, Admit(&[])).await {
            Ok(outcome) => {
                let refusal = outcome.reply.err().unwrap_or(refusal);
                problem::response(app, request, &refusal)
            }
            Err(error) => problem::unavailable(app, request, &error),
        },
    }
}

/// Waits until this caller alone changes the managed document. Who is not admitted keeps nobody waiting.
pub(super) async fn exclusive<'a>(
    app: &'a Arc<App>,
    request: &ApiRequest,
    needs: &'static [Right],
) -> Result<MutexGuard<'a, ()>, Response> {
    match request
        .run(app, Admit(needs))
        .await
        .map(|outcome| outcome.reply)
    {
        Ok(Ok(_)) => {
            let held = app.change_config().await;
            held.map_err(|error| problem::unavailable(app, request, &error))
        }
        Ok(Err(refusal)) => Err(problem::response(app, request, &refusal)),
        Err(error) => Err(problem::unavailable(app, request, &error)),
    }
}

/// Any POST that makes something: with an `Idempotency-Key` it is done once, and its retry gets the same answer.
pub(super) async fn create<O>(
    app: &Arc<App>,
    request: &ApiRequest,
    operation: Result<O, ApiRefusal>,
    render: impl Fn(O::Reply) -> ApiAnswer + Send + 'static,
) -> Response
where
    O: ApiOperation + Send + 'static,
{
    let key = request.idempotency_key();
    let operation = operation.and_then(|operation| Ok(Idempotent::new(operation, key?, render)));
    answer_with(app, request, operation, |answer| answer).await
}

fn send(app: &App, answer: &ApiAnswer) -> Response {
    let mut response = match &answer.body {
        Some(body) => json(body),
        None => Response::new(Body::empty()),
    };
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    let path = |path: &String| format!("{}{}{path}", app.snapshot().site.path, super::PATH);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in [
        (header::LOCATION, answer.location.as_ref().map(path)),
        (header::ETAG, answer.etag.clone()),
    ] {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(name, value);
        }
    }
    response
}

pub(super) fn json(body: &impl Serialize) -> Response {
    // The types of this crate always serialize.
    let mut response = Response::new(Body::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// The path of an object with this name.
pub(super) fn location(all: &str, name: &str) -> String {
    format!("{all}/{}", encoded(name))
}

/// RFC 3986 section 3.3: `pchar`, of which only unreserved characters are left as they are.
pub(super) fn encoded(name: &str) -> String {
    const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(name, &UNRESERVED).to_string()
}
