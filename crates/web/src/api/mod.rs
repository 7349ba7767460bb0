//! The management API: `/api/v1`, as JSON, for callers with an access token and for the operator's commands.
//!
//! A file for each kind of object answers; what is decided is in `core/src/manage/`. The table in `routes.rs` says which
//! paths there are, and the OpenAPI document is made from it.

mod changed;
pub(crate) mod clients;
mod docs;
mod events;
mod keys;
mod list;
mod me;
mod operation;
mod organizations;
mod parts;
pub(crate) mod problem;
pub(crate) mod request;
mod routes;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use grantor_core::manage::{ApiCode, ApiRefusal};

use crate::app::App;
use request::ApiRequest;

pub use docs::OpenApi;
pub use operation::{Kind, Members, Object, Operation, Query, QueryForm, Table, Type};
pub use request::Operator;
pub use routes::{ROUTES, Route};

/// Where it is mounted, below the issuer.
pub const PATH: &str = "/api/v1";

/// With their whole paths, for the listeners, which answer 404 where `[api]` is not enabled.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let served = middleware::from_fn_with_state(Arc::clone(app), if_enabled);
    let routes = docs::routes().nest(PATH, all());
    routes
        .route("/errors/{code}", get(problem::explained))
        .layer(served)
}

/// For the admin socket, which adds an [`Operator`] to each request. It works whatever `[api]` says.
pub fn for_operator<S: Clone + Send + Sync + 'static>(app: Arc<App>) -> Router<S> {
    Router::new().nest(PATH, all()).with_state(app)
}

/// Each path below `/api/v1` with its methods.
pub fn methods() -> impl Iterator<Item = (&'static str, &'static str)> {
    let routes = routes::ROUTES.iter();
    routes.flat_map(|route| {
        route
            .operations
            .iter()
            .map(|it| (route.path, it.kind.method()))
    })
}

fn all() -> Router<Arc<App>> {
    let routes = Router::new();
    let routes = routes::ROUTES.iter().fold(routes, |routes, route| {
        routes.route(route.path, route.handlers())
    });
    routes.fallback(not_found)
}

/// The response before the server is ready.
pub(crate) fn starting(app: &App, request: Request) -> Response {
    let caller = ApiRequest::without_body(app, request);
    let why = ApiRefusal::new(
        ApiCode::Unavailable,
        "The server is starting; try again soon.",
    );
    problem::response(app, &caller, &why)
}

async fn if_enabled(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if app.realm().api.enabled {
        return next.run(request).await;
    }
    let caller = ApiRequest::without_body(&app, request);
    let why = ApiRefusal::new(ApiCode::NotFound, "The management API is not enabled here.");
    problem::response(&app, &caller, &why)
}

async fn not_found(State(app): State<Arc<App>>, request: Request) -> Response {
    let caller = ApiRequest::without_body(&app, request);
    let why = ApiRefusal::new(ApiCode::NotFound, "There is no such path.");
    problem::response(&app, &caller, &why)
}
