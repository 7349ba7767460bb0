//! Keys that change under a running application.

use std::sync::{Arc, OnceLock};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::model::realm::Realm;
use grantor_jose::{Algorithm, KeySet, KeyState, Kid, LocalSigner, SignError, Signer, SigningKey};
use grantor_web::{App, NoTrustedKeys, SnapshotParts};
use serde_json::Value;

use grantor_testkit::key_set;
use grantor_testkit::server::{Answer, TestServer, jose_header};

/// A token for an API, which that API may introspect, and for userinfo.
const SCOPE: &str = "openid orders.example.com/read";

/// A signer with a new ES256 key next to the server's RS256 one, and what is published with it: the server's keys,
/// its ES256 key in that state.
fn successor(of_the_old: Option<KeyState>) -> (KeySet, LocalSigner) {
    let new = SigningKey::generate(Algorithm::Es256).expect("memory").0;
    let rs256 = SigningKey::generate(Algorithm::Rs256).expect("memory").0;
    let old = key_set().active(Algorithm::Es256).expect("a key").jwk();
    let mut published = vec![
        (new.jwk(), KeyState::Active),
        (rs256.jwk(), KeyState::Active),
    ];
    published.extend(of_the_old.map(|state| (old.clone(), state)));
    let published = KeySet::new(published).expect("different keys");
    (published, [new, rs256].into_iter().collect())
}

fn document(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).expect("JSON")
}

fn kid(token: &str) -> String {
    jose_header(token)["kid"]
        .as_str()
        .expect("a kid")
        .to_owned()
}

#[tokio::test]
async fn tokens_of_a_retiring_key_keep_working_and_new_ones_are_of_the_new_key() {
    let server = TestServer::new().await;
    let before = server
        .device_tokens_with("tv", "alice", &[("scope", SCOPE)])
        .await
        .member("access_token");
    let (published, signer) = successor(Some(KeyState::Retiring));
    server.replace_keys(published, Arc::new(signer));

    let after = server
        .device_tokens_with("tv", "alice", &[("scope", SCOPE)])
        .await
        .member("access_token");
    assert_ne!(kid(&before), kid(&after));
    let jwks = document(&server.get("/.well-known/jwks.json").await);
    for token in [&before, &after] {
        assert_eq!(server.userinfo(token).await.status, 200);
        assert_eq!(
            server.introspect("orders", token).await.json()["active"],
            true
        );
        let published = jwks["keys"].as_array().expect("keys");
        assert!(published.iter().any(|key| key["kid"] == kid(token)));
    }
}

#[tokio::test]
async fn tokens_of_a_removed_key_are_refused() {
    let server = TestServer::new().await;
    let before = server
        .device_tokens_with("tv", "alice", &[("scope", SCOPE)])
        .await
        .member("access_token");
    let (published, signer) = successor(None);
    server.replace_keys(published, Arc::new(signer));
    assert_eq!(server.userinfo(&before).await.status, 401);
    assert_eq!(
        server.introspect("orders", &before).await.json()["active"],
        false
    );
}

#[tokio::test]
async fn metadata_follows_the_keys() {
    let server = TestServer::new().await;
    let key = SigningKey::generate(Algorithm::EdDsa).expect("memory").0;
    let published = KeySet::new([(key.jwk(), KeyState::Active)]).expect("a key");
    let signer: LocalSigner = [key].into_iter().collect();
    server.replace_keys(published, Arc::new(signer));
    let metadata = document(&server.get("/.well-known/openid-configuration").await);
    let algorithms = &metadata["id_token_signing_alg_values_supported"];
    assert_eq!(*algorithms, serde_json::json!(["EdDSA"]));
}

/// Changes the keys of an application while it signs for it.
struct Meddler {
    app: OnceLock<Arc<App>>,
    signer: LocalSigner,
}

impl Signer for Meddler {
    fn sign<'a>(
        &'a self,
        kid: &'a Kid,
        alg: Algorithm,
        input: &'a [u8],
    ) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        let (published, signer) = successor(None);
        let app = self.app.get().expect("it is set");
        async move {
            let realm = Realm {
                signing: published.into(),
                ..(*app.realm()).clone()
            };
            app.replace(SnapshotParts {
                realm,
                signer: Arc::new(signer),
                trusted_keys: Arc::new(NoTrustedKeys),
            });
            self.signer.sign(kid, alg, input).await
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_request_ends_with_the_keys_that_it_began_with() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    let mut alice = server.signed_in("alice").await;
    alice.approve(&codes).await;
    let (published, signer) = successor(None);
    let meddler = Arc::new(Meddler {
        app: OnceLock::from(Arc::clone(&server.app)),
        signer,
    });
    server.replace_keys(published.clone(), meddler);
    // An access token and an ID token: the keys change before each signature.
    let tokens = server.poll(&codes).await;
    for (member, alg) in [
        ("access_token", Algorithm::Es256),
        ("id_token", Algorithm::Rs256),
    ] {
        let key = published.active(alg).expect("a key");
        assert_eq!(kid(&tokens.member(member)), key.kid().as_str());
    }
}
