//! A server in this process: the real router, pages and workers over a store in memory, with time that a test sets.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Body;
use grantor_core::base::secret::Secret;
use grantor_core::engine::event::{Event, EventKind};
use grantor_core::model::ids::OrganizationId;
use grantor_core::model::realm::Realm;
use grantor_core::people::Provision;
use grantor_jose::{KeySet, Signer};
use grantor_store::Store;
use grantor_store::memory::Memory;
use grantor_store::testing::Faulty;
use grantor_web::{App, Clock as _, ForwardedHeader, Parts, Proxies, SnapshotParts};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::Mutex;
use tower::ServiceExt as _;

mod answer;
mod api;
mod browser;
mod clients;
mod environment;
mod event_log;
mod requests;
mod web_apps;

pub use answer::{Answer, claims, jose_header, refused};
pub use api::api_request;
pub use browser::{Browser, Form};
pub use clients::{DEVICE_AUTHORIZATION, FORMS, INTROSPECT, REVOKE, TOKEN, USERINFO};
pub use requests::{FORM, With, authorization_of, basic, post, raw};
pub use web_apps::{FlowResult, redirect_of};

use crate::{ExternalIssuer, RealmBuilder, password_of, users};
use environment::Environment;

/// Each user's hash, made once: hashing is slow on purpose.
static HASHES: LazyLock<Mutex<BTreeMap<String, String>>> = LazyLock::new(Mutex::default);

/// A server, and what a test changes and reads of it.
pub struct TestServer {
    pub app: Arc<App>,
    pub store: Arc<Faulty<Memory>>,
    environment: Arc<Environment>,
    router: grantor_web::Router,
}

impl TestServer {
    /// A server of the standard realm with its users.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with another configuration.
    pub async fn with(change: impl FnOnce(&mut Realm)) -> Self {
        let realm = RealmBuilder::standard().change(change).build();
        let store = Arc::new(Faulty::new(Memory::new()));
        let server = Self::over(realm, Arc::clone(&store) as Arc<dyn Store>, store);
        for (name, enabled) in users::USERS {
            let hash = server.password_hash(name).await;
            let user = users::user_with_hash(name, enabled, hash);
            server.provision(user).await;
        }
        server.app.set_ready();
        server.take_events();
        server
    }

    /// The same server after a restart with another configuration: its store and its time go on.
    pub fn restarted(&self, change: impl FnOnce(&mut Realm)) -> Self {
        let realm = RealmBuilder::standard().change(change).build();
        let store = Arc::clone(&self.store);
        let server = Self::over(realm, Arc::clone(&store) as Arc<dyn Store>, store);
        server.environment.continue_from(&self.environment);
        server.app.set_ready();
        server
    }

    /// A server over any store, without users, and not ready yet.
    pub fn over(realm: Realm, store: Arc<dyn Store>, faults: Arc<Faulty<Memory>>) -> Self {
        let environment = Arc::new(Environment::default());
        let app = App::new(Parts {
            snapshot: SnapshotParts {
                realm,
                signer: Arc::clone(&environment) as _,
                trusted_keys: Arc::clone(&environment) as _,
            },
            store,
            clock: Arc::clone(&environment) as _,
            entropy: Arc::clone(&environment) as _,
            events: Arc::clone(&environment) as _,
            // The address of a request without a socket, so a test sets the client's address by `X-Forwarded-For`.
            proxies: Proxies {
                trusted: vec!["0.0.0.0/32".parse().expect("a network")],
                header: ForwardedHeader::XForwardedFor,
            },
            templates: None,
        });
        let app = app.expect("complete pages");
        Self {
            router: grantor_web::Router::new(Arc::clone(&app)),
            app,
            store: faults,
            environment,
        }
    }

    /// Replaces the realm, as a reload does, and keeps its trusted issuers' keys.
    pub fn replace(&self, realm: Realm, signer: Arc<dyn Signer>) {
        self.app.replace(SnapshotParts {
            realm,
            signer,
            trusted_keys: Arc::clone(&self.environment) as _,
        });
    }

    /// Replaces the realm's keys alone.
    pub fn replace_keys(&self, signing: KeySet, signer: Arc<dyn Signer>) {
        let realm = Realm {
            signing: signing.into(),
            ..(*self.app.realm()).clone()
        };
        self.replace(realm, signer);
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        self.environment.advance(time);
    }

    /// The time, in seconds since the epoch.
    pub fn now(&self) -> u64 {
        self.environment.now().as_secs()
    }

    /// The kinds of the events since they were last taken, each with the trace id of its request.
    pub fn take_events(&self) -> Vec<(String, EventKind)> {
        let events = self.take_whole_events().into_iter();
        events.map(|(trace, event)| (trace, event.kind)).collect()
    }

    /// The same events whole.
    pub fn take_whole_events(&self) -> Vec<(String, Event)> {
        self.environment.take_events()
    }

    /// Lets the signer fail, or work again.
    pub fn set_signer_down(&self, down: bool) {
        self.environment.set_signer_down(down);
    }

    /// The key set of this issuer is known from now on.
    pub fn trust_keys_of(&self, issuer: &ExternalIssuer) {
        self.environment.trust_keys_of(issuer);
    }

    /// Adds or replaces a user with these claims and without groups.
    pub async fn add_user(&self, name: &str, claims: BTreeMap<String, Value>) {
        let hash = self.password_hash(name).await;
        self.provision(Provision {
            groups: Some(Vec::new()),
            claims,
            ..users::user_with_hash(name, true, hash)
        })
        .await;
    }

    /// Adds a user in these groups.
    pub async fn add_member(&self, name: &str, groups: &[&str]) {
        self.add_member_of(name, groups, None).await;
    }

    /// The same in an organization.
    pub async fn add_member_of(
        &self,
        name: &str,
        groups: &[&str],
        organization: Option<OrganizationId>,
    ) {
        let hash = self.password_hash(name).await;
        self.provision(Provision {
            groups: Some(groups.iter().map(|it| (*it).to_owned()).collect()),
            organization,
            ..users::user_with_hash(name, true, hash)
        })
        .await;
    }

    async fn provision(&self, user: Provision) {
        let outcome = self.app.run(user).await.expect("a store that answers");
        outcome.reply.expect("no OAuth error");
    }

    async fn password_hash(&self, name: &str) -> String {
        let mut hashes = HASHES.lock().await;
        if let Some(hash) = hashes.get(name) {
            return hash.clone();
        }
        let password = Secret::new(password_of(name).as_str());
        let hash = self.app.hash_password(password).await;
        let hash = hash.expect("a free worker");
        hashes.insert(name.to_owned(), hash.clone());
        hash
    }

    /// Sends a request through the whole router.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await;
        let (parts, body) = response.expect("the router never fails").into_parts();
        let body = body.collect().await.expect("a body in memory").to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub async fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.send(post(path, pairs)).await
    }
}
