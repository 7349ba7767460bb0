//! What the operator's commands do: JSON over HTTP, on a Unix socket beside the store while a server runs.
//!
//! Whoever may open the socket, its owner, may do everything here. A command asks the socket; only where nobody
//! answers it opens the store itself, under its lock, and asks the same router. So there is one way to do each thing.

mod backup;
pub mod client;
mod exchange;
mod keys;
pub mod socket;
mod users;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use grantor_core::engine::decide::Operation;
use grantor_core::records::Username;
use grantor_store::sqlite::Sqlite;
use grantor_store::{Store, StoreError};
use grantor_web::{App, Unavailable};
use http::{StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;

use crate::config::Settings;
use crate::key_ring::KeyRing;

/// What the commands work on.
pub struct Admin {
    app: Arc<App>,
    store: Arc<dyn Store>,
    keys: Arc<KeyRing>,
    sqlite: Option<Arc<Sqlite>>,
    /// One backup at a time.
    one_backup: Arc<Semaphore>,
    file: PathBuf,
    /// The names of the file's users, as they are compared.
    declared: HashSet<String>,
}

impl Admin {
    pub(crate) fn new(
        app: Arc<App>,
        store: Arc<dyn Store>,
        keys: Arc<KeyRing>,
        sqlite: Option<Arc<Sqlite>>,
        settings: &Settings,
        file: &Path,
    ) -> Self {
        let names = settings.users.iter();
        Self {
            app,
            store,
            keys,
            sqlite,
            one_backup: Arc::new(Semaphore::new(1)),
            file: file.to_owned(),
            declared: names.map(|user| Username::fold(&user.username)).collect(),
        }
    }

    async fn run<O>(&self, operation: O) -> Result<O::Reply, Refused>
    where
        O: Operation + Send + 'static,
        O::Reply: Send + 'static,
    {
        let outcome = self.app.run(operation).await?;
        outcome
            .reply
            .map_err(|refusal| Refused::failed(refusal.description))
    }

    fn declares(&self, username: &str) -> bool {
        self.declared.contains(&Username::fold(username))
    }
}

/// Every path, with what answers it.
pub fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .merge(keys::routes())
        .merge(users::routes())
        .merge(backup::routes())
        .merge(exchange::routes())
        .fallback(async || {
            Refused::new(StatusCode::NOT_FOUND, "not_found", "There is no such path.")
        })
        .method_not_allowed_fallback(async || {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Refused::new(status, "method_not_allowed", "The path has another method.")
        })
        .with_state(admin)
}

/// Why something was not done.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    error: &'static str,
    message: String,
}

impl Refused {
    fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            error,
            message: message.into(),
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    fn failed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    }

    fn body(&self) -> Json {
        json!({ "error": self.error, "error_description": self.message })
    }
}

impl From<Unavailable> for Refused {
    fn from(error: Unavailable) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::failed(error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        answer(self.status, &self.body())
    }
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    // Our own types always serialise. A line of its own, for who reads it with curl.
    let mut body = serde_json::to_vec(body).unwrap_or_default();
    body.push(b'\n');
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (status, headers, Body::from(body)).into_response()
}

/// The request's JSON.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    // Its position only: the body may hold a password.
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Refused::invalid(format!(
            "The body is not the JSON that is expected (line {line}, column {column})."
        ))
    })
}
