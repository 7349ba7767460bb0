//! The house: an application with its keys, clients and users.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use grantor_core::base::sealing::{MasterKey, SealingKeys};
use grantor_core::base::secret::{Secret, SecretVerifier};
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::decide::KeyQuery;
use grantor_core::engine::event::{Event, EventKind};
use grantor_core::grants::GrantType;
use grantor_core::model::claim_mapping::ClaimMapping;
use grantor_core::model::client::{
    Client, ClientAuth, CodePolicy, DeviceApproval, DevicePolicy, LogoutPolicy,
};
use grantor_core::model::group_filter::GroupFilter;
use grantor_core::model::ids::UserId;
use grantor_core::model::realm::{DeviceSettings, Lifetimes, Realm, SignInLimits, TokenSet};
use grantor_core::model::resource::{Resource, TokenForm};
use grantor_core::model::scope::Scope;
use grantor_core::model::user_code::UserCodeFormat;
use grantor_core::people::{Password, Provision};
use grantor_jose::{
    Algorithm, KeySet, KeyState, Kid, LocalSigner, SignError, Signer, SigningKey, VerificationKeys,
};
use grantor_store::Store;
use grantor_store::memory::Memory;
use grantor_store::testing::Faulty;
use grantor_web::{App, Clock, Entropy, EventSink, ForwardedHeader, Parts, Proxies, TrustedKeys};
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::wire::{Answer, post};

pub(crate) const ISSUER: &str = "https://id.example.com";
/// Too long to be guessed, and with characters that Basic must encode.
pub(crate) const CONSOLE_SECRET: &str = "console:secret/with 22+ characters";
/// Short enough to be guessed, so wrong ones are counted.
pub(crate) const ORDERS_SECRET: &str = "s3cr3t";
/// Everybody's.
pub(crate) const PASSWORD: &str = "correct horse";

/// One key of each algorithm, made once: an RSA key is slow to find.
static KEYS: LazyLock<(LocalSigner, KeySet)> = LazyLock::new(|| {
    let keys = [Algorithm::Es256, Algorithm::Rs256]
        .map(|alg| SigningKey::generate(alg).expect("the machine has memory").0);
    let public = keys.each_ref().map(|key| (key.jwk(), KeyState::Active));
    let public = KeySet::new(public).expect("two different keys");
    (keys.into_iter().collect(), public)
});

/// Hashed once: it is slow on purpose.
static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();

pub(crate) fn keys() -> &'static KeySet {
    &KEYS.1
}

/// An application, and what a test holds of it.
pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<Faulty<Memory>>,
    pub(crate) world: Arc<World>,
    router: grantor_web::Router,
}

/// What the binary hands in: time, randomness, a signer and a place for events.
#[derive(Debug, Default)]
pub(crate) struct World {
    millis: AtomicU64,
    seeds: AtomicU64,
    /// Whether the signer is away.
    pub(crate) signer_down: AtomicBool,
    events: Mutex<Vec<(String, EventKind)>>,
    /// The key sets of trusted issuers; of others there are none.
    pub(crate) trusted_keys: Mutex<Vec<(String, Arc<VerificationKeys>)>>,
}

impl World {
    pub(crate) fn advance(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).expect("a short time");
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// The events since they were last taken, each with the trace id of its request.
    pub(crate) fn take_events(&self) -> Vec<(String, EventKind)> {
        std::mem::take(&mut *self.events.lock().expect("no test panicked with it"))
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_800_000_000)
            + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

impl Entropy for World {
    fn seed(&self) -> Seed {
        let mut bytes = [0; 32];
        let number = self.seeds.fetch_add(1, Ordering::Relaxed);
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Seed::from_bytes(bytes)
    }
}

impl EventSink for World {
    fn record(&self, _: Timestamp, trace_id: &str, event: &Event) {
        let mut events = self.events.lock().expect("no test panicked with it");
        events.push((trace_id.to_owned(), event.kind));
    }
}

impl TrustedKeys for World {
    fn keys<'a>(&'a self, ask: &'a KeyQuery) -> BoxFuture<'a, Option<Arc<VerificationKeys>>> {
        let sets = self.trusted_keys.lock().expect("no test panicked with it");
        let of_issuer = sets.iter().find(|(issuer, _)| *issuer == ask.issuer);
        ready(of_issuer.map(|(_, keys)| Arc::clone(keys))).boxed()
    }
}

impl Signer for World {
    fn sign<'a>(
        &'a self,
        kid: &'a Kid,
        alg: Algorithm,
        input: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        if self.signer_down.load(Ordering::Relaxed) {
            let away = std::io::Error::other("away").into();
            return std::future::ready(Err(SignError::Unavailable(away))).boxed();
        }
        KEYS.0.sign(kid, alg, input)
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut Realm)) -> Self {
        let mut realm = realm();
        change(&mut realm);
        let store = Arc::new(Faulty::new(Memory::new()));
        let house = Self::of(realm, Arc::clone(&store) as Arc<dyn Store>, store);
        for name in ["alice", "bob"] {
            let claims = [("given_name".to_owned(), name.into())];
            house.provision(name, claims.into()).await;
        }
        house.app.set_ready();
        house.world.take_events();
        house
    }

    /// The same house started anew with another configuration: its store and its time go on.
    pub(crate) fn restarted(&self, change: impl FnOnce(&mut Realm)) -> Self {
        let mut realm = realm();
        change(&mut realm);
        let store = Arc::clone(&self.store);
        let house = Self::of(realm, Arc::clone(&store) as Arc<dyn Store>, store);
        for (to, from) in [
            (&house.world.millis, &self.world.millis),
            (&house.world.seeds, &self.world.seeds),
        ] {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        house
    }

    /// An application over any store, without users.
    pub(crate) fn of(realm: Realm, store: Arc<dyn Store>, faults: Arc<Faulty<Memory>>) -> Self {
        let world = Arc::new(World::default());
        let app = App::new(Parts {
            realm,
            store,
            signer: Arc::clone(&world) as Arc<dyn Signer>,
            clock: Arc::clone(&world) as Arc<dyn Clock>,
            entropy: Arc::clone(&world) as Arc<dyn Entropy>,
            events: Arc::clone(&world) as Arc<dyn EventSink>,
            trusted_keys: Arc::clone(&world) as Arc<dyn TrustedKeys>,
            // The address of a request without a socket: so a test says by `X-Forwarded-For` where one comes from.
            proxies: Proxies {
                trusted: vec!["0.0.0.0/32".parse().expect("a network")],
                header: ForwardedHeader::XForwardedFor,
            },
            templates: None,
        });
        let app = app.expect("the pages are whole");
        Self {
            router: grantor_web::Router::new(Arc::clone(&app)),
            app,
            store: faults,
            world,
        }
    }

    /// A user with everybody's password.
    pub(crate) async fn provision(&self, name: &str, claims: BTreeMap<String, serde_json::Value>) {
        let hash = || async { self.app.hash_password(Secret::new(PASSWORD)).await };
        let hash = HASH.get_or_try_init(hash).await.expect("a worker is free");
        let user = Provision {
            id: UserId::from_username("default", name),
            username: name.to_owned(),
            enabled: true,
            password: Password::Hash(hash.clone()),
            email: Some(format!("{name}@example.com")),
            groups: Vec::new(),
            claims,
        };
        let outcome = self.app.run(user).await.expect("the store is there");
        outcome.reply.expect("no protocol");
    }

    /// Sends a request through the whole router.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await;
        let (parts, body) = response.expect("the router never fails").into_parts();
        let body = body.collect().await.expect("a body in memory").to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty());
        self.send(request.expect("a request")).await
    }

    pub(crate) async fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        self.send(post(path, pairs)).await
    }
}

pub(crate) fn realm() -> Realm {
    let sealing = SealingKeys::new("default", &MasterKey::new([1; 32]), &[]);
    let secret_key = Arc::new(sealing.client_secret_key());
    let secret = |secret: &str| ClientAuth::Secret {
        verifiers: vec![SecretVerifier::new(&secret_key, &Secret::new(secret))],
        basic: true,
        post: true,
    };
    let clients = [
        device("tv", ClientAuth::Public),
        device("tv2", ClientAuth::Public),
        device("console", secret(CONSOLE_SECRET)),
        Client {
            grants: vec![GrantType::ClientCredentials],
            scopes: scope("orders.example.com/read orders.example.com/write"),
            default_scopes: scope("orders.example.com/read"),
            resources: vec!["orders.example.com".to_owned()],
            ..device("orders", secret(ORDERS_SECRET))
        },
    ];
    Realm {
        name: "default".to_owned(),
        issuer: ISSUER.to_owned(),
        sealing,
        signing: keys().clone(),
        clients: clients
            .into_iter()
            .chain(crate::apps::clients(secret))
            .map(|client| (client.id.clone(), client))
            .collect(),
        resources: vec![Resource {
            identifier: "orders.example.com".to_owned(),
            uri: Some("https://orders.example.com".to_owned()),
            scopes: [("read", "Read orders"), ("write", "Change orders")]
                .map(|(name, words)| (name.to_owned(), words.to_owned()))
                .into(),
            token: TokenForm::Jwt(Algorithm::Es256),
            lifetime: None,
            groups: GroupFilter::All,
            claims: ClaimMapping::default(),
        }],
        exchange: Vec::new(),
        trusted_issuers: Vec::new(),
        access_token_alg: Algorithm::Es256,
        lifetimes: Lifetimes {
            id: minutes(10),
            session_idle: minutes(8 * 60),
            session_absolute: minutes(7 * 24 * 60),
        },
        device: DeviceSettings {
            interval: Duration::from_secs(5),
            user_code: UserCodeFormat::new("B", 8).expect("the default format"),
            longest_lifetime: minutes(10),
            max_pending: 100_000,
            max_pending_per_address: 1000,
            tokens: TokenSet {
                id: true,
                access: true,
                refresh: true,
            },
        },
        sign_in: SignInLimits::default(),
        nodes: 1,
    }
}

/// A client whose devices get every kind of token.
pub(crate) fn device(id: &str, auth: ClientAuth) -> Client {
    Client {
        id: id.parse().expect("a client id"),
        name: format!("The {id}"),
        enabled: true,
        auth,
        grants: vec![GrantType::DeviceCode, GrantType::RefreshToken],
        scopes: scope("openid profile email orders.example.com/read"),
        default_scopes: scope("openid profile"),
        resources: Vec::new(),
        access_lifetime: minutes(10),
        refresh_idle: minutes(30 * 24 * 60),
        refresh_absolute: minutes(365 * 24 * 60),
        grace: Duration::from_secs(60),
        rotation: true,
        id_token_alg: Algorithm::Rs256,
        id_claims: ClaimMapping::default(),
        actor: None,
        device: DevicePolicy {
            lifetime: minutes(10),
            approval: DeviceApproval::Warn,
            approver_max_age: minutes(12 * 60),
        },
        code: CodePolicy::NONE,
        logout: LogoutPolicy::default(),
        origins: Vec::new(),
    }
}

pub(crate) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

pub(crate) fn scope(text: &str) -> Scope {
    text.parse().expect("a scope")
}

/// A client of a realm, to be changed.
pub(crate) fn client<'p>(realm: &'p mut Realm, id: &str) -> &'p mut Client {
    let id = id.parse().expect("a client id");
    realm.clients.get_mut(&id).expect("a client of the house")
}
