use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use grantor_core::base::params::Params;
use grantor_core::base::peer::Peer;
use grantor_core::base::row::{Key, NewRow, Version, Write};
use grantor_core::base::sealing::MasterKey;
use grantor_core::base::secret::Secret;
use grantor_core::base::time::Timestamp;
use grantor_core::endpoints::authorize::{AuthorizationRequest, Authorize, AuthorizeReply};
use grantor_core::endpoints::logout::{Logout, LogoutRequest};
use grantor_core::engine::event::{Event, EventKind};
use grantor_core::model::client::{CodePolicy, ConsentPolicy, LogoutPolicy};
use grantor_core::model::ids::{SessionId, UserId};
use grantor_core::people::{Password, Provision, SignIn, SignInReply};
use grantor_core::tokens::handles::PresentedCookie;
use grantor_jose::{Algorithm, Signer, TokenType};
use grantor_store::memory::Memory;
use grantor_web::{EventSink, ForwardedHeader, NoTrustedKeys, Parts, Proxies, SnapshotParts};
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::assemble;
use crate::installation::key_store_of;
use crate::master_key::{MasterKeys, Source};
use crate::outgoing::Outgoing;
use crate::signing_keys::KeyStore;
use crate::system::SystemEntropy;
use crate::written::Document;
use grantor_config::{Environment, parse};

const CALLBACK: &str = "https://shop.example/cb";
const FILE: &str = "issuer = \"https://id.example.com\"\n\
    [[client]]\nid = \"shop\"\nsecret = \"0123456789abcdefghijklmnop\"\ngrants = [\"authorization_code\"]\n\
    scopes = [\"openid\"]\nredirect_uris = [\"https://shop.example/cb\"]\n";

/// Time that a test sets, and the events of it.
#[derive(Debug, Default)]
struct World {
    millis: AtomicU64,
    events: Mutex<Vec<EventKind>>,
}

impl World {
    fn pass(&self, seconds: u64) {
        self.millis.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    fn events(&self) -> Vec<EventKind> {
        std::mem::take(&mut self.events.lock().unwrap())
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        let began = Timestamp::from_secs(1_800_000_000);
        began + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Timestamp {
        self.now()
    }
}

impl EventSink for World {
    fn record(&self, _: Timestamp, _: &str, event: &Event) {
        self.events.lock().unwrap().push(event.kind);
    }
}

/// How an app answers: with this status, or by closing the connection.
type Manner = Arc<Mutex<Option<&'static str>>>;

/// The app's own server: a socket that writes down what it is sent.
struct Shop {
    address: String,
    manner: Manner,
    got: mpsc::UnboundedReceiver<String>,
}

impl Shop {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sent, got) = mpsc::unbounded_channel();
        let manner: Manner = Arc::new(Mutex::new(Some("200 OK")));
        let shop = Self {
            address,
            manner: Arc::clone(&manner),
            got,
        };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_whole(&mut stream).await;
                sent.send(request).ok();
                let answer = *manner.lock().unwrap();
                if let Some(answer) = answer {
                    // More is announced than will ever come.
                    let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 1000000000\r\n\r\n");
                    stream.write_all(head.as_bytes()).await.unwrap();
                }
            }
        });
        shop
    }

    fn answers(&self, manner: Option<&'static str>) {
        *self.manner.lock().unwrap() = manner;
    }

    /// What came since this was asked last.
    fn got(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.got.try_recv().ok()).collect()
    }
}

async fn read_whole(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if read == 0 || length.is_some_and(|length| body.len() >= length.parse().unwrap()) {
            return request;
        }
    }
}

/// A server over a store, as a start makes it.
struct TestServer {
    app: Arc<App>,
    backchannel: BackChannel,
}

async fn server(store: &Arc<Memory>, world: &Arc<World>, shop: &Shop) -> TestServer {
    let settings = parse(FILE, "grantor.toml", Path::new(""), &Environment::default()).unwrap();
    let masters = MasterKeys::from(MasterKey::new([1; 32]));
    let source = Source::File(PathBuf::from("grantor.key"));
    let kept = Arc::clone(store) as Arc<dyn Store>;
    let keys = KeyStore {
        in_use: vec![Algorithm::Es256, Algorithm::Rs256],
        clock: Arc::clone(world) as Arc<dyn Clock>,
        ..key_store_of(&settings, &Document::default(), kept, masters, source).unwrap()
    };
    let opened = keys.open().await.unwrap();
    let mut realm = assemble::realm(&settings, &keys.masters, opened.published.clone()).unwrap();
    let client = Arc::make_mut(realm.clients.get_mut(&"shop".parse().unwrap()).unwrap());
    client.code = CodePolicy {
        redirect_uris: vec![CALLBACK.parse().unwrap()],
        pkce_required: false,
        lifetime: Duration::from_secs(60),
        consent: ConsentPolicy::Skip,
    };
    client.logout = LogoutPolicy {
        redirect_uris: Vec::new(),
        backchannel_uri: Some(format!("http://{}/logout?tenant=a%20b", shop.address)),
    };
    let app = App::new(Parts {
        snapshot: SnapshotParts {
            realm,
            signer: Arc::clone(&opened.signer) as Arc<dyn Signer>,
            trusted_keys: Arc::new(NoTrustedKeys),
        },
        store: Arc::clone(store) as Arc<dyn Store>,
        clock: Arc::clone(world) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        events: Arc::clone(world) as Arc<dyn EventSink>,
        proxies: Proxies {
            trusted: Vec::new(),
            header: ForwardedHeader::XForwardedFor,
        },
        templates: None,
    });
    let app = app.unwrap();
    let (store, clock) = (
        Arc::clone(store) as Arc<dyn Store>,
        Arc::clone(world) as Arc<dyn Clock>,
    );
    let http = Outgoing::default().client(ANSWER_TIME).unwrap();
    let backchannel = BackChannel::new(Arc::clone(&app), store, clock, http);
    TestServer { app, backchannel }
}

impl TestServer {
    /// A user signs in, to the shop too, and out. Gives the session's cookie.
    async fn come_and_go(&self, world: &World) {
        let peer = Peer::new("192.0.2.1".parse().unwrap(), "test");
        let hash = self.app.hash_password(Secret::new("p")).await.unwrap();
        let provision = Provision {
            id: UserId::from_username("default", "alice"),
            username: "alice".to_owned(),
            enabled: true,
            password: Password::Hash(hash),
            email: None,
            groups: None,
            organization: None,
            claims: BTreeMap::new(),
        };
        self.app.run(provision).await.unwrap().reply.unwrap();
        let sign_in = SignIn {
            username: "alice".to_owned(),
            password: Secret::new("p"),
            previous: None,
            stay: false,
            known_browser: None,
            peer: peer.clone(),
        };
        let Ok(SignInReply::SignedIn { session, .. }) = self.app.run(sign_in).await.unwrap().reply
        else {
            panic!("the password is right");
        };
        let cookie = PresentedCookie::open(&self.app.realm().sealing, session).unwrap();
        let query =
            "client_id=shop&response_type=code&scope=openid&redirect_uri=https://shop.example/cb";
        let authorize = Authorize {
            request: AuthorizationRequest::parse(&Params::parse(query.as_bytes()).unwrap()),
            cookie: Some(cookie.clone()),
            decision: None,
            peer,
        };
        let reply = self.app.run(authorize).await.unwrap().reply;
        assert!(matches!(reply, Ok(AuthorizeReply::Respond(_))), "{reply:?}");
        let logout = Logout {
            request: LogoutRequest::parse(&Params::default()),
            cookie: Some(cookie),
            confirmed: true,
            peer: Peer::new(std::net::Ipv4Addr::LOCALHOST.into(), ""),
        };
        self.app.run(logout).await.unwrap().reply.unwrap();
        world.events();
    }

    /// The claims of a logout token that came to the shop.
    fn claims(&self, request: &str) -> Map<String, Value> {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("POST /logout?tenant=a%20b HTTP/1.1\r\n"),
            "{head}"
        );
        assert!(head.contains("content-type: application/x-www-form-urlencoded"));
        let fields: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).collect();
        let [(name, token)] = &fields[..] else {
            panic!("one field: {body}");
        };
        assert_eq!(name, "logout_token");
        let token = grantor_jose::decode(token).unwrap();
        assert!(TokenType::Logout.is(token.header().typ.as_deref()));
        assert_eq!(token.header().algorithm, Algorithm::Rs256);
        self.app
            .realm()
            .signing
            .verify(token)
            .unwrap()
            .claims()
            .unwrap()
    }
}

fn setting() -> (Arc<Memory>, Arc<World>) {
    (Arc::new(Memory::new()), Arc::new(World::default()))
}

async fn is_anything_left(store: &Memory) -> bool {
    let index = Index::Kind {
        realm: "default".to_owned(),
        kind: "outbox".to_owned(),
    };
    !store.list(&index, None, 1).await.unwrap().is_empty()
}

#[tokio::test]
async fn openid_backchannel_2_5_a_form_delivers_one_logout_token() {
    let (store, world) = setting();
    let mut shop = Shop::open().await;
    let server = server(&store, &world, &shop).await;
    server.come_and_go(&world).await;
    server.backchannel.deliver_all().await.unwrap();
    let [request] = &shop.got()[..] else {
        panic!("one request");
    };
    let claims = server.claims(request);
    assert_eq!(claims["aud"], "shop");
    assert_eq!(claims["iss"], "https://id.example.com");
    assert_eq!(claims["iat"], 1_800_000_000);
    assert!(!claims.contains_key("nonce") && claims.contains_key("sid"));
    assert_eq!(world.events(), [EventKind::LogoutDelivered]);
    // Nothing is left to tell, ever.
    world.pass(100_000);
    server.backchannel.deliver_all().await.unwrap();
    assert!(shop.got().is_empty() && !is_anything_left(&store).await);
}

#[tokio::test]
async fn openid_backchannel_2_5_delivery_is_retried_until_the_app_answers() {
    let (store, world) = setting();
    let mut shop = Shop::open().await;
    let server = server(&store, &world, &shop).await;
    server.come_and_go(&world).await;
    let mut tokens = Vec::new();
    for (manner, pause) in [
        (None, 10),
        (Some("503 Away"), 60),
        (Some("204 No Content"), 300),
    ] {
        shop.answers(manner);
        server.backchannel.deliver_all().await.unwrap();
        let got = shop.got();
        assert_eq!(got.len(), 1, "{manner:?}");
        tokens.push(server.claims(&got[0])["jti"].clone());
        world.pass(pause - 1);
        server.backchannel.deliver_all().await.unwrap();
        assert!(shop.got().is_empty(), "not before its time");
        world.pass(1);
    }
    assert_eq!(world.events(), [EventKind::LogoutDelivered]);
    assert!(
        tokens[0] != tokens[1] && tokens[1] != tokens[2],
        "each try has its own token"
    );
    assert!(!is_anything_left(&store).await);
}

#[tokio::test]
async fn openid_backchannel_2_8_a_refusal_or_redirect_is_not_retried() {
    for manner in [
        "400 Bad Request",
        "302 Facts\r\nlocation: /elsewhere",
        "404 Not Facts",
    ] {
        let (store, world) = setting();
        let mut shop = Shop::open().await;
        let server = server(&store, &world, &shop).await;
        server.come_and_go(&world).await;
        shop.answers(Some(manner));
        server.backchannel.deliver_all().await.unwrap();
        assert_eq!(shop.got().len(), 1, "{manner}");
        assert_eq!(world.events(), [EventKind::LogoutFailed]);
        assert!(!is_anything_left(&store).await);
    }
}

#[tokio::test]
async fn a_crash_between_the_end_of_a_session_and_its_delivery_loses_nothing() {
    let (store, world) = setting();
    let mut shop = Shop::open().await;
    let before = server(&store, &world, &shop).await;
    before.come_and_go(&world).await;
    drop(before);
    let after = server(&store, &world, &shop).await;
    after.backchannel.deliver_all().await.unwrap();
    assert_eq!(shop.got().len(), 1);
    assert!(!is_anything_left(&store).await);
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_delivery_repeats_it() {
    let (store, world) = setting();
    let mut shop = Shop::open().await;
    let before = server(&store, &world, &shop).await;
    before.come_and_go(&world).await;
    let outbox = before.backchannel.due().await.unwrap().remove(0);
    before.app.run(Claim { outbox }).await.unwrap();
    drop(before);
    let after = server(&store, &world, &shop).await;
    after.backchannel.deliver_all().await.unwrap();
    assert!(shop.got().is_empty(), "it may still be under way");
    world.pass(60);
    after.backchannel.deliver_all().await.unwrap();
    assert_eq!(shop.got().len(), 1);
}

#[tokio::test]
async fn one_of_two_servers_delivers_a_logout_token() {
    let (store, world) = setting();
    let mut shop = Shop::open().await;
    let [one, other] = [
        server(&store, &world, &shop).await,
        server(&store, &world, &shop).await,
    ];
    one.come_and_go(&world).await;
    let (a, b) = tokio::join!(
        one.backchannel.deliver_all(),
        other.backchannel.deliver_all()
    );
    a.and(b).unwrap();
    assert_eq!(shop.got().len(), 1);
}

#[tokio::test]
async fn the_watch_delivers_rows_of_this_and_of_other_servers() {
    let (store, world) = setting();
    let mut shop = Shop::open().await;
    let TestServer { app, backchannel } = server(&store, &world, &shop).await;
    let watching = tokio::spawn(backchannel.watch());
    let other = server(&store, &world, &shop).await;
    let mut received = async || timeout(Duration::from_secs(60), shop.got.recv()).await;
    other.come_and_go(&world).await;
    assert!(matches!(received().await, Ok(Some(_))));
    let this = TestServer {
        app,
        backchannel: other.backchannel,
    };
    this.come_and_go(&world).await;
    assert!(matches!(received().await, Ok(Some(_))));
    watching.abort();
}

/// The ends of so many sessions, as sign-outs write them.
async fn many_ended(store: &Memory, world: &World, many: u8) {
    let now = world.now();
    for (number, id) in (0..many).zip(1_u8..) {
        let session = SessionId::from_bytes([number; 16]);
        let outbox = Outbox::new(
            session,
            UserId::from_bytes([7; 16]),
            serde_json::from_value(serde_json::json!({ "to_tell": ["shop"] })).unwrap(),
            now,
        );
        let row = NewRow {
            key: Key::new("default", Outbox::KIND, &outbox.name()),
            expires_at: outbox.expires_at(),
            value: serde_json::to_vec(&outbox).unwrap().into(),
            indexes: Vec::new(),
        };
        let commit = Version::from_bytes([id; 16]);
        store
            .commit(now, commit, vec![Write::Insert(row)])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_hanging_app_is_waited_for_once_for_many_sessions() {
    let (store, world) = setting();
    let mut shop = Shop::open().await;
    let server = server(&store, &world, &shop).await;
    many_ended(&store, &world, 120).await;
    shop.answers(None);
    server.backchannel.deliver_all().await.unwrap();
    let tried = shop.got().len();
    assert!((1..=MAX_CONCURRENT).contains(&tried), "{tried} of 120");
    // They all wait for the next try, and get theirs then.
    world.pass(10);
    shop.answers(Some("200 OK"));
    server.backchannel.deliver_all().await.unwrap();
    assert_eq!(shop.got().len(), 120);
    assert!(!is_anything_left(&store).await);
}
