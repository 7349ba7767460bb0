//! The table of paths.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use futures_util::future::BoxFuture;
use grantor_core::model::endpoint::{CrossOrigin, Endpoint, EndpointKind};
use http::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tower::Service;

use crate::app::App;
use crate::cors;
use crate::endpoints as at;
use crate::metrics;
use crate::oauth;
use crate::peer;
use crate::request::{Caller, Socket};
use crate::trace::{self, TraceId};

/// What answers every request: gives it a trace id, leaves it to the table of paths, sends the id back, and counts
/// it.
///
/// Around the table and not a layer within it: a layer of axum costs each request three allocations.
#[derive(Clone)]
pub struct Router {
    app: Arc<App>,
    routes: axum::Router,
}

impl Router {
    /// What answers for this application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let routes = routes(Arc::clone(&app));
        Self { app, routes }
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
        let began = Instant::now();
        let endpoint = metrics::endpoint_of(request.uri().path(), &self.app.site.path);
        let trace = TraceId::of(request.headers(), &self.app.seed());
        let header = HeaderValue::try_from(trace.as_str());
        #[cfg(feature = "spans")]
        let span = crate::span::Begun::of(&self.app, endpoint, &trace, &request);
        request.extensions_mut().insert(trace);
        let (app, answered) = (Arc::clone(&self.app), self.routes.call(request));
        Box::pin(async move {
            let mut response = answered.await?;
            if let Ok(value) = header {
                let name = HeaderName::from_static(trace::HEADER);
                response.headers_mut().insert(name, value);
            }
            app.metrics
                .answered(endpoint, response.status(), began.elapsed());
            #[cfg(feature = "spans")]
            if let Some(span) = span {
                span.answered(&response, began.elapsed());
            }
            Ok(response)
        })
    }
}

/// Every endpoint, with what answers it.
fn routes(app: Arc<App>) -> axum::Router {
    let of_issuer = Endpoint::ALL
        .into_iter()
        .filter(|endpoint| endpoint.kind() != EndpointKind::Probe);
    let routes = of_issuer.fold(axum::Router::new(), |routes, endpoint| {
        routes.route(endpoint.path(), route(endpoint))
    });
    let routes = routes
        .method_not_allowed_fallback(at::fallback::method_not_allowed)
        .fallback(at::fallback::any);
    let below = app.site.path.clone();
    // RFC 8414 section 3.1: of an issuer with a path, the document stands between host and path.
    let routes = if below.is_empty() {
        routes
    } else {
        axum::Router::new()
            .nest(&below, routes)
            // A nested "/" is the path without a slash at its end; the start page has both.
            .route(&format!("{below}/"), get(at::home::get))
            .route(
                &format!("{}{below}", Endpoint::OauthAuthorizationServer.path()),
                route(Endpoint::OauthAuthorizationServer),
            )
            .fallback(at::fallback::any)
    };
    // Where no proxy is in front, the listener is one of TLS or of this machine: there is nothing to look at.
    let routes = match app.proxies.trusted.is_empty() {
        true => routes,
        false => routes.layer(middleware::from_fn_with_state(Arc::clone(&app), protected)),
    };
    // What probes ask is no secret, and they know no TLS.
    with_probes(routes).with_state(app)
}

/// `/healthz` and `/readyz` alone, for a listener of the operator's.
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

/// What answers at an endpoint: its handlers, the question that browsers ask before, and the refusal of other methods.
fn route(endpoint: Endpoint) -> MethodRouter<Arc<App>> {
    let handlers = handlers(endpoint);
    let handlers = match endpoint.cross_origin() {
        CrossOrigin::Never => handlers,
        CrossOrigin::OwnClient => handlers.options(async move |app, headers| {
            cors::preflight(app, headers, methods(endpoint)).await
        }),
        CrossOrigin::Everyone => handlers.options(cors::before_document),
    };
    match endpoint.kind() {
        EndpointKind::Protocol => handlers.fallback(async move |caller: Caller| {
            oauth::method_not_allowed(&caller, methods(endpoint))
        }),
        // A page says so, by the fallback of the whole table.
        EndpointKind::Document | EndpointKind::Page | EndpointKind::Probe => handlers,
    }
}

/// The one place where endpoints meet their handlers. Each takes the methods that the table names.
fn handlers(endpoint: Endpoint) -> MethodRouter<Arc<App>> {
    match endpoint {
        Endpoint::Authorize => get(at::authorize::get).post(at::authorize::post),
        Endpoint::Token => post(at::token::post),
        Endpoint::DeviceAuthorization => post(at::device_authorization::post),
        Endpoint::Introspect => post(at::introspect::post),
        Endpoint::Revoke => post(at::revoke::post),
        Endpoint::Userinfo | Endpoint::UserInfo => get(at::userinfo::get).post(at::userinfo::post),
        Endpoint::OpenidConfiguration | Endpoint::OauthAuthorizationServer => {
            get(at::metadata::get)
        }
        Endpoint::Jwks => get(at::jwks::get),
        Endpoint::Device => get(at::device::get).post(at::device::post),
        Endpoint::DeviceDecision => post(at::device::decide),
        Endpoint::Consent => post(at::consent::post),
        Endpoint::Login => get(at::login::get).post(at::login::post),
        Endpoint::EndSession => get(at::logout::get).post(at::logout::post),
        Endpoint::Logout => get(at::logout::page).post(at::logout::confirm),
        Endpoint::Account => get(at::account::get),
        Endpoint::AccountSession => post(at::account::end_session),
        Endpoint::AccountApp => post(at::account::disconnect),
        Endpoint::AccountGrant => post(at::account::revoke_grant),
        Endpoint::AccountEverywhere => post(at::account::everywhere),
        Endpoint::Healthz => get(at::health::healthz),
        Endpoint::Readyz => get(at::health::readyz),
        Endpoint::Home => get(at::home::get),
    }
}

/// The methods of an endpoint, as headers list them.
fn methods(endpoint: Endpoint) -> &'static str {
    match endpoint.methods() {
        ["GET"] => "GET",
        ["POST"] => "POST",
        _ => "GET, POST",
    }
}

/// RFC 6749 section 3.2: "the authorization server MUST require the use of TLS". What a client sent in the clear is
/// refused, so that it cannot go unnoticed.
async fn protected(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    let socket = Socket::of(request.extensions());
    if peer::in_the_clear(socket, &caller.headers, &app.proxies) {
        return oauth::in_the_clear(&app, &caller);
    }
    next.run(request).await
}
