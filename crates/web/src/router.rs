//! Routes requests to the endpoints.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{FromRequestParts as _, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use futures_util::future::{BoxFuture, Either};
use grantor_core::model::endpoint::{CrossOrigin, Endpoint, EndpointKind};
use http::header::{RETRY_AFTER, STRICT_TRANSPORT_SECURITY};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use tower::Service;

use crate::api;
use crate::app::App;
use crate::context;
use crate::cors;
use crate::dialects;
use crate::endpoints;
use crate::metrics;
use crate::oauth;
use crate::peer;
use crate::request::{Caller, Socket};
use crate::trace::{self, TraceId};

/// RFC 6797, for a year. The issuer is https, so no one reaches it by plain HTTP anyway.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The service for all requests. It adds the trace id to request and response, and records metrics.
///
/// It wraps the routes because an axum layer would cost three allocations per request.
#[derive(Clone)]
pub struct Router {
    app: Arc<App>,
    routes: axum::Router,
    /// The issuer's, which stays.
    path: String,
    /// The path of the management API.
    api: String,
    /// Whether browsers may remember that the issuer's host speaks TLS.
    uses_hsts: bool,
}

impl Router {
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let routes = routes(Arc::clone(&app));
        let snapshot = app.snapshot();
        Self {
            uses_hsts: uses_hsts(&snapshot.realm.issuer),
            api: format!("{}{}/", snapshot.site.path, api::PATH),
            path: snapshot.site.path.clone(),
            app,
            routes,
        }
    }
}

impl Service<Request> for Router {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let start = Instant::now();
        let endpoint = metrics::endpoint_for_path(request.uri().path(), &self.path);
        let trace = TraceId::new(&self.app.seed());
        let header = HeaderValue::try_from(trace.as_str());
        #[cfg(feature = "spans")]
        let span = crate::span::PendingSpan::new(&self.app, endpoint, &trace, &request);
        request.extensions_mut().insert(trace);
        let app = Arc::clone(&self.app);
        let sends_hsts = self.uses_hsts && Socket::from_extensions(request.extensions()).tls;
        let serves = app.is_ready() && app.is_config_current();
        let response = match serves || endpoint == Some(Endpoint::Healthz) {
            true => Either::Left(self.routes.call(request)),
            false => {
                let is_api = request.uri().path().starts_with(&self.api);
                Either::Right(starting(Arc::clone(&app), endpoint, is_api, request))
            }
        };
        Box::pin(async move {
            let mut response = response.await?;
            let headers = response.headers_mut();
            if let Ok(value) = header {
                headers.insert(HeaderName::from_static(trace::HEADER), value);
            }
            if sends_hsts {
                headers.insert(STRICT_TRANSPORT_SECURITY, HSTS);
            }
            app.metrics
                .record_response(endpoint, response.status(), start.elapsed());
            #[cfg(feature = "spans")]
            if let Some(span) = span {
                span.finish(&response, start.elapsed());
            }
            Ok(response)
        })
    }
}

/// Not for localhost, whose other ports speak plain HTTP; browsers ignore it for addresses.
fn uses_hsts(issuer: &str) -> bool {
    let issuer = url::Url::parse(issuer);
    issuer.is_ok_and(|issuer| match issuer.host() {
        Some(url::Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
        _ => false,
    })
}

/// The response to everything but `/healthz` before the server is ready: until the users of the file are in the store, a
/// right password would be refused as a wrong one. And where a node of several could not ask for a while what others changed.
async fn starting(
    app: Arc<App>,
    endpoint: Option<Endpoint>,
    is_api: bool,
    request: Request,
) -> Result<Response, Infallible> {
    let mut response = match is_api {
        true => api::starting(&app, request),
        false => starting_of(&app, endpoint, request).await?,
    };
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    Ok(response)
}

async fn starting_of(
    app: &Arc<App>,
    endpoint: Option<Endpoint>,
    request: Request,
) -> Result<Response, Infallible> {
    let (mut parts, _) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, app).await?;
    Ok(match endpoint.map(Endpoint::kind) {
        Some(EndpointKind::Probe) => endpoints::health::not_serving(app),
        Some(EndpointKind::Protocol | EndpointKind::Document) => oauth::starting(app, &caller),
        Some(EndpointKind::Page) | None => {
            endpoints::fallback::starting(&context::Context::new(app, caller))
        }
    })
}

fn routes(app: Arc<App>) -> axum::Router {
    let issuer_endpoints = Endpoint::ALL
        .into_iter()
        .filter(|endpoint| endpoint.kind() != EndpointKind::Probe);
    let routes = issuer_endpoints.fold(axum::Router::new(), |routes, endpoint| {
        routes.route(endpoint.path(), route(endpoint))
    });
    let routes = routes
        .method_not_allowed_fallback(endpoints::fallback::method_not_allowed)
        .fallback(endpoints::fallback::any)
        .merge(api::routes(&app))
        .merge(dialects::iroh::routes(&app));
    let prefix = app.snapshot().site.path.clone();
    // RFC 8414 section 3.1: if the issuer has a path, the document's path is inserted between host and path.
    let routes = if prefix.is_empty() {
        routes
    } else {
        axum::Router::new()
            .nest(&prefix, routes)
            // A nested "/" does not match the path with a trailing slash.
            .route(&format!("{prefix}/"), get(endpoints::home::get))
            .route(
                &format!("{}{prefix}", Endpoint::OauthAuthorizationServer.path()),
                route(Endpoint::OauthAuthorizationServer),
            )
            // Password managers ask at the root of the origin.
            .route(
                Endpoint::ChangePassword.path(),
                route(Endpoint::ChangePassword),
            )
            .fallback(endpoints::fallback::any)
    };
    // Without proxies, the listener uses TLS or loopback, so there is nothing to check.
    let routes = match app.proxies.trusted.is_empty() {
        true => routes,
        false => routes.layer(middleware::from_fn_with_state(
            Arc::clone(&app),
            require_tls,
        )),
    };
    // Probes carry no secrets and may use plain HTTP.
    with_probes(routes).with_state(app)
}

/// `/healthz` and `/readyz` only, for a separate listener.
pub fn probes(app: Arc<App>) -> axum::Router {
    with_probes(axum::Router::new()).with_state(app)
}

fn with_probes(routes: axum::Router<Arc<App>>) -> axum::Router<Arc<App>> {
    [Endpoint::Healthz, Endpoint::Readyz]
        .into_iter()
        .fold(routes, |routes, probe| {
            routes.route(probe.path(), route(probe))
        })
}

/// The handlers of an endpoint, with CORS preflights and the response to other methods.
fn route(endpoint: Endpoint) -> MethodRouter<Arc<App>> {
    let handlers = handlers(endpoint);
    let handlers = match endpoint.cross_origin() {
        CrossOrigin::Never => handlers,
        CrossOrigin::OwnClient => handlers.options(async move |headers: HeaderMap| {
            cors::preflight(methods(endpoint), &headers).await
        }),
        CrossOrigin::Everyone => handlers.options(cors::document_preflight),
    };
    match endpoint.kind() {
        EndpointKind::Protocol => handlers.fallback(async move |caller: Caller| {
            oauth::method_not_allowed(&caller, methods(endpoint))
        }),
        // The fallback of all routes answers with a page.
        EndpointKind::Document | EndpointKind::Page | EndpointKind::Probe => handlers,
    }
}

/// Maps endpoints to handlers. The methods must be those of [`Endpoint::methods`].
fn handlers(endpoint: Endpoint) -> MethodRouter<Arc<App>> {
    match endpoint {
        Endpoint::Authorize => get(endpoints::authorize::get).post(endpoints::authorize::post),
        Endpoint::Token => post(endpoints::token::post),
        Endpoint::DeviceAuthorization => post(endpoints::device_authorization::post),
        Endpoint::Introspect => post(endpoints::introspect::post),
        Endpoint::Revoke => post(endpoints::revoke::post),
        Endpoint::Userinfo | Endpoint::UserInfo => {
            get(endpoints::userinfo::get).post(endpoints::userinfo::post)
        }
        Endpoint::OpenidConfiguration | Endpoint::OauthAuthorizationServer => {
            get(endpoints::metadata::get)
        }
        Endpoint::Jwks => get(endpoints::jwks::get),
        Endpoint::Device => get(endpoints::device::get).post(endpoints::device::post),
        Endpoint::DeviceDecision => get(endpoints::device::decided).post(endpoints::device::decide),
        Endpoint::Consent => post(endpoints::consent::post),
        Endpoint::Login => get(endpoints::login::get).post(endpoints::login::post),
        Endpoint::EndSession => get(endpoints::logout::get).post(endpoints::logout::post),
        Endpoint::Logout => get(endpoints::logout::page).post(endpoints::logout::confirm),
        Endpoint::Account => get(endpoints::account::get),
        Endpoint::AccountSession => post(endpoints::account::end_session),
        Endpoint::AccountApp => post(endpoints::account::disconnect),
        Endpoint::AccountGrant => post(endpoints::account::revoke_grant),
        Endpoint::AccountPassword => post(endpoints::account::change_password),
        Endpoint::ChangePassword => get(endpoints::account::redirect_to_password),
        Endpoint::AccountEverywhere => post(endpoints::account::sign_out_everywhere),
        Endpoint::AdminFirst => get(endpoints::admin_first::get).post(endpoints::admin_first::post),
        Endpoint::Healthz => get(endpoints::health::healthz),
        Endpoint::Readyz => get(endpoints::health::readyz),
        Endpoint::Home => get(endpoints::home::get),
    }
}

/// The methods of an endpoint, for headers.
fn methods(endpoint: Endpoint) -> &'static str {
    match endpoint.methods() {
        ["GET"] => "GET",
        ["POST"] => "POST",
        _ => "GET, POST",
    }
}

/// RFC 6749 section 3.2: "the authorization server MUST require the use of TLS".
async fn require_tls(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    let socket = Socket::from_extensions(request.extensions());
    if peer::is_plaintext(socket, &caller.headers, &app.proxies) {
        return oauth::tls_required(&app, &caller);
    }
    next.run(request).await
}
