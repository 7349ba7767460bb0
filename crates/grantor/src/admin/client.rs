//! The commands' side: ask the server that has the store open, or where none does, do it here.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use grantor_core::base::secret::Secret;
use grantor_store::sqlite::OpenError;
use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::{router, socket};
use crate::config::{self, Settings};
use crate::house::House;
use crate::server::StartError;

/// How long a server may take to begin its answer: a password's hash may wait for others.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It was refused, in these words.
    #[error("{0}")]
    Refused(String),
    /// Nothing outlives a server with this store, and nothing reaches it.
    #[error("a store in memory has no commands: declare in the file what shall be there")]
    Memory,
    /// The command needs what is not there.
    #[error("there is no store {} yet: the first start of the server makes it", .0.display())]
    NoStore(PathBuf),
    /// A process has the store, and cannot be asked.
    #[error("{error}, and it cannot be asked: {why}")]
    Unreachable {
        /// Who has the store.
        error: StartError,
        /// What is wrong with its socket.
        why: String,
    },
    /// Somebody else's.
    #[error("the server's socket {} is for its owner only: run this as the user that runs the server", .0.display())]
    Forbidden(PathBuf),
    /// The server went away or hangs.
    #[error("the server did not answer: {0}")]
    Lost(String),
    /// Here, the store cannot be opened.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The system.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// What to do.
#[derive(Debug)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: &'static str,
    /// The body.
    pub body: Content,
    /// Whether it makes sense on a store that nobody used yet.
    pub makes_store: bool,
}

/// What is sent with a request.
#[derive(Debug)]
pub enum Content {
    /// Nothing.
    None,
    /// JSON.
    Json(Json),
    /// `application/x-www-form-urlencoded`, with tokens in it.
    Form(Secret),
}

/// Carries it out, in the server that has the store of `settings` open or here, and hands each line of the answer
/// to `take`.
///
/// # Errors
/// [`Failure`]
pub fn ask(
    settings: &Settings,
    file: &Path,
    ask: Ask,
    take: impl FnMut(Json),
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(anywhere(settings, file, ask, take))
}

async fn anywhere(
    settings: &Settings,
    file: &Path,
    ask: Ask,
    take: impl FnMut(Json),
) -> Result<(), Failure> {
    let store = match &settings.store {
        config::Store::Sqlite(path) => path,
        config::Store::Memory => return Err(Failure::Memory),
        config::Store::Postgres(_) => return Err(StartError::Postgres.into()),
    };
    let why = match connect(store).await? {
        Ok(stream) => return there(stream, ask, take).await,
        Err(why) => why,
    };
    if !ask.makes_store && !store.exists() {
        return Err(Failure::NoStore(store.clone()));
    }
    match House::open(settings).await {
        Ok(house) => here(house, settings, file, ask, take).await,
        Err(error @ StartError::Open(OpenError::InUse { .. })) => {
            Err(Failure::Unreachable { error, why })
        }
        Err(error) => Err(error.into()),
    }
}

/// A connection to the server, or why nobody can be asked.
async fn connect(store: &Path) -> Result<Result<UnixStream, String>, Failure> {
    let path = match socket::path(store) {
        Ok(path) => path,
        Err(error) => return Ok(Err(error.to_string())),
    };
    match UnixStream::connect(&path).await {
        Ok(stream) => Ok(Ok(stream)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                Ok(Err(format!("{}: {error}", path.display())))
            }
            io::ErrorKind::PermissionDenied => Err(Failure::Forbidden(path)),
            _ => Err(error.into()),
        },
    }
}

async fn there(stream: UnixStream, ask: Ask, take: impl FnMut(Json)) -> Result<(), Failure> {
    let lost = |error: hyper::Error| Failure::Lost(error.to_string());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(lost)?;
    // Its errors are those of the request.
    tokio::spawn(connection);
    let answer = timeout(PATIENCE, sender.send_request(request(ask)))
        .await
        .map_err(|_| Failure::Lost(format!("not within {} seconds", PATIENCE.as_secs())))?
        .map_err(lost)?;
    lines(answer.map(Body::new), take).await
}

async fn here(
    house: House,
    settings: &Settings,
    file: &Path,
    ask: Ask,
    take: impl FnMut(Json),
) -> Result<(), Failure> {
    let router = router(house.admin(settings, file));
    let answer = router
        .oneshot(request(ask))
        .await
        .unwrap_or_else(|never| match never {});
    let done = lines(answer, take).await;
    house.close();
    done
}

fn request(ask: Ask) -> Request<Body> {
    let body = match ask.body {
        Content::None => Body::empty(),
        Content::Json(body) => Body::from(body.to_string()),
        Content::Form(form) => Body::from(form.reveal().to_owned()),
    };
    let mut request = Request::new(body);
    *request.method_mut() = ask.method;
    *request.uri_mut() = http::Uri::from_static(ask.path);
    let host = http::HeaderValue::from_static("grantor");
    request.headers_mut().insert(http::header::HOST, host);
    request
}

/// Reads the lines of an answer. A line with an `error` ends it, whatever its status was.
async fn lines(answer: Response<Body>, mut take: impl FnMut(Json)) -> Result<(), Failure> {
    let mut body = answer.into_body();
    let mut rest = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Lost(error.to_string()))?;
        rest.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let line: Json = serde_json::from_slice(&line)
                .map_err(|_| Failure::Lost("its answer is no JSON".to_owned()))?;
            if line.get("error").is_some() {
                let why = line["error_description"].as_str().unwrap_or_default();
                return Err(Failure::Refused(why.to_owned()));
            }
            take(line);
        }
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(Failure::Lost("its answer is cut off".to_owned()))
    }
}
