//! What every endpoint knows of a request: who sent it, its trace id, its form.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, FromRequestParts};
use grantor_core::base::params::{InvalidParams, MAX_BYTES, Params};
use grantor_core::base::peer::Peer;
use http::request::Parts;
use http::{Extensions, HeaderMap, Request, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::app::App;
use crate::locale::Locale;
use crate::peer;
use crate::trace::TraceId;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The socket that a request came by, put into it by the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Socket {
    /// Whose it is.
    pub(crate) address: SocketAddr,
    /// Whether TLS is spoken on it.
    pub(crate) tls: bool,
}

impl Socket {
    /// Our server puts one into every request; without it, nothing is known of the peer.
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            tls: false,
        })
    }
}

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) peer: Peer,
    pub(crate) trace: TraceId,
    pub(crate) headers: HeaderMap,
    uri: Uri,
    /// Languages that the client prefers for its user.
    ui_locales: Option<String>,
}

impl Caller {
    fn new(parts: &Parts, headers: HeaderMap, app: &App) -> Self {
        let socket = Socket::of(&parts.extensions).address;
        let trace = parts.extensions.get::<TraceId>().cloned();
        Self {
            peer: peer::of(socket, &headers, &app.proxies),
            trace: trace.unwrap_or_else(|| TraceId::of(&headers, &app.seed())),
            headers,
            uri: parts.uri.clone(),
            ui_locales: None,
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// The `Authorization` header; of two, none, which no method accepts.
    pub(crate) fn authorization(&self) -> Option<&[u8]> {
        let mut all = self.headers.get_all(header::AUTHORIZATION).into_iter();
        match (all.next(), all.next()) {
            (Some(only), None) => Some(only.as_bytes()),
            (Some(_), Some(_)) => Some(b""),
            (None, _) => None,
        }
    }

    /// OpenID Connect Core section 3.1.2.1, `ui_locales`: "End-User's preferred languages and scripts".
    pub(crate) fn prefer_locales(&mut self, ui_locales: Option<&str>) {
        self.ui_locales = ui_locales.map(ToOwned::to_owned);
    }

    pub(crate) fn locale(&self) -> Locale {
        let accepted = self.headers.get(header::ACCEPT_LANGUAGE);
        let accepted = accepted.and_then(|value| value.to_str().ok());
        Locale::prefer(self.ui_locales.as_deref(), accepted)
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::new(parts, parts.headers.clone(), app))
    }
}

/// A POST with a form, or why it is none. The endpoint answers in its own way: JSON or a page.
pub(crate) struct Form {
    pub(crate) caller: Caller,
    pub(crate) params: Result<Params, FormError>,
}

/// Why a body is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormError {
    /// Larger than any form of ours.
    TooLarge,
    /// Not `application/x-www-form-urlencoded`.
    ContentType,
    /// It did not arrive whole, or not in time.
    Incomplete,
    /// Its parameters cannot be read.
    Params(InvalidParams),
}

impl FormError {
    /// A public text without input.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::TooLarge => "The request body is too large.",
            Self::ContentType => "The content type must be application/x-www-form-urlencoded.",
            Self::Incomplete => "The request body did not arrive whole.",
            Self::Params(InvalidParams::TooLarge) => {
                "The request has too many or too long parameters."
            }
            Self::Params(InvalidParams::Encoding) => "The parameters are not form-encoded UTF-8.",
            Self::Params(InvalidParams::Control) => "A parameter holds a control character.",
            Self::Params(InvalidParams::Duplicate) => "A parameter is included more than once.",
        }
    }
}

impl FromRequest<Arc<App>> for Form {
    type Rejection = Infallible;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Infallible> {
        let (mut parts, body) = request.into_parts();
        let headers = std::mem::take(&mut parts.headers);
        let caller = Caller::new(&parts, headers, app);
        let params = read(&caller.headers, body).await;
        Ok(Self { caller, params })
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Params, FormError> {
    // What says that it is too large is not waited for.
    if body.size_hint().lower() > MAX_BYTES as u64 {
        return Err(FormError::TooLarge);
    }
    let collected = tokio::time::timeout(BODY_TIME, Limited::new(body, MAX_BYTES).collect()).await;
    let bytes = match collected {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(FormError::TooLarge),
        Ok(Err(_)) | Err(_) => return Err(FormError::Incomplete),
    };
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    // RFC 6749 section 4.4.2 and its like: parameters "using the application/x-www-form-urlencoded format".
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") && !bytes.is_empty() {
        return Err(FormError::ContentType);
    }
    Params::parse(&bytes).map_err(FormError::Params)
}
