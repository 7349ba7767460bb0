//! A server that trusts an issuer on loopback, which answers as a test wants it to.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Mutex;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::join_all;
use futures_util::{poll, stream};
use grantor_jose::{Algorithm, Jwk, Kid, SigningKey};
use grantor_web::{Clock as _, Router};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::*;
use crate::installation::Installation;
use crate::realm_owner::{Kept, Next};
use crate::signing_keys::SigningKeysError;
use crate::system::SystemClock;
use crate::written::Document;
use grantor_config::{Environment, parse};

const METADATA: &str = "/.well-known/openid-configuration";
const EXCHANGE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
const JWT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";

#[derive(Clone, Debug)]
enum Answer {
    Json(Value),
    Status(StatusCode),
    Redirect(String),
    /// A good status, and then bytes for ever.
    Endless,
    /// Nothing while this holds, then an error.
    After(watch::Receiver<()>),
}

#[derive(Default)]
struct Answers {
    answers: Mutex<HashMap<String, Answer>>,
    asked: Mutex<Vec<String>>,
}

/// Another issuer, on its own port.
struct Issuer {
    url: String,
    key: SigningKey,
    answers: Arc<Answers>,
}

impl Issuer {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = Arc::new(Answers::default());
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&answers));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (key, _) = SigningKey::generate(Algorithm::Es256).unwrap();
        let issuer = Self { url, key, answers };
        let metadata = json!({ "issuer": issuer.url, "jwks_uri": format!("{}/jwks", issuer.url) });
        issuer.answer(METADATA, Answer::Json(metadata));
        issuer.publish(&[issuer.key.jwk()]);
        issuer
    }

    fn answer(&self, path: &str, answer: Answer) {
        let mut answers = self.answers.answers.lock().unwrap();
        answers.insert(path.to_owned(), answer);
    }

    fn publish(&self, keys: &[Jwk]) {
        self.answer("/jwks", Answer::Json(json!({ "keys": keys })));
    }

    /// How often it was asked for its metadata, and for its keys.
    fn asked(&self) -> (usize, usize) {
        let asked = self.answers.asked.lock().unwrap();
        let count = |path: &str| asked.iter().filter(|asked| *asked == path).count();
        (count(METADATA), count("/jwks"))
    }

    fn token(&self) -> String {
        signed(&self.key, self.key.kid(), &self.url)
    }
}

async fn answer(State(answers): State<Arc<Answers>>, uri: Uri) -> Response {
    let path = uri.path().to_owned();
    answers.asked.lock().unwrap().push(path.clone());
    let answer = answers.answers.lock().unwrap().get(&path).cloned();
    match answer.unwrap_or(Answer::Status(StatusCode::NOT_FOUND)) {
        Answer::Json(value) => value.to_string().into_response(),
        Answer::Status(status) => status.into_response(),
        Answer::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Answer::Endless => {
            let spaces = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b' '; 8192])));
            Body::from_stream(spaces).into_response()
        }
        Answer::After(mut held) => {
            held.changed().await.ok();
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A token for this server for a subject without an account here.
fn signed(key: &SigningKey, kid: &Kid, issuer: &str) -> String {
    let now = SystemClock.now().as_secs();
    let header = json!({ "alg": "ES256", "kid": kid });
    let claims = json!({
        "iss": issuer, "sub": "carol", "aud": "https://id.example.com", "iat": now, "exp": now + 300,
    });
    let encode = |part: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part)
    };
    let [header, claims] = [header, claims].map(|part| encode(part.to_string().as_bytes()));
    let input = format!("{header}.{claims}");
    let signature = key.sign(Algorithm::Es256, input.as_bytes()).unwrap();
    format!("{input}.{}", encode(&signature))
}

/// The server, as a start opens it.
struct Trusting {
    router: Router,
    installation: Installation,
    folder: TempDir,
}

/// What came: the status, and the body.
type Came = (u16, Value);

impl Trusting {
    async fn of(issuers: &[&Issuer]) -> Self {
        Self::with(issuers, "").await
    }

    fn settings(folder: &TempDir, issuers: &[&Issuer], lines: &str) -> Settings {
        let rules = issuers.iter().map(|issuer| {
            let url = &issuer.url;
            format!(
                "[[exchange]]\nclient = \"orders\"\naudience = \"shipping\"\nsubject_issuer = \"{url}\"\n\
                 gives = [\"shipping/read\"]\n\
                 [[trusted_issuer]]\nissuer = \"{url}\"\n{lines}\n"
            )
        });
        let text = format!(
            "issuer = \"https://id.example.com\"\nstore = \"memory:\"\n\
             [[resource]]\nidentifier = \"shipping\"\nscopes = {{ read = \"R\", write = \"W\" }}\n\
             [[client]]\nid = \"orders\"\nsecret = \"0123456789abcdefghijklmnop\"\n\
             grants = [\"token_exchange\", \"client_credentials\"]\nscopes = [\"shipping/read\"]\n{}",
            rules.collect::<String>()
        );
        parse(
            &text,
            "grantor.toml",
            folder.path(),
            &Environment::default(),
        )
        .unwrap()
    }

    /// The same with more lines of each `[[trusted_issuer]]`.
    async fn with(issuers: &[&Issuer], lines: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let settings = Self::settings(&folder, issuers, lines);
        let installation = Installation::open(&settings).await.unwrap();
        installation.app.set_ready();
        Self {
            router: Router::new(Arc::clone(&installation.app)),
            installation,
            folder,
        }
    }

    /// Trusts these issuers from now on.
    async fn reload(&self, issuers: &[&Issuer]) {
        let settings = Self::settings(&self.folder, issuers, "");
        let settings = Arc::new(settings);
        let owner = &self.installation.owner;
        let known = owner.trusted_keys();
        let next = Next {
            trusted_keys: Arc::new(known.for_settings(&settings).unwrap()),
            assembled: owner.assemble(&settings, &Document::default()).unwrap(),
            settings,
            kept: Kept::default(),
            read_at: SystemClock.now(),
            instances: HashMap::new(),
        };
        let nothing = async { Ok::<_, SigningKeysError>(()) };
        let keys = &self.installation.keys;
        keys.replace_settings(next, nothing).await.unwrap();
    }

    async fn token(&self, secret: &str, form: String) -> Came {
        let form = format!("client_id=orders&client_secret={secret}&{form}");
        let request = Request::post("/oauth2/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn exchange(&self, token: &str) -> Came {
        let form = format!("grant_type={EXCHANGE}&subject_token={token}&subject_token_type={JWT}");
        self.token("0123456789abcdefghijklmnop", form).await
    }
}

fn error(came: &Came) -> (u16, &str) {
    (came.0, came.1["error"].as_str().unwrap_or_default())
}

const AWAY: (u16, &str) = (503, "temporarily_unavailable");

#[tokio::test]
async fn a_trusted_issuers_subject_gets_what_the_rule_gives_and_its_keys_are_fetched_once() {
    let issuer = Issuer::open().await;
    let (next, _) = SigningKey::generate(Algorithm::Es256).unwrap();
    // The one that will sign is published before it does.
    issuer.publish(&[issuer.key.jwk(), next.jwk()]);
    let server = Trusting::of(&[&issuer]).await;
    let rotated = signed(&next, next.kid(), &issuer.url);
    for token in [issuer.token(), issuer.token(), rotated] {
        let (status, body) = server.exchange(&token).await;
        assert_eq!(
            (status, &body["scope"]),
            (200, &json!("shipping/read")),
            "{body}"
        );
        let issued = grantor_jose::decode(body["access_token"].as_str().unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(issued.unverified_payload()).unwrap();
        assert_eq!(claims["sub"], format!("{}|carol", issuer.url));
        assert_eq!(
            claims["act"],
            json!({ "sub": "orders", "client_id": "orders" })
        );
        assert_eq!(claims["aud"], "shipping");
    }
    assert_eq!(issuer.asked(), (1, 1));
}

#[tokio::test]
async fn a_reload_keeps_the_keys_of_issuers_that_stay_and_no_others() {
    let (stays, comes) = (Issuer::open().await, Issuer::open().await);
    let server = Trusting::of(&[&stays]).await;
    assert_eq!(server.exchange(&stays.token()).await.0, 200);
    assert_eq!(error(&server.exchange(&comes.token()).await).0, 400);

    server.reload(&[&stays, &comes]).await;
    for issuer in [&stays, &comes] {
        assert_eq!(server.exchange(&issuer.token()).await.0, 200);
        assert_eq!(issuer.asked(), (1, 1));
    }
    server.reload(&[&stays]).await;
    assert_eq!(error(&server.exchange(&comes.token()).await).0, 400);
    // Once it was gone, nothing is left of it.
    server.reload(&[&stays, &comes]).await;
    assert_eq!(server.exchange(&comes.token()).await.0, 200);
    assert_eq!((stays.asked(), comes.asked()), ((1, 1), (2, 2)));
}

#[tokio::test]
async fn keys_come_from_the_address_that_the_file_names() {
    let issuer = Issuer::open().await;
    issuer.answer(METADATA, Answer::Status(StatusCode::NOT_FOUND));
    let jwks_uri = format!("jwks_uri = \"{}/jwks\"", issuer.url);
    let server = Trusting::with(&[&issuer], &jwks_uri).await;
    assert_eq!(server.exchange(&issuer.token()).await.0, 200);
    assert_eq!(issuer.asked(), (0, 1));
}

#[tokio::test]
async fn a_flood_of_made_up_key_ids_asks_the_issuer_once() {
    let issuer = Issuer::open().await;
    let server = Trusting::of(&[&issuer]).await;
    let (forger, _) = SigningKey::generate(Algorithm::Es256).unwrap();
    let forged = async |number: u32| {
        let kid = Kid::from(format!("made-up-{number}").as_str());
        server.exchange(&signed(&forger, &kid, &issuer.url)).await
    };
    let mut came = join_all((0..200).map(&forged)).await;
    assert_eq!(server.exchange(&issuer.token()).await.0, 200);
    for number in 200..220 {
        came.push(forged(number).await);
    }
    for came in came {
        assert_eq!(error(&came), (400, "invalid_request"));
    }
    assert_eq!(issuer.asked(), (1, 1));
}

#[tokio::test]
async fn keys_are_not_fetched_for_unknown_clients_or_undeclared_issuers() {
    let (issuer, other) = (Issuer::open().await, Issuer::open().await);
    let server = Trusting::of(&[&issuer]).await;
    let came = server.exchange(&other.token()).await;
    assert_eq!(error(&came), (400, "invalid_request"));
    // The client's secret is asked before anything of its request is believed.
    let form = format!(
        "grant_type={EXCHANGE}&subject_token={}&subject_token_type={JWT}",
        issuer.token()
    );
    let came = server.token("0123456789abcdefghijklmno-", form).await;
    assert_eq!(error(&came), (401, "invalid_client"));
    assert_eq!((issuer.asked(), other.asked()), ((0, 0), (0, 0)));
}

#[tokio::test]
async fn unavailable_issuer_keys_are_answered_as_temporary() {
    let elsewhere =
        json!({ "issuer": "https://other.example", "jwks_uri": "https://other.example/jwks" });
    let answers = [
        (METADATA, Answer::Status(StatusCode::INTERNAL_SERVER_ERROR)),
        (METADATA, Answer::Json(elsewhere)),
        (METADATA, Answer::Endless),
        ("/jwks", Answer::Endless),
        ("/jwks", Answer::Redirect("/elsewhere".to_owned())),
        ("/jwks", Answer::Json(json!({ "keys": "none" }))),
    ];
    let issuers = join_all(answers.map(async |(path, answer)| {
        let issuer = Issuer::open().await;
        let keys = json!({ "keys": [issuer.key.jwk()] });
        issuer.answer("/elsewhere", Answer::Json(keys));
        issuer.answer(path, answer);
        issuer
    }))
    .await;
    let server = Trusting::of(&issuers.iter().collect::<Vec<_>>()).await;
    for issuer in &issuers {
        let token = issuer.token();
        for came in join_all((0..50).map(|_| server.exchange(&token))).await {
            assert_eq!(error(&came), AWAY);
        }
        let (metadata, keys) = issuer.asked();
        // Once; again after a second at the earliest, then after two, four …
        assert!(metadata.max(keys) <= 4, "{metadata} {keys}");
    }
}

#[tokio::test]
async fn a_hanging_issuer_does_not_delay_other_requests() {
    let issuer = Issuer::open().await;
    let (release, held) = watch::channel(());
    issuer.answer("/jwks", Answer::After(held));
    let server = Trusting::of(&[&issuer]).await;
    let token = issuer.token();
    let mut waiting = Box::pin(server.exchange(&token));
    assert!(poll!(&mut waiting).is_pending());
    while issuer.asked().1 == 0 {
        tokio::task::yield_now().await;
        assert!(poll!(&mut waiting).is_pending());
    }
    let machine = "grant_type=client_credentials".to_owned();
    let (status, _) = server.token("0123456789abcdefghijklmnop", machine).await;
    assert_eq!(status, 200);
    assert!(poll!(&mut waiting).is_pending());
    release.send(()).unwrap();
    assert_eq!(error(&waiting.await), AWAY);
}

#[tokio::test]
async fn a_fetch_of_issuer_keys_times_out() {
    let issuer = Issuer::open().await;
    let (_never, held) = watch::channel(());
    issuer.answer("/jwks", Answer::After(held));
    let text = format!(
        "issuer = \"https://id.example.com\"\n[[trusted_issuer]]\nissuer = \"{}\"\n",
        issuer.url
    );
    let settings = parse(
        &text,
        "grantor.toml",
        Path::new(""),
        &Environment::default(),
    )
    .unwrap();
    let keys = KeySets::with_timeout(&settings, Duration::from_millis(50)).unwrap();
    let mut ask = KeyQuery {
        issuer: issuer.url.clone(),
        kid: Some(issuer.key.kid().clone()),
        algorithm: Algorithm::Es256,
    };
    assert!(keys.keys(&ask).await.is_none());
    ask.issuer = "https://other.example".to_owned();
    assert!(keys.keys(&ask).await.is_none());
}
