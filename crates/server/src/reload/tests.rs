//! A server in this process whose file a test changes, also between the two looks.

use std::fs;
use std::path::Path;
use std::sync::Mutex as StdMutex;

use axum::body::Body;
use grantor_core::model::ids::ClientInstance;
use grantor_core::records::{DeclaredClient, Link, User};
use grantor_jose::Algorithm;
use grantor_web::Router;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value as Json;
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::*;
use crate::admin::api::Change;
use crate::installation::Installation;
use crate::users::listed;
use order::Watched;

mod links;
mod looks;
mod order;

const HEAD: &str = "issuer = \"http://127.0.0.1:8080\"\nstore = \"memory:\"\n";
const SECRET: &str = "orders' secret of 40 characters, drawn so";
const ORDERS: &str = "[[client]]\nid = \"orders\"\nsecret = \"orders' secret of 40 characters, drawn so\"\n\
                      grants = [\"client_credentials\"]\n";
const TV: &str = "[[client]]\nid = \"tv\"\ngrants = [\"device_code\"]\nscopes = [\"openid\"]\n";
const API: &str = "[[resource]]\nidentifier = \"shipping\"\nscopes = { read = \"Read\" }\n";
const SHIPPER: &str = "[[client]]\nid = \"shipper\"\nsecret = \"shipper's secret of 40 characters, too\"\n\
                       grants = [\"client_credentials\"]\nscopes = [\"shipping/read\"]\n";
const ALICE: &str = "[[user]]\nusername = \"alice\"\nemail = \"alice@example.com\"\n";
const BOB: &str = "[[user]]\nusername = \"bob\"\n";

/// What a test does between the two looks.
type Between = Arc<StdMutex<Option<Box<dyn FnOnce() + Send>>>>;

struct TestServer {
    folder: TempDir,
    store: Arc<Watched>,
    installation: Installation,
    reloader: Arc<Reloader>,
    router: Router,
    between: Between,
}

impl TestServer {
    /// A server that has started with a file of these tables.
    async fn with(tables: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("grantor.toml");
        fs::write(&file, format!("{HEAD}{tables}")).unwrap();
        let environment = Environment::default();
        let settings = grantor_config::load(&file, &environment).unwrap();
        let watched = Arc::new(Watched::default());
        let opened = (Arc::clone(&watched) as Arc<dyn Store>, None);
        let installation = Installation::over(&settings, opened).await.unwrap();
        let Installation {
            app, store, owner, ..
        } = &installation;
        clients::start(app, &**store, owner).await.unwrap();
        let users: Vec<_> = settings.users.iter().map(assemble::provision).collect();
        users::provision(app, &**store, &users, OnOutage::Fail)
            .await
            .unwrap();
        app.set_ready();
        let between = Between::default();
        let change = Arc::clone(&between);
        let reloader = Reloader {
            file,
            environment,
            app: Arc::clone(app),
            store: Arc::clone(store),
            owner: Arc::clone(owner),
            keys: Arc::clone(&installation.keys),
            pause: Box::new(move || {
                let change = change.lock().unwrap().take();
                async move { change.into_iter().for_each(|change| change()) }.boxed()
            }),
            one: Mutex::default(),
        };
        Self {
            router: Router::new(Arc::clone(app)),
            store: watched,
            folder,
            installation,
            reloader: Arc::new(reloader),
            between,
        }
    }

    fn file(&self) -> &Path {
        &self.reloader.file
    }

    fn write(&self, tables: &str) {
        fs::write(self.file(), format!("{HEAD}{tables}")).unwrap();
    }

    async fn take(&self, wanted: Reload) -> Result<Reloaded, String> {
        let taken = self.reloader.reload(wanted).await;
        let mut reloaded = taken.map_err(|error| Causes(&error).to_string())?;
        let (_, name) = reloaded.file.rsplit_once('/').unwrap();
        reloaded.file = name.to_owned();
        Ok(reloaded)
    }

    async fn reload(&self, tables: &str) -> Reloaded {
        self.write(tables);
        self.take(Reload::default()).await.unwrap()
    }

    async fn prune(&self, tables: &str) -> Reloaded {
        self.write(tables);
        let prune = Reload {
            prune: true,
            ..Reload::default()
        };
        self.take(prune).await.unwrap()
    }

    /// The status with which the token endpoint answers a machine.
    async fn token(&self, client: &str, secret: &str) -> u16 {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
        ];
        let form: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = Request::post("/oauth2/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form));
        let answer = self.router.clone().oneshot(request.unwrap()).await;
        answer.unwrap().status().as_u16()
    }

    async fn document(&self, path: &str) -> Json {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    }

    fn instance(&self, client: &str) -> ClientInstance {
        self.installation
            .app
            .realm()
            .client(client)
            .unwrap()
            .instance
    }

    async fn declared_clients(&self) -> Vec<String> {
        let rows = listed::<DeclaredClient>(&*self.installation.store).await;
        let ids = rows.unwrap().into_iter().map(|row| row.client.to_string());
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        ids
    }

    async fn user(&self, name: &str) -> User {
        let users = listed::<User>(&*self.installation.store).await.unwrap();
        let user = users.into_iter().find(|user| user.username == name);
        user.unwrap()
    }
}

fn change<'a>(reloaded: &'a Reloaded, kind: &str) -> &'a Change {
    let mut changes = reloaded.changes.iter();
    changes.find(|change| change.kind == kind).unwrap()
}

#[tokio::test]
async fn a_changed_file_is_taken_and_the_answer_names_what_changed() {
    let server = TestServer::with(&format!("{ORDERS}{API}{ALICE}")).await;
    let changed = ORDERS.replace("secret of 40", "new one of 40");
    let bob = ALICE.replace("alice@", "a@");
    let text = format!("{changed}{TV}{SHIPPER}{API}{bob}{BOB}[lifetimes]\naccess = \"7m\"\n");
    let reloaded = server.reload(&text).await;
    let said = reloaded.to_string();
    assert_eq!(
        said,
        "Reloaded grantor.toml:\n  setting: changed lifetimes.access\n  client: added tv, shipper; changed orders\n  \
         user: added bob; changed alice\n"
    );
    assert!(
        !serde_json::to_string(&reloaded)
            .unwrap()
            .contains("new one")
    );
    assert_eq!(server.token("orders", SECRET).await, 401);
    assert_eq!(
        server
            .token("orders", "orders' new one of 40 characters, drawn so")
            .await,
        200
    );
    assert_eq!(
        server.user("alice").await.email.as_deref(),
        Some("a@example.com")
    );
    assert_eq!(server.declared_clients().await, ["orders", "shipper", "tv"]);
    let realm = server.installation.app.realm();
    assert_eq!(
        realm.client("orders").unwrap().access_lifetime.as_secs(),
        420
    );
    let again = server.reload(&text).await.to_string();
    assert_eq!(again, "Reloaded grantor.toml: nothing changed.\n");
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_changes_nothing() {
    let server = TestServer::with(ORDERS).await;
    let before = server.installation.app.realm();
    server.write(&format!("{TV}{BOB}"));
    let dry_run = Reload {
        dry_run: true,
        prune: true,
        file: None,
    };
    let would = server.take(dry_run).await.unwrap();
    assert_eq!(
        would.to_string(),
        "A reload of grantor.toml would change:\n  client: added tv; removed orders\n  user: added bob\n"
    );
    assert!(Arc::ptr_eq(&before, &server.installation.app.realm()));
    assert_eq!(server.declared_clients().await, ["orders"]);
    assert!(
        listed::<User>(&*server.installation.store)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn vanished_clients_and_users_work_on_until_they_are_pruned() {
    let server = TestServer::with(&format!("{ORDERS}{TV}{ALICE}{BOB}")).await;
    let [orders, tv] = ["orders", "tv"].map(|client| server.instance(client));
    for _ in 0..2 {
        let reloaded = server.reload(&format!("{TV}{BOB}")).await;
        assert_eq!(change(&reloaded, "client").kept, ["orders"]);
        assert_eq!(change(&reloaded, "user").kept, ["alice"]);
        assert!(
            reloaded.to_string().contains("--prune`: client orders\n"),
            "{reloaded}"
        );
        assert_eq!(server.token("orders", SECRET).await, 200);
        assert!(server.user("alice").await.enabled);
    }
    assert_eq!(server.instance("orders"), orders);

    let reloaded = server.prune(&format!("{TV}{BOB}")).await;
    assert_eq!(change(&reloaded, "client").removed, ["orders"]);
    assert_eq!(change(&reloaded, "user").removed, ["alice"]);
    assert_eq!(server.token("orders", SECRET).await, 401);
    assert_eq!(server.declared_clients().await, ["tv"]);
    assert!(!server.user("alice").await.enabled && server.user("bob").await.enabled);

    // Declared again, it is another client.
    server.reload(&format!("{ORDERS}{TV}{BOB}")).await;
    assert_eq!(server.token("orders", SECRET).await, 200);
    assert_ne!(server.instance("orders"), orders);
    assert_eq!(server.instance("tv"), tv);
}

#[tokio::test]
async fn a_client_that_changes_or_comes_back_unpruned_is_the_same_instance() {
    let server = TestServer::with(&format!("{ORDERS}{TV}{BOB}{API}")).await;
    server
        .reload(&format!("{TV}name = \"Living room\"\n{API}"))
        .await;
    let tables = format!("{ORDERS}name = \"Others\"\n{TV}{BOB}{API}");
    let new = server.reload(&tables).await;
    assert_eq!(
        new.to_string(),
        "Reloaded grantor.toml:\n  client: changed orders, tv; declared again, with what it was given: orders\n  \
         user: declared again, with what it was given: bob\n"
    );
    assert_eq!(summary(&new).declared_again, ["client orders", "user bob"]);
    assert_eq!(server.instance("orders"), ClientInstance::FIRST);
    assert!(server.reload(&tables).await.changes.is_empty());
    let before = TestServer::with(&format!("{ORDERS}{TV}")).await;
    assert_eq!(before.instance("tv"), ClientInstance::FIRST);
    assert_eq!(server.instance("tv"), ClientInstance::FIRST);
    // A new one is not one of the first start.
    server
        .reload(&format!("{ORDERS}{TV}{}", TV.replace("tv", "radio")))
        .await;
    assert_ne!(server.instance("radio"), ClientInstance::FIRST);
}

#[tokio::test]
async fn a_vanished_api_stays_with_its_client_until_it_is_pruned() {
    let server = TestServer::with(&format!("{API}{SHIPPER}")).await;
    let realm = || server.installation.app.realm();
    let has_scope = || !realm().client("shipper").unwrap().scopes.is_empty();
    for _ in 0..2 {
        let reloaded = server.reload(ORDERS).await;
        assert_eq!(change(&reloaded, "resource").kept, ["shipping"]);
        assert_eq!((realm().resources.len(), has_scope()), (1, true));
    }
    // A scope that is taken out of an API goes at once.
    let other = API.replace("read", "write");
    server.reload(&format!("{ORDERS}{other}")).await;
    assert_eq!((realm().resources.len(), has_scope()), (1, false));

    // Of two APIs with one URI, the kept one is named.
    let with_uri =
        |name: &str| API.replace("shipping", name) + "uri = \"https://api.example.com\"\n";
    server
        .reload(&format!("{}{ORDERS}", with_uri("shipping")))
        .await;
    server.write(&with_uri("parcels"));
    let refused = server.take(Reload::default()).await.unwrap_err();
    assert!(refused.contains("resource \"shipping\": uri "), "{refused}");
    let pruned = server.prune(ORDERS).await;
    assert_eq!(change(&pruned, "resource").removed, ["shipping"]);
    assert!(realm().resources.is_empty());
}

#[tokio::test]
async fn an_api_named_like_a_vanished_client_is_refused_until_it_is_pruned() {
    let server = TestServer::with(ORDERS).await;
    let api = API.replace("shipping", "orders");
    server.write(&api);
    let refused = server.take(Reload::default()).await.unwrap_err();
    assert!(refused.contains("--prune"), "{refused}");
    assert!(
        refused.contains("client \"orders\": id is the audience"),
        "{refused}"
    );
    assert!(
        refused.contains("is the audience of a [[resource]]"),
        "{refused}"
    );
    assert_eq!(server.token("orders", SECRET).await, 200);
    server.prune(&api).await;
    assert_eq!(server.token("orders", SECRET).await, 401);
}

#[tokio::test]
async fn what_needs_a_restart_is_named_and_stays() {
    let server = TestServer::with(ORDERS).await;
    let text = format!(
        "issuer = \"https://id.example.com\"\nstore = \"sqlite:other.db\"\nlisten = \"127.0.0.1:9\"\n\
         tls = {{ cert = \"c\", key = \"k\" }}\ntemplates = \"t\"\nevents_max = \"1GiB\"\n{ORDERS}{TV}[test]\nloopback = true\n"
    );
    fs::write(server.file(), text).unwrap();
    let reloaded = server.take(Reload::default()).await.unwrap();
    assert_eq!(
        reloaded.needs_restart,
        [
            "issuer",
            "listen",
            "store",
            "events_max",
            "templates",
            "tls",
            "test.loopback"
        ]
    );
    let realm = server.installation.app.realm();
    assert_eq!(realm.issuer, "http://127.0.0.1:8080");
    assert!(realm.client("tv").is_some(), "the rest is taken");
    let metadata = server.document("/.well-known/openid-configuration").await;
    assert_eq!(metadata["issuer"], "http://127.0.0.1:8080");
}

#[test]
fn settings_that_were_checked_for_another_issuer_do_not_come_through() {
    let parse = |text: &str| {
        let environment = Environment::default();
        grantor_config::parse(text, "grantor.toml", Path::new(""), &environment).unwrap()
    };
    let running = parse("issuer = \"https://id.example.com\"\nstore = \"memory:\"\n");
    let file = parse(&format!(
        "{HEAD}{ORDERS}backchannel_logout_uri = \"http://127.0.0.1:9/logout\"\n[test]\nwrong_passwords = 10000\n"
    ));
    let merged = merge(&running, &Kept::default(), file, false);
    let needs_restart = merged.changes.needs_restart;
    assert_eq!(needs_restart, ["issuer", "test.wrong_passwords"]);
    assert!(merged.settings.test.wrong_passwords.is_none());
    let conflicts = merged.settings.conflicts();
    assert_eq!(
        conflicts[0].pointer.to_string(),
        "/client/0/backchannel_logout_uri"
    );
}

#[tokio::test]
async fn an_algorithm_first_named_by_a_reload_has_its_key_at_once() {
    let server = TestServer::with(ORDERS).await;
    let signs = |metadata: &Json| metadata["id_token_signing_alg_values_supported"].to_string();
    let metadata = "/.well-known/openid-configuration";
    assert!(!signs(&server.document(metadata).await).contains("EdDSA"));
    server
        .reload(&format!("{ORDERS}{TV}id_token_alg = \"EdDSA\"\n"))
        .await;
    assert!(signs(&server.document(metadata).await).contains("EdDSA"));
    let jwks = server.document("/.well-known/jwks.json").await;
    assert!(jwks.to_string().contains("Ed25519"), "{jwks}");
    let snapshot = server.installation.app.snapshot();
    let header = snapshot
        .realm()
        .header(Algorithm::EdDsa, grantor_jose::TokenType::Id);
    let token = grantor_jose::SigningInput::new(header.unwrap(), &serde_json::json!({})).unwrap();
    let token = snapshot.sign(token).await.unwrap();
    let token = grantor_jose::decode(&token).unwrap();
    assert!(snapshot.realm().signing.verify(token).is_ok());
}

#[tokio::test]
async fn shorter_lives_end_no_key_and_no_count_of_codes_early() {
    let server =
        TestServer::with("[lifetimes]\naccess = \"2h\"\n[device]\nlifetime = \"30m\"\n").await;
    server.reload("").await;
    let realm = server.installation.app.realm();
    assert_eq!(realm.device.longest_lifetime.as_secs(), 1800);
    let row = crate::signing_keys::read(&*server.installation.store)
        .await
        .unwrap()
        .unwrap();
    let keys: grantor_core::records::SigningKeys = serde_json::from_slice(&row.value).unwrap();
    assert!(
        keys.keys.iter().all(|key| key.kept().as_secs() == 7265),
        "{keys:?}"
    );
    // Longer ones are in force before the first token that needs them.
    server.reload("[lifetimes]\naccess = \"3h\"\n").await;
    let row = crate::signing_keys::read(&*server.installation.store)
        .await
        .unwrap()
        .unwrap();
    let keys: grantor_core::records::SigningKeys = serde_json::from_slice(&row.value).unwrap();
    assert!(
        keys.keys.iter().all(|key| key.kept().as_secs() == 10_865),
        "{keys:?}"
    );
}

#[tokio::test]
async fn changes_of_keys_and_settings_at_the_same_time_lose_nothing() {
    let server = TestServer::with(ORDERS).await;
    let Installation { app, keys, .. } = &server.installation;
    for round in 0..20 {
        let client = TV.replace("tv", &format!("tv-{round}"));
        server.write(&format!("{ORDERS}{client}"));
        let (reloaded, rotated) = tokio::join!(server.take(Reload::default()), keys.rotate_now());
        reloaded.unwrap();
        let rotated = rotated.unwrap();
        let realm = app.realm();
        assert!(realm.client(&format!("tv-{round}")).is_some());
        assert_ne!(
            realm.client(&format!("tv-{round}")).unwrap().instance,
            ClientInstance::FIRST
        );
        for key in rotated.promoted {
            assert_eq!(realm.signing.active(key.alg).unwrap().kid(), &key.kid);
        }
    }
    assert_eq!(app.realm().clients.len(), 21);
}

#[tokio::test]
async fn a_server_that_is_starting_reloads_nothing() {
    let server = TestServer::with(ORDERS).await;
    let starting = Installation::open(&server.installation.owner.settings())
        .await
        .unwrap();
    let reloader = starting.reloader(server.file(), &Environment::default());
    let refused = reloader.reload(Reload::default()).await;
    assert!(matches!(refused, Err(ReloadError::Starting)), "{refused:?}");
}
