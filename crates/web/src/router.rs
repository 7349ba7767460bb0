//! The table of paths.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use futures_util::future::BoxFuture;
use grantor_core::model::endpoint::path;
use http::{HeaderName, HeaderValue};
use tokio::time::Instant;
use tower::Service;

use crate::app::App;
use crate::cors;
use crate::endpoints as at;
use crate::metrics::Endpoint;
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
        let endpoint = Endpoint::of(request.uri().path(), &self.app.site.path);
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

/// Every path, with what answers it.
fn routes(app: Arc<App>) -> axum::Router {
    let routes = axum::Router::new()
        .route(
            path::AUTHORIZE,
            get(at::authorize::get).post(at::authorize::post),
        )
        .route(path::TOKEN, open_form(at::token::post))
        .route(
            path::DEVICE_AUTHORIZATION,
            open_form(at::device_authorization::post),
        )
        // Whoever introspects keeps a secret, so it is no script.
        .route(path::INTROSPECT, form(at::introspect::post))
        .route(path::REVOKE, open_form(at::revoke::post))
        .route(path::USERINFO, userinfo())
        // Cognito's spelling.
        .route("/oauth2/userInfo", userinfo())
        .route(path::OPENID_CONFIGURATION, document(at::metadata::get))
        .route(
            path::OAUTH_AUTHORIZATION_SERVER,
            document(at::metadata::get),
        )
        .route(path::JWKS, document(at::jwks::get))
        .route("/", get(at::home::get))
        .route("/login", get(at::login::get).post(at::login::post))
        .route(path::LOGOUT, get(at::logout::get).post(at::logout::post))
        .route("/logout", get(at::logout::page).post(at::logout::confirm))
        .route("/consent", post(at::consent::post))
        .route("/account", get(at::account::get))
        .route("/account/session", post(at::account::end_session))
        .route("/account/app", post(at::account::disconnect))
        .route("/account/grant", post(at::account::revoke_grant))
        .route("/account/everywhere", post(at::account::everywhere))
        .route(path::DEVICE, get(at::device::get).post(at::device::post))
        .route("/device/decision", post(at::device::decide))
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
                &format!("{}{below}", path::OAUTH_AUTHORIZATION_SERVER),
                document(at::metadata::get),
            )
            .fallback(at::fallback::any)
    };
    // Where no proxy is in front, the listener is one of TLS or of this machine: there is nothing to look at.
    let routes = match app.proxies.trusted.is_empty() {
        true => routes,
        false => routes.layer(middleware::from_fn_with_state(Arc::clone(&app), protected)),
    };
    // What probes ask is no secret, and they know no TLS.
    routes
        .route("/healthz", get(at::health::healthz))
        .route("/readyz", get(at::health::readyz))
        .with_state(app)
}

/// `/healthz` and `/readyz` alone, for a listener of the operator's.
pub fn probes(app: Arc<App>) -> axum::Router {
    axum::Router::new()
        .route("/healthz", get(at::health::healthz))
        .route("/readyz", get(at::health::readyz))
        .with_state(app)
}

/// A protocol endpoint that takes a form by POST, and says so in JSON to any other method.
fn form<H, T>(handler: H) -> MethodRouter<Arc<App>>
where
    H: axum::handler::Handler<T, Arc<App>>,
    T: 'static,
{
    post(handler).fallback(only_post)
}

/// One that scripts of other origins may call too.
fn open_form<H, T>(handler: H) -> MethodRouter<Arc<App>>
where
    H: axum::handler::Handler<T, Arc<App>>,
    T: 'static,
{
    form(handler).options(cors::before_post)
}

fn userinfo() -> MethodRouter<Arc<App>> {
    get(at::userinfo::get)
        .post(at::userinfo::post)
        .options(cors::before_get_or_post)
        .fallback(no_such_method)
}

/// A public document.
fn document<H, T>(handler: H) -> MethodRouter<Arc<App>>
where
    H: axum::handler::Handler<T, Arc<App>>,
    T: 'static,
{
    get(handler).options(cors::before_document)
}

async fn only_post(caller: Caller) -> Response {
    oauth::method_not_allowed(&caller, "POST")
}

async fn no_such_method(caller: Caller) -> Response {
    oauth::method_not_allowed(&caller, "GET, POST")
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
