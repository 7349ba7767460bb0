//! A request to the API: who sent it, by what it is admitted, and its body.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts as _, RawPathParams};
use grantor_core::base::secret::Secret;
use grantor_core::engine::drive::Outcome;
use grantor_core::manage::{
    Admission, Admitted, ApiCode, ApiOperation, ApiRefusal, IdempotencyKey, IfMatch,
};
use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::app::{App, Unavailable};
use crate::request::Caller;

/// The most bytes of a body.
const MAX_BYTES: usize = 256 * 1024;
pub(crate) const JSON: &str = "application/json";
/// RFC 7396.
pub(super) const MERGE_PATCH: &str = "application/merge-patch+json";
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whoever connected to the admin socket, by the user id of the system. The socket adds it to a request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Operator(pub u32);

pub(crate) struct ApiRequest {
    pub(crate) caller: Caller,
    pub(crate) admission: Admission,
    /// The method and the path.
    route: String,
    /// Decoded, in the order of the path.
    path: Vec<(String, String)>,
    body: Result<Bytes, ApiRefusal>,
}

impl FromRequest<Arc<App>> for ApiRequest {
    type Rejection = Infallible;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Infallible> {
        let (mut parts, body) = request.into_parts();
        let path = RawPathParams::from_request_parts(&mut parts, app).await;
        let path = path.map(|path| {
            let path = path.iter();
            path.map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect()
        });
        let mut read = Self::without_body(app, Request::from_parts(parts, Body::empty()));
        read.path = path.unwrap_or_default();
        read.body = read_body(body).await;
        Ok(read)
    }
}

impl ApiRequest {
    pub(super) fn without_body(app: &App, request: Request<Body>) -> Self {
        let (mut parts, _) = request.into_parts();
        let headers = std::mem::take(&mut parts.headers);
        let caller = Caller::new(&parts, headers, app);
        let admission = match parts.extensions.get::<Operator>() {
            Some(Operator(uid)) => Admission::Operator(*uid),
            None => Admission::Header(caller.authorization().map(|header| {
                // What is no text is no token.
                Secret::new(String::from_utf8_lossy(header))
            })),
        };
        Self {
            route: format!("{} {}", parts.method, caller.path()),
            caller,
            admission,
            path: Vec::new(),
            body: Ok(Bytes::new()),
        }
    }

    /// The same request with another body, as a dialect reads it.
    pub(crate) fn with_object(mut self, object: &Map<String, Value>) -> Self {
        // Our own types always serialize.
        self.body = Ok(serde_json::to_vec(object).unwrap_or_default().into());
        let media_type = HeaderValue::from_static(JSON);
        self.caller.headers.insert(header::CONTENT_TYPE, media_type);
        self
    }

    /// Another request of the same caller for the same object.
    pub(crate) fn for_same_object(&self) -> Self {
        Self {
            caller: self.caller.clone(),
            admission: self.admission.clone(),
            route: self.route.clone(),
            path: self.path.clone(),
            body: Ok(Bytes::new()),
        }
    }

    /// The same request, for the version that was read just now.
    pub(crate) fn with_if_match(mut self, etag: HeaderValue) -> Self {
        self.caller.headers.insert(header::IF_MATCH, etag);
        self
    }

    /// A parameter of the path. The route has it.
    pub(crate) fn path(&self, name: &str) -> &str {
        let mut path = self.path.iter();
        let found = path.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &HeaderName) -> Option<&[u8]> {
        let mut values = self.caller.headers.get_all(name).iter();
        let first = values.next()?.as_bytes();
        // Two are not one.
        values.next().is_none().then_some(first)
    }

    /// The condition that a change or deletion must have.
    ///
    /// # Errors
    /// 428 without one, 400 if it is malformed.
    pub(super) fn if_match(&self) -> Result<IfMatch, ApiRefusal> {
        IfMatch::parse(self.header(&header::IF_MATCH))
    }

    /// The key of a POST that may be sent again.
    ///
    /// # Errors
    /// 400 if it is malformed.
    pub(super) fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, ApiRefusal> {
        let body = self.body.as_ref().map_err(Clone::clone)?;
        let values = self.caller.headers.get_all("idempotency-key").iter();
        IdempotencyKey::parse(values.map(HeaderValue::as_bytes), &self.route, body)
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 400, 413 or 415.
    pub(crate) fn object(&self, media_type: &str) -> Result<Map<String, Value>, ApiRefusal> {
        const MALFORMED: &str = "The body is not a JSON object.";
        let body = self.body.as_ref().map_err(Clone::clone)?;
        let given = self.header(&header::CONTENT_TYPE).unwrap_or_default();
        let given = given.split(|b| *b == b';').next().unwrap_or_default();
        if !given
            .trim_ascii()
            .eq_ignore_ascii_case(media_type.as_bytes())
        {
            return Err(ApiRefusal::naming(
                ApiCode::UnsupportedMediaType,
                format!("The content type must be {media_type}."),
            ));
        }
        serde_json::from_slice(body).map_err(|error| {
            // Where, and not what: the body may hold a password.
            let (line, column) = (error.line(), error.column());
            match error.classify() {
                serde_json::error::Category::Data => ApiRefusal::new(ApiCode::Malformed, MALFORMED),
                _ => ApiRefusal::naming(
                    ApiCode::Malformed,
                    format!("The body is not JSON (line {line}, column {column})."),
                ),
            }
        })
    }

    /// The same, where no body at all is an empty object.
    ///
    /// # Errors
    /// As [`Self::object`].
    pub(super) fn optional_object(
        &self,
        media_type: &str,
    ) -> Result<Map<String, Value>, ApiRefusal> {
        match &self.body {
            Ok(body) if body.is_empty() => Ok(Map::new()),
            _ => self.object(media_type),
        }
    }

    /// Runs an operation for the caller.
    pub(crate) async fn run<O>(
        &self,
        app: &Arc<App>,
        operation: O,
    ) -> Result<Outcome<O::Reply, ApiRefusal>, Unavailable>
    where
        O: ApiOperation + Send + 'static,
    {
        let trace = &self.caller.trace;
        let admitted = Admitted::new(&self.admission, trace.as_str(), operation);
        app.run_traced(admitted, trace).await
    }
}

async fn read_body(body: Body) -> Result<Bytes, ApiRefusal> {
    const TOO_LARGE: ApiRefusal =
        ApiRefusal::new(ApiCode::TooLarge, "The body is larger than 256 KiB.");
    if body.size_hint().lower() > MAX_BYTES as u64 {
        return Err(TOO_LARGE);
    }
    let collected = Limited::new(body, MAX_BYTES).collect();
    match tokio::time::timeout(BODY_TIMEOUT, collected).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(TOO_LARGE),
        Ok(Err(_)) | Err(_) => Err(ApiRefusal::new(
            ApiCode::Malformed,
            "The body did not arrive whole.",
        )),
    }
}
