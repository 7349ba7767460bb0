//! The website of a shop: signs its users in at Grantor, and shows them their orders. The browser has a cookie and no
//! token; the tokens stay here.

mod pages;
mod sessions;
mod sign_in;
mod tries;

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use common::{Fault, Service, serve, setting};
use grantor_verify::http_client;

use crate::pages::Pages;
use crate::sessions::Sessions;
use crate::sign_in::{Answer, Provider, User};
use crate::tries::Tried;

struct Website {
    provider: Provider,
    orders: Service,
    shipping: Service,
    sessions: Sessions,
    pages: Pages,
}

type Site = State<Arc<Website>>;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let (issuer, own, http) = (setting("ISSUER")?, setting("WEBSITE_URL")?, http_client()?);
    let secret = setting("WEBSITE_SECRET")?;
    let site = Website {
        provider: Provider::new(&issuer, "website", secret, &own, http.clone())?,
        orders: Service::new("orders", "ORDERS_URL", http.clone())?,
        shipping: Service::new("shipping", "SHIPPING_URL", http)?,
        sessions: Sessions::new(own.starts_with("https:")),
        pages: Pages::new(&issuer, &own)?,
    };
    let site = Arc::new(site);
    let app = Router::new()
        .route("/", get(home))
        .route("/try/{what}", post(try_out))
        .route("/sign-in", get(sign_in))
        .route("/callback", get(callback))
        .route("/sign-out", post(sign_out))
        .layer(middleware::from_fn_with_state(site.clone(), pages::guard))
        .route("/style.css", get(style))
        .with_state(site);
    serve(app).await
}

async fn home(State(site): Site, headers: HeaderMap) -> Response {
    match site.sessions.user(&headers) {
        Some(user) => site.signed_in(&user, None).await,
        None => site.pages.signed_out(),
    }
}

/// Sends the browser to Grantor's pages. It comes back to `/callback`.
async fn sign_in(State(site): Site, headers: HeaderMap) -> Response {
    site.sessions.end(&headers);
    match site.provider.begin().await {
        Ok((url, attempt)) => to(url.as_str(), site.sessions.attempted(attempt)),
        Err(problem) => site.pages.problem(&problem),
    }
}

/// Grantor has sent the browser back, with a code that is of use to this attempt to sign in alone.
async fn callback(State(site): Site, headers: HeaderMap, Query(answer): Query<Answer>) -> Response {
    let attempt = site.sessions.attempt(&headers);
    match site.provider.finish(attempt, answer).await {
        Ok(user) => to("/", site.sessions.signed_in(user)),
        Err(problem) => site.pages.problem(&problem),
    }
}

/// Forgets the session, then has the one at Grantor ended, which sends the browser back to `/`.
async fn sign_out(State(site): Site, headers: HeaderMap) -> Redirect {
    let user = site.sessions.end(&headers);
    Redirect::to(user.as_ref().map_or("/", |user| &user.sign_out))
}

/// Shows what becomes of something that must not work.
async fn try_out(State(site): Site, headers: HeaderMap, Path(what): Path<String>) -> Response {
    let Some(user) = site.sessions.user(&headers) else {
        return Redirect::to("/").into_response();
    };
    match site.tried(&what, &user).await {
        Some(tried) => site.signed_in(&user, Some(tried)).await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

impl Website {
    /// The user's page: what orders has for whoever bears the user's token.
    async fn signed_in(&self, user: &User, tried: Option<Tried>) -> Response {
        let orders = self.orders.get("/orders", &user.token).await;
        self.pages.signed_in(&user.name, orders, tried)
    }
}

fn to(url: &str, cookie: String) -> Response {
    ([(SET_COOKIE, cookie)], Redirect::to(url)).into_response()
}

async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css")], pages::STYLE).into_response()
}
