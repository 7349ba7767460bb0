//! The floor: a bare handler on the same HTTP stack. It reads the same form, decides nothing, and answers with as many
//! bytes as a token response.

use std::net::SocketAddr;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::header;
use tokio::net::TcpListener;

use crate::Result;

/// The path of the form.
pub(crate) const FORM: &str = "/form";
/// The path of the document.
pub(crate) const DOCUMENT: &str = "/document";
/// As long as a token response with an ES256 token.
const ANSWER: &str = concat!(
    r#"{"access_token":""#,
    "eyJhbGciOiJFUzI1NiIsImtpZCI6ImFiY2RlZmdoIiwidHlwIjoiYXQrand0In0.eyJpc3MiOiJodHRwOi8vMTI3LjAuMC4xOjgwODAiLCJzdWIi",
    "OiJtYWNoaW5lIiwiYXVkIjoib3JkZXJzIiwiZXhwIjoxNzAwMDAwNjAwLCJpYXQiOjE3MDAwMDAwMDAsImp0aSI6IjAwMTEyMjMzNDQ1NTY2Nzci",
    "fQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    r#"","token_type":"Bearer","expires_in":600,"scope":"orders/read"}"#
);

/// Serves until the process is killed.
pub(crate) fn serve(listen: SocketAddr) -> Result<()> {
    let router = Router::new()
        .route(
            FORM,
            post(async |body: Bytes| {
                std::hint::black_box(body);
                answer()
            }),
        )
        .route(DOCUMENT, get(async || answer()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await?;
        Ok(axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| {
                stream.set_nodelay(true).ok();
            }),
            router,
        )
        .await?)
    })
}

fn answer() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, ANSWER).into_response()
}
