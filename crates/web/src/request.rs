//! Extractors for endpoints: the caller with its trace id, and forms.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
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

const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The socket of a request; the server adds it to the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Socket {
    pub(crate) address: SocketAddr,
    pub(crate) tls: bool,
}

impl Socket {
    /// `0.0.0.0` if the request did not come through this crate's server.
    pub(crate) fn from_extensions(extensions: &Extensions) -> Self {
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
    /// From the client's request; preferred over the browser's languages.
    ui_locales: Option<String>,
}

impl Caller {
    pub(crate) fn new(parts: &Parts, headers: HeaderMap, app: &App) -> Self {
        let socket = Socket::from_extensions(&parts.extensions).address;
        let trace = parts.extensions.get::<TraceId>().cloned();
        Self {
            peer: peer::from_request(socket, &headers, &app.proxies),
            trace: trace.unwrap_or_else(|| TraceId::new(&app.seed())),
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

    /// The `Authorization` header. Two of them become an empty one, which no authentication method accepts.
    pub(crate) fn authorization(&self) -> Option<&[u8]> {
        let mut all = self.headers.get_all(header::AUTHORIZATION).into_iter();
        match (all.next(), all.next()) {
            (Some(value), None) => Some(value.as_bytes()),
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

/// A form that was posted, or what is wrong with it: each endpoint reports errors in its own way, as JSON or a page.
pub(crate) struct Form {
    pub(crate) caller: Caller,
    pub(crate) params: Result<Params, FormError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormError {
    TooLarge,
    ContentType,
    /// The connection was closed, or the body timed out.
    Incomplete,
    Params(InvalidParams),
}

impl FormError {
    /// Public, so it must not contain input.
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
        Ok(Self::read(request, app, Params::parse).await)
    }
}

impl Form {
    pub(crate) async fn read(
        request: Request<Body>,
        app: &App,
        parse: fn(&[u8]) -> Result<Params, InvalidParams>,
    ) -> Self {
        let (mut parts, body) = request.into_parts();
        let headers = std::mem::take(&mut parts.headers);
        let caller = Caller::new(&parts, headers, app);
        let bytes = read_body(&caller.headers, body).await;
        let params = bytes.and_then(|bytes| parse(&bytes).map_err(FormError::Params));
        Self { caller, params }
    }
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, FormError> {
    // Refused before reading if the declared length is too large.
    if body.size_hint().lower() > MAX_BYTES as u64 {
        return Err(FormError::TooLarge);
    }
    let collected =
        tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BYTES).collect()).await;
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
    Ok(bytes)
}
