//! Servers in this process, of which several can share a store, managed by the operator through the API.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use grantor_config::Settings;
use grantor_store::memory::Memory;
use grantor_web::Clock as _;
use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;
use crate::admin;
use crate::clients;
use crate::installation::Installation;
use crate::secret_uses;
use crate::system::SystemClock;

mod made_again;
mod made_clients;
mod nodes;
mod organizations;
mod parts;
mod races;

const HEAD: &str = "issuer = \"http://127.0.0.1:8080\"\nstore = \"memory:\"\nkey_env = \"KEY\"\n";

/// A store, with the folder of the master key and of the file.
struct Shared {
    folder: TempDir,
    store: Arc<dyn Store>,
}

/// One server over the store.
struct Node {
    installation: Installation,
    public: grantor_web::Router,
    operator: Router,
    watch: ConfigWatch,
}

struct Answer {
    status: u16,
    etag: Option<String>,
    location: Option<String>,
    body: Json,
}

impl Shared {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            store: Arc::new(Memory::new()),
        }
    }

    fn settings(&self, tables: &str) -> Settings {
        let text = format!("{HEAD}{tables}");
        let folder = self.folder.path();
        let environment = grantor_config::Environment::default().with("KEY", "07".repeat(32));
        grantor_config::parse(&text, "grantor.toml", folder, &environment).unwrap()
    }

    /// A server whose file has these tables.
    async fn node(&self, tables: &str) -> Node {
        let settings = self.settings(tables);
        let opened = (Arc::clone(&self.store), None);
        let installation = Installation::over(&settings, opened).await.unwrap();
        let app = &installation.app;
        clients::start(app, &*self.store, &installation.owner)
            .await
            .unwrap();
        app.set_ready();
        let admin = installation.admin(Path::new("grantor.toml"), None);
        Node {
            public: grantor_web::Router::new(Arc::clone(app)),
            operator: admin::router(admin),
            watch: installation.config_watch(),
            installation,
        }
    }
}

async fn node(tables: &str) -> Node {
    let shared = Shared::new();
    shared.node(tables).await
}

impl Node {
    async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.operator.clone().oneshot(request).await.unwrap();
        let text = |name| {
            let value = answer.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let (etag, location) = (text(header::ETAG), text(header::LOCATION));
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let body = match bytes.is_empty() {
            true => Json::Null,
            false => serde_json::from_slice(&bytes).unwrap(),
        };
        Answer {
            status,
            etag,
            location,
            body,
        }
    }

    /// Asks the API as the operator, and takes what it changed.
    async fn call(&self, method: Method, path: &str, body: Option<Json>, etag: &str) -> Answer {
        let media_type = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::CONTENT_TYPE, media_type);
        if !etag.is_empty() {
            request = request.header(header::IF_MATCH, etag);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let answer = self.send(request.body(body).unwrap()).await;
        self.watch.look().await.unwrap();
        answer
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None, "").await
    }

    async fn post(&self, path: &str, body: Json) -> Answer {
        self.call(Method::POST, path, Some(body), "").await
    }

    async fn patch(&self, path: &str, body: Json, etag: &str) -> Answer {
        self.call(Method::PATCH, path, Some(body), etag).await
    }

    async fn delete(&self, path: &str, etag: &str) -> Answer {
        self.call(Method::DELETE, path, None, etag).await
    }

    /// The answer of the token endpoint to a machine.
    async fn token(&self, client: &str, secret: &str, scope: &str) -> (u16, Json) {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", scope),
        ];
        let form = form.into_iter().filter(|(_, value)| !value.is_empty());
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = Request::post("/oauth2/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form));
        let answer = self.public.clone().oneshot(request.unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

impl Answer {
    fn text(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_default()
    }

    fn etag(&self) -> &str {
        self.etag.as_deref().unwrap()
    }

    /// The pointers of what is wrong.
    fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|error| error["pointer"].as_str().unwrap())
            .collect()
    }
}

const ORDERS: &str = "[[resource]]\nidentifier = \"orders\"\nscopes = { read = \"Read orders\" }\n";

fn machine() -> Json {
    json!({ "name": "Nightly", "grants": ["client_credentials"], "scopes": ["orders/read"] })
}
