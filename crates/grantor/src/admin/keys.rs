//! `/keys`: what signs and seals.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use super::{Admin, Refused, answer};

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new()
        .route("/keys", get(list))
        .route("/keys/rotate", post(rotate))
}

async fn list(State(admin): State<Arc<Admin>>) -> Response {
    answer(StatusCode::OK, &admin.keys.list().await)
}

async fn rotate(State(admin): State<Arc<Admin>>) -> Result<Response, Refused> {
    // As a task of its own: a command that goes away does not stop it between the commit and its use.
    let keys = Arc::clone(&admin.keys);
    let rotated = tokio::spawn(async move { keys.rotate_now().await }).await;
    match rotated {
        Ok(Ok(rotated)) => Ok(answer(StatusCode::OK, &rotated)),
        Ok(Err(error)) => Err(Refused::failed(error.to_string())),
        Err(error) => Err(Refused::failed(error.to_string())),
    }
}
