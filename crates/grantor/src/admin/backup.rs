//! `/backup`: a copy of the store, made while it is served.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::PathBuf;
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
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::spawn_blocking;

use super::{Admin, Refused, read};

/// Lines that wait for who reads the answer. More are left out, but for the last: a slow reader slows nothing.
const WAITING: usize = 4;

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new().route("/backup", post(backup))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// An absolute path, of the server's machine.
    file: PathBuf,
    /// Whether an earlier backup may be there.
    #[serde(default)]
    replace: bool,
}

/// Answers with a line for each step, and one for the end or what went wrong. Who goes away stops it.
async fn backup(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Refused> {
    let wanted: Wanted = read(&body)?;
    if !wanted.file.is_absolute() {
        return Err(Refused::invalid("The file is not an absolute path."));
    }
    let Some(store) = admin.sqlite.clone() else {
        return Err(Refused::invalid("A store in memory has no backup."));
    };
    let alone = Arc::clone(&admin.one_backup).try_acquire_owned();
    let Ok(alone) = alone else {
        let message = "A backup is being made already.";
        return Err(Refused::new(StatusCode::CONFLICT, "busy", message));
    };
    let (lines, mut answer) = channel(WAITING);
    spawn_blocking(move || {
        let last = match copy(&store, &wanted, &lines) {
            Ok(bytes) => {
                tracing::info!(file = %wanted.file.display(), bytes, "made a backup");
                admin.app.record(&Event::new(EventKind::BackedUp));
                json!({ "file": wanted.file, "bytes": bytes })
            }
            Err(error) => {
                tracing::warn!(file = %wanted.file.display(), %error, "no backup");
                Refused::failed(error.to_string()).body()
            }
        };
        drop(alone);
        // Nobody may be reading any more.
        lines.blocking_send(last).ok();
    });
    let lines = stream::poll_fn(move |context| {
        answer
            .poll_recv(context)
            .map(|line| line.map(|line: Json| Ok::<_, Infallible>(format!("{line}\n"))))
    });
    let mut response = Response::new(Body::from_stream(lines));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn copy(store: &Sqlite, wanted: &Wanted, lines: &Sender<Json>) -> Result<u64, BackupError> {
    store.backup(
        &wanted.file,
        wanted.replace,
        |Progress { done, total }| match lines.try_send(json!({ "done": done, "total": total })) {
            Ok(()) | Err(TrySendError::Full(_)) => ControlFlow::Continue(()),
            Err(TrySendError::Closed(_)) => ControlFlow::Break(()),
        },
    )
}
