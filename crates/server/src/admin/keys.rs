//! `/keys`: the signing keys and the master keys.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use super::api::{AdminRequest as _, ListKeys, RotateKeys};
use super::{Admin, Rejection, answer};
use crate::cause::Causes;

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new()
        .route(ListKeys::PATH, get(list))
        .route(RotateKeys::PATH, post(rotate))
}

async fn list(State(admin): State<Arc<Admin>>) -> Response {
    answer(StatusCode::OK, &admin.keys.list().await)
}

async fn rotate(State(admin): State<Arc<Admin>>) -> Result<Response, Rejection> {
    // In a separate task: a command that disconnects must not stop it between the commit and the use of the keys.
    let keys = Arc::clone(&admin.keys);
    let rotated = tokio::spawn(async move { keys.rotate_now().await }).await;
    match rotated {
        Ok(Ok(rotated)) => Ok(answer(StatusCode::OK, &rotated)),
        Ok(Err(error)) => Err(Rejection::failed(Causes(&error).to_string())),
        Err(error) => Err(Rejection::failed(error.to_string())),
    }
}
