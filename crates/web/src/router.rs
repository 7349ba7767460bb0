//! The table of paths.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use grantor_core::endpoints::path;
use http::{HeaderName, HeaderValue};

use crate::app::App;
use crate::endpoints as at;
use crate::oauth;
use crate::request::Caller;
use crate::trace::{self, TraceId};

/// Every path, with what answers it.
pub fn router(app: Arc<App>) -> Router {
    let routes = Router::new()
        .route(path::TOKEN, form(at::token::post))
        .route(
            path::DEVICE_AUTHORIZATION,
            form(at::device_authorization::post),
        )
        .route(path::INTROSPECT, form(at::introspect::post))
        .route(path::REVOKE, form(at::revoke::post))
        .route(
            path::USERINFO,
            get(at::userinfo::get)
                .post(at::userinfo::post)
                .fallback(no_such_method),
        )
        // Cognito's spelling.
        .route(
            "/oauth2/userInfo",
            get(at::userinfo::get)
                .post(at::userinfo::post)
                .fallback(no_such_method),
        )
        .route(path::OPENID_CONFIGURATION, get(at::metadata::get))
        .route(path::OAUTH_AUTHORIZATION_SERVER, get(at::metadata::get))
        .route(path::JWKS, get(at::jwks::get))
        .route("/", get(at::home::get))
        .route("/login", get(at::login::get).post(at::login::post))
        .route("/logout", get(at::logout::get).post(at::logout::post))
        .route(path::DEVICE, get(at::device::get).post(at::device::post))
        .route("/device/decision", post(at::device::decide))
        .method_not_allowed_fallback(at::fallback::method_not_allowed)
        .fallback(at::fallback::any);
    let below = app.site.path.clone();
    // RFC 8414 section 3.1: of an issuer with a path, the document stands between host and path.
    let routes = if below.is_empty() {
        routes
    } else {
        Router::new()
            .nest(&below, routes)
            // A nested "/" is the path without a slash at its end; the start page has both.
            .route(&format!("{below}/"), get(at::home::get))
            .route(
                &format!("{}{below}", path::OAUTH_AUTHORIZATION_SERVER),
                get(at::metadata::get),
            )
            .fallback(at::fallback::any)
    };
    routes
        .route("/healthz", get(at::health::healthz))
        .route("/readyz", get(at::health::readyz))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), traced))
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

async fn only_post(caller: Caller) -> Response {
    oauth::method_not_allowed(&caller, "POST")
}

async fn no_such_method(caller: Caller) -> Response {
    oauth::method_not_allowed(&caller, "GET, POST")
}

/// Gives each request its trace id, and sends it back.
async fn traced(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let trace = TraceId::of(request.headers(), &app.seed());
    request.extensions_mut().insert(trace.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::try_from(trace.as_str()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(trace::HEADER), value);
    }
    response
}
