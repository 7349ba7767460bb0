//! The OpenAPI document, and the page that shows it: Swagger UI, from `vendor/`, which signs in as the client
//! [`DOCS_CLIENT`](grantor_core::model::right::DOCS_CLIENT).
//!
//! Both are public: they hold what the code says, and nothing of an installation but its issuer.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use grantor_core::manage::{ApiCode, ApiRefusal};
use http::{HeaderName, HeaderValue, Request, header};

use super::problem;
use super::request::ApiRequest;
use crate::app::App;

/// Where the document is, below the issuer.
pub(super) const DOCUMENT: &str = "/api/openapi.json";
const PAGE: &str = "/api/docs";
/// Of Swagger UI. It is in the addresses of its files, which are cached for good.
const VERSION: &str = "5.35.0";

/// Scripts come from this server, and ask this server alone. Swagger UI draws with images in its stylesheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; \
     img-src 'self' data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// The OpenAPI document of an issuer, made when it is first asked for.
pub struct OpenApi {
    make: fn(&str) -> String,
    made: OnceLock<Bytes>,
}

impl OpenApi {
    #[must_use]
    pub const fn new(make: fn(&str) -> String) -> Self {
        Self {
            make,
            made: OnceLock::new(),
        }
    }

    /// The issuer of a process stays.
    fn of(&self, issuer: &str) -> Bytes {
        let made = self.made.get_or_init(|| (self.make)(issuer).into());
        made.clone()
    }
}

struct File {
    name: &'static str,
    content_type: &'static str,
    /// Text; or what Swagger UI has, compressed.
    content: Content,
}

enum Content {
    Text(&'static str),
    Gzip(&'static [u8]),
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! text {
    ($name:literal) => {
        Content::Text(include_str!(concat!("../../assets/api-docs/", $name)))
    };
}

macro_rules! gzip {
    ($name:literal) => {
        Content::Gzip(include_bytes!(concat!(
            "../../vendor/swagger-ui/",
            $name,
            ".gz"
        )))
    };
}

#[rustfmt::skip]
const FILES: [File; 7] = [
    File { name: "", content_type: HTML, content: text!("index.html") },
    File { name: "oauth2-redirect.html", content_type: HTML, content: text!("oauth2-redirect.html") },
    File { name: "page.js", content_type: SCRIPT, content: text!("page.js") },
    File { name: "page.css", content_type: STYLE, content: text!("page.css") },
    File { name: "swagger-ui-bundle.js", content_type: SCRIPT, content: gzip!("swagger-ui-bundle.js") },
    File { name: "swagger-ui.css", content_type: STYLE, content: gzip!("swagger-ui.css") },
    File { name: "oauth2-redirect.js", content_type: SCRIPT, content: gzip!("oauth2-redirect.js") },
];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route(DOCUMENT, get(document))
        .route(PAGE, get(to_page))
        .route(&format!("{PAGE}/"), get(page))
        .route(&format!("{PAGE}/{{name}}"), get(file))
        .route(&format!("{PAGE}/{VERSION}/{{name}}"), get(file))
}

async fn document(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let issuer = &app.realm().issuer;
    match app.openapi.get() {
        Some(document) => respond("application/json", document.of(issuer).into(), "no-cache"),
        None => not_found(&app, request),
    }
}

async fn to_page(State(app): State<Arc<App>>) -> Response {
    let path = &app.snapshot().site.path;
    Redirect::permanent(&format!("{path}{PAGE}/")).into_response()
}

async fn page() -> Response {
    FILES[0].response()
}

async fn file(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Response {
    match FILES.iter().find(|file| file.name == name) {
        Some(file) => file.response(),
        None => not_found(&app, request),
    }
}

impl File {
    fn response(&self) -> Response {
        match self.content {
            Content::Text(text) => {
                let text = text.replace("SWAGGER", VERSION);
                respond(self.content_type, text.into(), "no-cache")
            }
            // Every browser takes it.
            Content::Gzip(bytes) => {
                let for_good = "public, max-age=31536000, immutable";
                let mut response = respond(self.content_type, bytes.into(), for_good);
                let gzip = HeaderValue::from_static("gzip");
                response
                    .headers_mut()
                    .insert(header::CONTENT_ENCODING, gzip);
                response
            }
        }
    }
}

fn respond(content_type: &'static str, body: Body, cached: &'static str) -> Response {
    let mut response = Response::new(body);
    let headers: [(HeaderName, &str); 6] = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cached),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

fn not_found(app: &App, request: Request<Body>) -> Response {
    let request = ApiRequest::without_body(app, request);
    let why = ApiRefusal::new(ApiCode::NotFound, "There is no such path.");
    problem::response(app, &request, &why)
}
