//! The realm is replaced again and again while every grant is in use: no request fails, and none mixes two snapshots.
//!
//! Each generation of the realm is recognised in all that follows from it: the name and the lifetimes of its clients, a
//! constant claim and a scope of its API, a key that is published with it. Its signer has the key that is active in it, and
//! no other, so that a header of one generation cannot be signed by another.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::model::claim_mapping::{Carrier, ClaimMapping, Source};
use grantor_core::model::realm::Realm;
use grantor_jose::{
    Algorithm, Jwk, KeySet, KeyState, Kid, LocalSigner, SignError, Signer, SigningKey,
};
use grantor_testkit::server::{Answer, TestServer};
use grantor_testkit::{
    ACCESS_TOKEN, AuthorizationRequest, EXCHANGE, PORTAL, RealmBuilder, SHOP, SITE, add_services,
    resource,
};
use serde_json::Value;
use tokio::task::{JoinSet, yield_now};

const GENERATIONS: usize = 1000;
/// The keys that sign in turn; all are published in each generation.
const SIGNING_KEYS: usize = 4;
const LIFETIME: u64 = 1000;
const CONSENT_SCOPE: &str = "openid orders.example.com/read orders.example.com/write";

/// A signer that lets others go first.
struct Yielding(LocalSigner);

impl Signer for Yielding {
    fn sign<'a>(
        &'a self,
        kid: &'a Kid,
        alg: Algorithm,
        input: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        async move {
            yield_now().await;
            self.0.sign(kid, alg, input).await
        }
        .boxed()
    }
}

struct Generations {
    /// What all have in common; estimating the strength of its secrets takes long.
    base: Realm,
    /// The keys that sign in turn, each with a signer that has no other.
    signing: Vec<(Jwk, Arc<Yielding>)>,
    /// A key that each publishes, by which its key set is recognised.
    marks: Vec<Jwk>,
    of_mark: HashMap<String, usize>,
}

impl Generations {
    fn new() -> Self {
        let key = || SigningKey::generate(Algorithm::Es256).expect("memory").0;
        let signing = (0..SIGNING_KEYS).map(|_| {
            let key = key();
            let jwk = key.jwk();
            (jwk, Arc::new(Yielding([key].into_iter().collect())))
        });
        let marks: Vec<_> = (0..=GENERATIONS).map(|_| key()).collect();
        let kids = marks.iter().map(|key| key.kid().to_string());
        Self {
            base: RealmBuilder::standard().change(add_services).build(),
            signing: signing.collect(),
            of_mark: kids.enumerate().map(|(n, kid)| (kid, n)).collect(),
            marks: marks.iter().map(SigningKey::jwk).collect(),
        }
    }

    /// A realm that differs from every other in all that a client sees, and its signer.
    fn realm(&self, n: usize) -> (Realm, Arc<dyn Signer>) {
        let mut realm = self.base.clone();
        let turn = n % SIGNING_KEYS;
        let state = |at| match at == turn {
            true => KeyState::Active,
            false => KeyState::Retiring,
        };
        let signing = self.signing.iter().enumerate();
        let signing = signing.map(|(at, (key, _))| (key.clone(), state(at)));
        let mark = (self.marks[n].clone(), KeyState::Next);
        let keys = KeySet::new(signing.chain([mark]));
        realm.signing = keys.expect("different keys").into();
        for client in realm.clients.values_mut() {
            let client = Arc::make_mut(client);
            client.name = format!("gen-{n}.");
            client.id_token_alg = Algorithm::Es256;
            client.access_lifetime = Duration::from_secs(LIFETIME + n as u64);
        }
        for api in &mut realm.resources {
            for scope in api.scopes.values_mut() {
                scope.text = format!("gen-{n}.");
            }
            let generation = ("generation".to_owned(), Source::Constant(n.into()));
            api.claims = ClaimMapping::new(Carrier::AccessToken, [generation]).expect("a claim");
        }
        let (mark, form) = (format!("gen-{n}."), realm.resources[0].token);
        realm
            .resources
            .push(resource(&mark, None, &[("read", "Read")], form));
        (realm, Arc::clone(&self.signing[turn].1) as _)
    }
}

/// The generations that a text names.
fn generations(text: &str) -> BTreeSet<usize> {
    let parts = text.split("gen-").skip(1);
    let numbers = parts.filter_map(|part| part.split_once('.')?.0.parse().ok());
    numbers.collect()
}

/// A document that is published.
fn document(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_str(&answer.body).expect("JSON")
}

/// The generation by which a token was issued, of which everything in the answer is.
fn issued_by(server: &TestServer, answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{answer:?}");
    let lifetime = answer.json()["expires_in"].as_u64().expect("a lifetime");
    let claims = |member: &str| {
        let token = answer.member(member);
        let token = grantor_jose::decode(&token).expect("a JWT");
        let token = server.app.realm().signing.verify(token).expect("ours");
        token.claims::<Value>().expect("claims")
    };
    let token = claims("access_token");
    if answer.json()["id_token"].is_string() {
        claims("id_token");
    }
    let lived = token["exp"].as_u64().expect("a time") - token["iat"].as_u64().expect("a time");
    assert_eq!(lived, lifetime);
    if let Some(generation) = token["generation"].as_u64() {
        assert_eq!(LIFETIME + generation, lifetime);
    }
    lifetime - LIFETIME
}

struct Load {
    server: Arc<TestServer>,
    generations: Arc<Generations>,
    requests: Arc<AtomicUsize>,
}

impl Load {
    /// Counts a request, and lets others have their turn: what never waits could not be ended.
    async fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        yield_now().await;
    }

    fn done(&self) -> bool {
        self.server
            .app
            .realm()
            .resource(&format!("gen-{GENERATIONS}."))
            .is_some()
    }

    /// A device, its refresh token, and its access token at the API and at userinfo.
    async fn devices(self) {
        let server = &self.server;
        let mut browser = server.signed_in("alice").await;
        while !self.done() {
            let scope = [("scope", "openid orders.example.com/read")];
            let codes = server.device_codes_with("tv2", &scope).await;
            browser.approve(&codes).await;
            self.count().await;
            let tokens = server.poll(&codes).await;
            issued_by(server, &tokens);
            let refreshed = server.refresh("tv2", &tokens.member("refresh_token")).await;
            issued_by(server, &refreshed);
            self.count().await;
            for tokens in [tokens, refreshed] {
                let token = tokens.member("access_token");
                let known = server.introspect("orders", &token).await.json();
                assert_eq!(known["active"], true, "{known}");
                assert_eq!(server.userinfo(&token).await.status, 200);
            }
            self.count().await;
        }
    }

    /// An app's code, its refresh token, and a service that exchanges its access token.
    async fn apps(self) {
        let server = &self.server;
        let mut browser = server.signed_in("bob").await;
        let scope = "openid offline_access orders.example.com/read";
        while !self.done() {
            let request = AuthorizationRequest::new(PORTAL).with("scope", scope);
            let result = browser.authorize_with(&request, "bob", "approve").await;
            self.count().await;
            let tokens = server.redeem(PORTAL, &result.code()).await;
            issued_by(server, &tokens);
            let refreshed = server
                .refresh(PORTAL, &tokens.member("refresh_token"))
                .await;
            issued_by(server, &refreshed);
            self.count().await;
            let subject = refreshed.member("access_token");
            let pairs = [
                ("grant_type", EXCHANGE),
                ("subject_token", &subject),
                ("subject_token_type", ACCESS_TOKEN),
                ("audience", "https://shipping.example.com"),
            ];
            let exchanged = server.request_tokens("orders", &pairs).await;
            assert_eq!(exchanged.status, 200, "{exchanged:?}");
            self.count().await;
        }
    }

    /// A machine; and the newest generation is never older than one that was seen before.
    async fn machines(self) {
        let mut newest = 0;
        while !self.done() {
            let scope = [("scope", "orders.example.com/read")];
            let generation = issued_by(
                &self.server,
                &self.server.machine_token("orders", &scope).await,
            );
            assert!(generation >= newest, "{generation} after {newest}");
            newest = generation;
            self.count().await;
        }
    }

    /// What is published: the key set is never older than the metadata, nor the metadata than the key set.
    async fn documents(self) {
        let server = &self.server;
        let metadata = async || {
            let answer = server.get("/.well-known/openid-configuration").await;
            let named = generations(&document(&answer)["scopes_supported"].to_string());
            assert_eq!(named.len(), 1, "{named:?}");
            named.into_iter().next().expect("one")
        };
        while !self.done() {
            let before = metadata().await;
            let keys = document(&server.get("/.well-known/jwks.json").await);
            let keys = keys["keys"].as_array().expect("a list").iter();
            let named = keys.filter_map(|key| self.generations.of_mark.get(key["kid"].as_str()?));
            let named: Vec<_> = named.copied().collect();
            let after = metadata().await;
            assert!(
                matches!(named[..], [keys] if before <= keys && keys <= after),
                "{named:?}"
            );
            self.count().await;
        }
    }

    /// The page on which a user consents: the client and its scopes are of one generation.
    async fn consents(self) {
        let mut browser = self.server.signed_in("bob").await;
        while !self.done() {
            for client in [SHOP, SITE] {
                let request = AuthorizationRequest::new(client).with("scope", CONSENT_SCOPE);
                let page = browser.get(&request.path()).await;
                assert!(page.body.contains("action=\"/consent\""), "{page:?}");
                let named = generations(&page.body);
                assert_eq!(named.len(), 1, "{named:?}: {}", page.body);
                self.count().await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_realm_that_is_replaced_a_thousand_times_fails_no_request_and_mixes_with_no_other() {
    let generations = Arc::new(Generations::new());
    let server = Arc::new(TestServer::with(add_services).await);
    let replace = |n| {
        let (realm, signer) = generations.realm(n);
        server.replace(realm, signer);
    };
    replace(0);
    let requests = Arc::new(AtomicUsize::new(0));
    let mut running = JoinSet::new();
    let load = || Load {
        server: Arc::clone(&server),
        generations: Arc::clone(&generations),
        requests: Arc::clone(&requests),
    };
    running.spawn(load().devices());
    running.spawn(load().apps());
    running.spawn(load().machines());
    running.spawn(load().documents());
    running.spawn(load().consents());
    for n in 1..=GENERATIONS {
        replace(n);
        // The oldest grants of a user end at the limit, and not those of the same moment.
        server.advance(Duration::from_millis(1));
        // Some request ends between two generations, so that many begin and end within each.
        let before = requests.load(Ordering::Relaxed);
        while requests.load(Ordering::Relaxed) == before {
            if let Some(ended) = running.try_join_next() {
                ended.expect("no request fails");
            }
            yield_now().await;
        }
    }
    while let Some(ended) = running.join_next().await {
        ended.expect("no request fails");
    }
}
