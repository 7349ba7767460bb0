//! `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::jwks::document;
use crate::app::App;

pub(crate) async fn get(State(app): State<Arc<App>>) -> Response {
    document("application/json", app.snapshot().metadata.clone())
}
