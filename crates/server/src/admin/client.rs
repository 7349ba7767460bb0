//! Asks the server that has the store open, or, where none runs, does in this process what is asked.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use grantor_config::{Settings, Store};
use grantor_store::sqlite::OpenError;
use grantor_web::api as web_api;
use http::header::{CONTENT_TYPE, ETAG, HOST, IF_MATCH};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use serde::Deserialize as _;
use serde_json::Value as Json;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::api::{AdminRequest, ApiProblem, Problem};
use super::{router, socket};
use crate::cause::Causes;
use crate::installation::Installation;
use crate::run::StartError;
use grantor_core::manage::NO_SUCH_OBJECT;

/// How long a server may take to begin its answer: hashing a password may have to wait for others.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The server, or its code in this process, refused.
    #[error("{0}")]
    Refused(String),
    /// The API has no object at that path.
    #[error("There is no such object.")]
    NotFound,
    /// A store in memory ends with its server, which has no socket.
    #[error("a store in memory has no commands: declare in the file what it should hold")]
    Memory,
    /// Likewise, for a command that only a server can carry out.
    #[error("a store in memory has no admin socket: send SIGHUP to the server")]
    MemoryOfServer,
    /// The command needs an existing store.
    #[error("there is no store {} yet: the first start of the server creates it", .0.display())]
    NoStore(PathBuf),
    /// No server runs, or the one that runs has another store than the file names now.
    #[error(
        "no server answers for the store {}: the next start reads the file. If you changed `store`, restart the server, \
         or reload by SIGHUP",
        .0.display()
    )]
    NoServer(PathBuf),
    /// A process has the store open, and its socket does not work.
    #[error(
        "the process that has the store cannot be asked: {why}; it may still be starting: try again"
    )]
    Unreachable {
        /// Which process has the store.
        source: StartError,
        /// What is wrong with the socket.
        why: String,
    },
    /// The socket is another user's.
    #[error("the server's socket {} is for its owner only: run this as the user that runs the server", .0.display())]
    Forbidden(PathBuf),
    /// The server ended the connection or does not respond.
    #[error("the server did not answer")]
    Lost(#[source] LostError),
    /// The store cannot be opened in this process.
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What happened to the answer of a server.
#[derive(Debug, thiserror::Error)]
pub enum LostError {
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// The body ended with an error.
    #[error(transparent)]
    Body(#[from] axum::Error),
    #[error("no response within {} seconds", TIMEOUT.as_secs())]
    Timeout,
    #[error("the answer is not JSON")]
    NotJson,
    /// The last line has no end.
    #[error("the answer is cut off")]
    CutOff,
}

pub struct Line<A> {
    /// As it was sent.
    pub json: Json,
    /// None where a server of another version answers otherwise.
    pub answer: Option<A>,
}

/// Carries `request` out, in the server that has the store of `settings` open or in this process, and hands each line of
/// the answer to `take`. `file` is where the settings were read from.
///
/// # Errors
/// [`AdminError`]
pub fn ask<R: AdminRequest>(
    settings: &Settings,
    file: &Path,
    request: &R,
    take: impl FnMut(Line<R::Answer>),
) -> Result<(), AdminError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(ask_anywhere(settings, file, request, take))
}

async fn ask_anywhere<R: AdminRequest>(
    settings: &Settings,
    file: &Path,
    request: &R,
    take: impl FnMut(Line<R::Answer>),
) -> Result<(), AdminError> {
    match place(settings, R::NEEDS_SERVER, R::CREATES_STORE).await? {
        Place::Server(stream) => ask_server(stream, request, take).await,
        Place::Here(installation) => ask_here(*installation, file, request, take).await,
    }
}

/// Where a request is carried out.
enum Place {
    Server(UnixStream),
    /// In this process.
    Here(Box<Installation>),
}

async fn place(
    settings: &Settings,
    needs_server: bool,
    creates_store: bool,
) -> Result<Place, AdminError> {
    let store = match &settings.store {
        Store::Sqlite(path) => path,
        Store::Memory if needs_server => return Err(AdminError::MemoryOfServer),
        Store::Memory => return Err(AdminError::Memory),
        Store::Postgres(_) => return Err(StartError::postgres(settings).into()),
    };
    let why = match connect(store).await? {
        Ok(stream) => return Ok(Place::Server(stream)),
        Err(why) => why,
    };
    if !store.exists() {
        if needs_server {
            return Err(AdminError::NoServer(store.clone()));
        }
        if !creates_store {
            return Err(AdminError::NoStore(store.clone()));
        }
    }
    match Installation::open(settings).await {
        Ok(_) if needs_server => Err(AdminError::NoServer(store.clone())),
        Ok(installation) => Ok(Place::Here(Box::new(installation))),
        Err(source @ StartError::Open(OpenError::InUse { .. })) => {
            Err(AdminError::Unreachable { source, why })
        }
        Err(error) => Err(error.into()),
    }
}

/// A request to the management API.
#[derive(Clone, Debug)]
pub struct ApiCall {
    pub method: Method,
    /// Below `/api/v1`, encoded.
    pub path: String,
    pub body: Option<Json>,
    /// The version that it changes.
    pub if_match: Option<String>,
}

#[derive(Debug)]
pub struct ApiReply {
    pub etag: Option<String>,
    /// Null where there is none.
    pub body: Json,
}

/// Asks the management API as the operator, in the server that has the store open or in this process.
///
/// # Errors
/// [`AdminError`]; what the API refuses, with its reasons.
pub fn call(settings: &Settings, file: &Path, call: &ApiCall) -> Result<ApiReply, AdminError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let creates_store = call.method == Method::POST;
        match place(settings, false, creates_store).await? {
            Place::Server(stream) => {
                let answer = send(stream, api_request(call)).await;
                reply(answer.map_err(AdminError::Lost)?).await
            }
            Place::Here(installation) => {
                let router = router(installation.admin(file, None));
                let answer = router.oneshot(api_request(call)).await;
                let answer = answer.unwrap_or_else(|never| match never {});
                let done = reply(answer).await;
                installation.close();
                done
            }
        }
    })
}

fn api_request(call: &ApiCall) -> Request<Body> {
    let body = call.body.as_ref().map(ToString::to_string);
    let mut request = Request::new(body.map_or_else(Body::empty, Body::from));
    *request.method_mut() = call.method.clone();
    // The paths are encoded.
    *request.uri_mut() =
        Uri::try_from(format!("{}{}", web_api::PATH, call.path)).unwrap_or_default();
    let media_type = match call.method {
        Method::PATCH => "application/merge-patch+json",
        _ => "application/json",
    };
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static("grantor"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    let etag = call.if_match.as_deref();
    if let Some(Ok(etag)) = etag.map(HeaderValue::try_from) {
        headers.insert(IF_MATCH, etag);
    }
    request
}

async fn reply(answer: Response<Body>) -> Result<ApiReply, AdminError> {
    let is_success = answer.status().is_success();
    let etag = answer.headers().get(ETAG);
    let etag = etag.and_then(|etag| Some(etag.to_str().ok()?.to_owned()));
    let body = answer.into_body().collect().await;
    let body = body.map_err(|error| AdminError::Lost(error.into()))?;
    let body = match &*body.to_bytes() {
        b"" => Json::Null,
        bytes => serde_json::from_slice(bytes).map_err(|_| AdminError::Lost(LostError::NotJson))?,
    };
    match is_success {
        true => Ok(ApiReply { etag, body }),
        false => Err(match ApiProblem::deserialize(&body) {
            Ok(problem) => refused(&problem),
            Err(_) => AdminError::Refused(body.to_string()),
        }),
    }
}

fn refused(problem: &ApiProblem) -> AdminError {
    match problem.detail.as_str() {
        // Commands say what they looked for; of some objects the API says more.
        NO_SUCH_OBJECT if problem.code == "not_found" => AdminError::NotFound,
        _ => AdminError::Refused(problem.message()),
    }
}

/// A connection to the server, or why there is none.
async fn connect(store: &Path) -> Result<Result<UnixStream, String>, AdminError> {
    let path = match socket::path(store) {
        Ok(path) => path,
        Err(error) => return Ok(Err(Causes(&error).to_string())),
    };
    match UnixStream::connect(&path).await {
        Ok(stream) => Ok(Ok(stream)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                Ok(Err(format!("{}: {error}", path.display())))
            }
            io::ErrorKind::PermissionDenied => Err(AdminError::Forbidden(path)),
            _ => Err(error.into()),
        },
    }
}

async fn ask_server<R: AdminRequest>(
    stream: UnixStream,
    request: &R,
    take: impl FnMut(Line<R::Answer>),
) -> Result<(), AdminError> {
    let answer = send(stream, http_request(request)).await;
    let answer = answer.map_err(AdminError::Lost)?;
    read_lines(answer, take).await
}

async fn send(stream: UnixStream, request: Request<Body>) -> Result<Response<Body>, LostError> {
    let stream = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    // Its errors are those of the request.
    tokio::spawn(connection);
    let sent = timeout(TIMEOUT, sender.send_request(request));
    let answer = sent.await.map_err(|_| LostError::Timeout)??;
    Ok(answer.map(Body::new))
}

async fn ask_here<R: AdminRequest>(
    installation: Installation,
    file: &Path,
    request: &R,
    take: impl FnMut(Line<R::Answer>),
) -> Result<(), AdminError> {
    let router = router(installation.admin(file, None));
    let answer = router
        .oneshot(http_request(request))
        .await
        .unwrap_or_else(|never| match never {});
    let done = read_lines(answer, take).await;
    installation.close();
    done
}

fn http_request<R: AdminRequest>(request: &R) -> Request<Body> {
    let mut http = Request::new(Body::from(request.body()));
    *http.method_mut() = R::METHOD;
    // The requests make no other addresses than valid ones.
    *http.uri_mut() = Uri::try_from(&*request.target()).unwrap_or_default();
    let host = HeaderValue::from_static("grantor");
    http.headers_mut().insert(HOST, host);
    http
}

/// Reads an answer line by line. A problem ends it, whatever the status is.
async fn read_lines<A: serde::de::DeserializeOwned>(
    answer: Response<Body>,
    mut take: impl FnMut(Line<A>),
) -> Result<(), AdminError> {
    let mut body = answer.into_body();
    let mut rest = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| AdminError::Lost(error.into()))?;
        rest.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let json =
                serde_json::from_slice(&line).map_err(|_| AdminError::Lost(LostError::NotJson))?;
            take(read_line(json)?);
        }
    }
    if rest.is_empty() {
        return Ok(());
    }
    // The API's answers have no line break at their end.
    match serde_json::from_slice(&rest) {
        Ok(json @ Json::Object(_)) => {
            take(read_line(json)?);
            Ok(())
        }
        _ => Err(AdminError::Lost(LostError::CutOff)),
    }
}

fn read_line<A: serde::de::DeserializeOwned>(json: Json) -> Result<Line<A>, AdminError> {
    if let Ok(problem) = Problem::deserialize(&json) {
        return Err(AdminError::Refused(problem.error_description));
    }
    if let Ok(problem) = ApiProblem::deserialize(&json) {
        return Err(refused(&problem));
    }
    let answer = A::deserialize(&json).ok();
    Ok(Line { json, answer })
}
