//! The table of paths: each with its methods, and what the documentation says of them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use grantor_core::manage::{ApiCode, ApiOperation, ApiRefusal};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::request::ApiRequest;
use super::{me, problem};
use crate::app::App;

pub(super) struct Route {
    /// Below `/api/v1`.
    pub(super) path: &'static str,
    pub(super) methods: &'static [Method],
    handlers: fn() -> MethodRouter<Arc<App>>,
}

pub(super) struct Method {
    pub(super) name: &'static str,
}

pub(super) const ROUTES: &[Route] = &[Route {
    path: "/me",
    methods: &[Method { name: "GET" }],
    handlers: || get(me::get),
}];

impl Route {
    /// Its handlers, with the response to other methods.
    pub(super) fn handlers(&'static self) -> MethodRouter<Arc<App>> {
        let allowed: Vec<_> = self.methods.iter().map(|method| method.name).collect();
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
