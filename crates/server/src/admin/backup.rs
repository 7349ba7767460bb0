//! `/backup`: a copy of the store, made while it is served.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use futures_util::stream;
use grantor_core::engine::event::{Event, EventKind};
use grantor_store::sqlite::{BackupError, Progress, Sqlite};
use http::{HeaderValue, StatusCode, header};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::spawn_blocking;

use super::api::{AdminRequest as _, Backup, BackupLine};
use super::{Admin, Rejection, line, read};
use crate::cause::Causes;

/// Lines that may wait for the reader of the answer. Further ones are dropped, except for the last, so that a slow reader
/// does not slow the backup down.
const MAX_WAITING: usize = 4;

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new().route(Backup::PATH, post(backup))
}

/// Answers with a line for each step, and one for the end or for what went wrong. A reader that disconnects stops it.
async fn backup(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let wanted: Backup = read(&body)?;
    if !wanted.file.is_absolute() {
        return Err(Rejection::invalid("The file is not an absolute path."));
    }
    let Some(store) = admin.sqlite.clone() else {
        return Err(Rejection::invalid("A store in memory has no backup."));
    };
    let alone = Arc::clone(&admin.one_backup).try_acquire_owned();
    let Ok(alone) = alone else {
        let message = "A backup is being made already.";
        return Err(Rejection::new(StatusCode::CONFLICT, "busy", message));
    };
    let (lines, mut answer) = channel(MAX_WAITING);
    spawn_blocking(move || {
        let last = match copy(&store, &wanted, &lines) {
            Ok(bytes) => {
                tracing::info!(file = %wanted.file.display(), bytes, "made a backup");
                admin.app.record(&Event::new(EventKind::BackedUp));
                line(&BackupLine::Done {
                    file: wanted.file,
                    bytes,
                })
            }
            Err(error) => {
                tracing::warn!(file = %wanted.file.display(), error = %Causes(&error), "backup failed");
                line(&Rejection::failed(Causes(&error).to_string()).body())
            }
        };
        drop(alone);
        // The reader may have disconnected.
        lines.blocking_send(last).ok();
    });
    let lines = stream::poll_fn(move |context| {
        answer
            .poll_recv(context)
            .map(|line| line.map(Ok::<Vec<u8>, Infallible>))
    });
    let mut response = Response::new(Body::from_stream(lines));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn copy(store: &Sqlite, wanted: &Backup, lines: &Sender<Vec<u8>>) -> Result<u64, BackupError> {
    store.backup(
        &wanted.file,
        wanted.replace,
        |Progress { done, total }| match lines.try_send(line(&BackupLine::Progress { done, total }))
        {
            Ok(()) | Err(TrySendError::Full(_)) => ControlFlow::Continue(()),
            Err(TrySendError::Closed(_)) => ControlFlow::Break(()),
        },
    )
}
