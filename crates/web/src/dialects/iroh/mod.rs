//! The dialect `iroh`: the paths and names of Cisco's IROH, for its device grant and its clients of one's own.

mod answer;
mod app_grant;
mod clients;
mod oauth;
mod whoami;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post};
use http::{HeaderMap, Method, Request};

use crate::app::App;
use crate::context::Context;
use crate::cors;
use crate::endpoints::fallback;
use crate::request::Caller;

const CLIENTS: &str = "/iroh/oauth2-clients/";
const METHODS: &str = "GET, POST, DELETE";

/// Below the issuer. Where the dialect is not on, there are no such paths.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let served = middleware::from_fn_with_state(Arc::clone(app), if_spoken);
    Router::new()
        .route("/iroh/oauth2/token", post(oauth::token))
        .route(
            "/iroh/oauth2/device_authorization",
            post(oauth::device_authorization),
        )
        .route("/iroh/oauth2/authorize", get(oauth::authorize))
        .route("/iroh/oauth2/device", get(oauth::device))
        .route("/iroh/oauth2/app-grant/{client}", delete(app_grant::delete))
        .route(
            "/iroh/oauth2-clients/clients",
            get(clients::list).post(clients::create),
        )
        .route(
            "/iroh/oauth2-clients/clients/{id}",
            get(clients::read).delete(clients::delete),
        )
        .route("/iroh/profile/whoami", get(whoami::get))
        .layer(served)
}

/// Answers preflights, and makes what follows readable for any origin: no cookie counts here.
async fn if_spoken(State(app): State<Arc<App>>, request: Request<Body>, next: Next) -> Response {
    let realm = app.realm();
    // Clients are made as by the management API, where that is enabled.
    let is_there = !request.uri().path().contains(CLIENTS) || realm.api.enabled;
    if !realm.dialects.iroh || !is_there {
        let (parts, _) = request.into_parts();
        let caller = Caller::new(&parts, parts.headers.clone(), &app);
        return fallback::any(Context::new(&app, caller)).await;
    }
    if request.method() == Method::OPTIONS {
        let headers: &HeaderMap = request.headers();
        return cors::preflight(METHODS, headers).await;
    }
    cors::for_everyone(next.run(request).await)
}
