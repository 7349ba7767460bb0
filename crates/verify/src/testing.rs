//! A mock issuer on loopback.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::stream;
use grantor_jose::{Algorithm, Jwk, Jwks, Kid, SigningKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::verifier::{Verifier, VerifierBuilder};

/// The response of a path.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Json(Value),
    /// With this `Cache-Control`.
    Cached(Value, &'static str),
    Status(u16),
    /// A status with a body.
    Refused(u16, Value),
    Redirect(String),
    /// Status 200, and then bytes for ever, without `Content-Length`.
    Endless,
    /// No response.
    Nothing,
}

/// A server on its own port; it stops with the test's runtime.
#[derive(Clone, Debug)]
pub(crate) struct MockIssuer {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    answers: Mutex<HashMap<String, Answer>>,
    asked: Mutex<Vec<(String, String)>>,
}

impl MockIssuer {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Sets the response of `path`; other paths answer 404.
    pub(crate) fn set(&self, path: &str, answer: Answer) {
        let mut answers = self.shared.answers.lock().unwrap();
        answers.insert(path.to_owned(), answer);
    }

    /// Sets the issuer's metadata, and its keys at `/jwks`.
    pub(crate) fn publish(&self, keys: &[&Key]) {
        let url = &self.url;
        let metadata = json!({
            "issuer": url,
            "jwks_uri": format!("{url}/jwks"),
            "introspection_endpoint": format!("{url}/introspect"),
            "token_endpoint": format!("{url}/token"),
        });
        self.set(METADATA, Answer::Json(metadata));
        self.set("/jwks", Answer::Json(key_set(keys)));
    }

    /// The number of requests to a path.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.bodies(path).len()
    }

    /// The bodies of the requests to a path.
    pub(crate) fn bodies(&self, path: &str) -> Vec<String> {
        let asked = self.shared.asked.lock().unwrap();
        let of_path = asked.iter().filter(|(asked, _)| asked == path);
        of_path.map(|(_, body)| body.clone()).collect()
    }
}

/// The path of the metadata of an issuer without a path.
pub(crate) const METADATA: &str = "/.well-known/openid-configuration";

async fn answer(State(shared): State<Arc<Shared>>, _: Method, uri: Uri, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    shared.asked.lock().unwrap().push((path.clone(), body));
    let answer = shared.answers.lock().unwrap().get(&path).cloned();
    match answer.unwrap_or(Answer::Status(404)) {
        Answer::Json(value) => value.to_string().into_response(),
        Answer::Cached(value, control) => {
            ([(header::CACHE_CONTROL, control)], value.to_string()).into_response()
        }
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::Refused(status, value) => {
            let status = StatusCode::from_u16(status).unwrap();
            (status, value.to_string()).into_response()
        }
        Answer::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Answer::Endless => {
            let spaces = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b' '; 8192])));
            Body::from_stream(spaces).into_response()
        }
        Answer::Nothing => std::future::pending().await,
    }
}

/// A key pair with an id.
pub(crate) struct Key {
    alg: Algorithm,
    kid: Kid,
    signing: SigningKey,
}

impl Key {
    pub(crate) fn new(alg: Algorithm, kid: &str) -> Self {
        let (signing, _) = SigningKey::generate(alg).unwrap();
        let kid = kid.into();
        Self { alg, kid, signing }
    }

    pub(crate) fn jwk(&self) -> Jwk {
        Jwk {
            kid: Some(self.kid.clone()),
            ..self.signing.jwk()
        }
    }

    /// The header of an access token (RFC 9068).
    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.alg.name(), "typ": "at+jwt", "kid": self.kid.as_str() })
    }

    pub(crate) fn access_token(&self, claims: &Value) -> String {
        self.token(&self.header(), claims)
    }

    /// A token with this header, signed by this key.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        sign(header, claims, |input| {
            self.signing.sign(self.alg, input).unwrap().to_vec()
        })
    }
}

/// A token with the signature that `sign` returns.
pub(crate) fn sign(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let [header, claims] = [header, claims].map(|part| encode(part.to_string().as_bytes()));
    let input = format!("{header}.{claims}");
    let signature = encode(&sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// `base` with changed members; null removes one.
pub(crate) fn with(base: &Value, changes: Value) -> Value {
    let mut base = base.as_object().unwrap().clone();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => base.remove(name),
            value => base.insert(name.clone(), value.clone()),
        };
    }
    Value::Object(base)
}

pub(crate) fn key_set(keys: &[&Key]) -> Value {
    let keys = keys.iter().map(|key| key.jwk()).collect();
    serde_json::to_value(Jwks { keys }).unwrap()
}

/// An HTTP client that follows no redirects.
pub(crate) fn http() -> reqwest::Client {
    crate::http_client().unwrap()
}

/// An issuer with one key, a verifier of the service `orders`, and the clock.
pub(crate) struct Setup {
    pub(crate) issuer: MockIssuer,
    pub(crate) clock: Clock,
    pub(crate) key: Key,
    pub(crate) verifier: Verifier,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(change: impl FnOnce(VerifierBuilder) -> VerifierBuilder) -> Self {
        let issuer = MockIssuer::new().await;
        let key = Key::new(Algorithm::EdDsa, "one");
        issuer.publish(&[&key]);
        let clock = Clock::new();
        let builder = Verifier::builder(&issuer.url, ["orders", "orders-old"]).unwrap();
        let builder = change(builder).http(http()).clock(clock.clone());
        let verifier = builder.build().unwrap();
        Self {
            issuer,
            clock,
            key,
            verifier,
        }
    }

    /// The claims of a valid access token.
    pub(crate) fn claims(&self) -> Value {
        let now = self.clock.now();
        json!({
            "iss": self.issuer.url, "sub": "alice", "aud": "orders", "client_id": "website",
            "scope": "orders/read", "iat": now, "exp": now + 600, "jti": "1",
        })
    }

    pub(crate) fn good_token(&self) -> String {
        self.key.access_token(&self.claims())
    }
}
