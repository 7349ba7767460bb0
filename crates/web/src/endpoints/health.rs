//! `GET /healthz`: the process responds. `GET /readyz`: it can serve requests, and its store is available.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::cause::Causes;
use http::StatusCode;
use serde_json::json;

use crate::app::App;
use crate::oauth;

fn answer(status: StatusCode, text: &str) -> Response {
    oauth::json(status, &json!({ "status": text }))
}

pub(crate) async fn healthz() -> Response {
    answer(StatusCode::OK, "ok")
}

pub(crate) fn not_serving(app: &App) -> Response {
    let why = if app.is_ready() {
        "what is managed"
    } else {
        "starting"
    };
    answer(StatusCode::SERVICE_UNAVAILABLE, why)
}

pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Response {
    // On the listener for operators, which answers before the server is ready.
    if !app.is_ready() || !app.is_config_current() {
        return not_serving(&app);
    }
    match app.store().check(app.now()).await {
        Ok(health) if health.is_ready() => answer(StatusCode::OK, "ready"),
        Ok(health) => {
            tracing::error!(target: "grantor::failure", skew = ?health.clock_skew, "the store's clock differs from the server's");
            answer(StatusCode::SERVICE_UNAVAILABLE, "clock of the store")
        }
        Err(error) => {
            tracing::error!(target: "grantor::failure", reason = %Causes(&error), "the store is not ready");
            answer(StatusCode::SERVICE_UNAVAILABLE, "store unavailable")
        }
    }
}
