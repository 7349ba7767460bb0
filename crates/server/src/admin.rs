//! The admin socket: what the operator's commands do, as JSON over HTTP on a Unix socket next to the store.
//!
//! Anyone who can open the socket, which only its owner can, may do everything here. A command asks the socket; where no
//! server answers, it opens the store itself, under its lock, and asks the same router. So each command has one
//! implementation.

pub mod api;
mod backup;
pub mod client;
mod exchange;
mod keys;
mod reload;
pub mod socket;
mod users;

pub use users::{CHANGE_PASSWORD_THERE, declared_message};

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use grantor_core::engine::decide::Operation;
use grantor_core::records::Username;
use grantor_store::StoreError;
use grantor_store::sqlite::Sqlite;
use grantor_web::api::Operator;
use grantor_web::{App, Unavailable};
use http::{StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::cause::Causes;
use crate::key_ring::KeyRing;
use crate::realm_owner::RealmOwner;
use crate::reload::Reloader;
use api::Problem;
use socket::PeerUid;

pub struct Admin {
    pub(crate) app: Arc<App>,
    pub(crate) owner: Arc<RealmOwner>,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) sqlite: Option<Arc<Sqlite>>,
    /// Permits one backup at a time.
    pub(crate) one_backup: Arc<Semaphore>,
    pub(crate) file: PathBuf,
    /// None where a command does all in its own process.
    pub(crate) reloader: Option<Arc<Reloader>>,
}

impl Admin {
    async fn run<O>(&self, operation: O) -> Result<O::Reply, Rejection>
    where
        O: Operation<Refused = Infallible> + Send + 'static,
    {
        let Ok(reply) = self.app.run(operation).await?.reply;
        Ok(reply)
    }

    /// Whether the file declared the user, does so no longer, and the user was not pruned.
    fn keeps(&self, username: &str) -> bool {
        self.owner.keeps_user(&Username::fold(username))
    }

    /// Whether a user of the file has the name, or one that the file declared and that was not pruned.
    fn declares(&self, username: &str) -> bool {
        let (settings, folded) = (self.owner.settings(), Username::fold(username));
        let mut users = settings.users.iter();
        users.any(|user| Username::fold(user.username.as_str()) == folded)
    }
}

pub fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .merge(keys::routes())
        .merge(users::routes())
        .merge(backup::routes())
        .merge(exchange::routes())
        .merge(reload::routes())
        .merge(grantor_web::api::for_operator(Arc::clone(&admin.app)))
        .fallback(async || {
            Rejection::new(StatusCode::NOT_FOUND, "not_found", "There is no such path.")
        })
        .method_not_allowed_fallback(async || {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Rejection::new(status, "method_not_allowed", "The path has another method.")
        })
        .with_state(admin)
        .layer(middleware::from_fn(name_operator))
}

/// Who connected. A command that does all in its own process is its own operator.
async fn name_operator(mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<PeerUid>>();
    let uid = peer.map(|ConnectInfo(PeerUid(uid))| *uid);
    let own = || rustix::process::getuid().as_raw();
    let uid = uid.unwrap_or_else(own);
    request.extensions_mut().insert(Operator(uid));
    next.run(request).await
}

#[derive(Debug)]
struct Rejection {
    status: StatusCode,
    error: &'static str,
    message: String,
}

impl Rejection {
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

    fn body(&self) -> Problem {
        Problem {
            error: self.error.to_owned(),
            error_description: self.message.clone(),
        }
    }
}

impl From<Unavailable> for Rejection {
    fn from(error: Unavailable) -> Self {
        Self::failed(Causes(&error).to_string())
    }
}

impl From<StoreError> for Rejection {
    fn from(error: StoreError) -> Self {
        Self::failed(Causes(&error).to_string())
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        answer(self.status, &self.body())
    }
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (status, headers, Body::from(line(body))).into_response()
}

/// JSON with a line break, also for those who read it with curl.
fn line(body: &impl Serialize) -> Vec<u8> {
    // Our own types always serialise.
    let mut line = serde_json::to_vec(body).unwrap_or_default();
    line.push(b'\n');
    line
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Rejection> {
    // Only the position of the error: the body may hold a password.
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Rejection::invalid(format!(
            "The body is not the JSON that is expected (line {line}, column {column})."
        ))
    })
}
