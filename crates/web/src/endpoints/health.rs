//! `GET /healthz`: the process responds. `GET /readyz`: it can serve requests, and its store is available.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::cause::Causes;
use http::StatusCode;
use serde_json::json;

use crate::app::App;
use crate::oauth;

pub(crate) async fn healthz() -> Response {
    oauth::json(StatusCode::OK, &json!({ "status": "ok" }))
}

pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Response {
    if !app.is_ready() {
        return oauth::json(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({ "status": "starting" }),
        );
    }
    match app.store().check(app.now()).await {
        Ok(health) if health.is_ready() => {
            oauth::json(StatusCode::OK, &json!({ "status": "ready" }))
        }
        Ok(health) => {
            tracing::error!(target: "grantor::failure", skew = ?health.clock_skew, "the store's clock differs from the server's");
            oauth::json(
                StatusCode::SERVICE_UNAVAILABLE,
                &json!({ "status": "clock of the store" }),
            )
        }
        Err(error) => {
            tracing::error!(target: "grantor::failure", reason = %Causes(&error), "the store is not ready");
            oauth::json(
                StatusCode::SERVICE_UNAVAILABLE,
                &json!({ "status": "store unavailable" }),
            )
        }
    }
}
