//! `/reload`: takes the changed configuration file.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};

use super::api::{AdminRequest as _, Reload};
use super::{Admin, Rejection, line, read};
use crate::cause::Causes;

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new().route(Reload::PATH, post(reload))
}

/// The head of the answer comes at once: hashing the passwords of many new users takes longer than a command waits for it.
/// The work is a task of its own: a command that disconnects must not stop it halfway.
async fn reload(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let wanted: Reload = read(&body)?;
    let Some(reloader) = admin.reloader.clone() else {
        let message = "No server has this store open: the next start reads the file.";
        return Err(Rejection::new(StatusCode::CONFLICT, "no_server", message));
    };
    let done = tokio::spawn(async move { reloader.reload(wanted).await });
    let answer = stream::once(async {
        let last = match done.await {
            Ok(Ok(reloaded)) => line(&reloaded),
            Ok(Err(error)) => line(&Rejection::invalid(Causes(&error).to_string()).body()),
            Err(error) => line(&Rejection::failed(error.to_string()).body()),
        };
        Ok::<Vec<u8>, Infallible>(last)
    });
    let mut response = Response::new(Body::from_stream(answer));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
