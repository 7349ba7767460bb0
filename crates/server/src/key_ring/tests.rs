use grantor_core::base::time::Timestamp;
use grantor_core::tokens::key_life::PUBLISH_AHEAD;
use grantor_jose::Algorithm;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use grantor_core::base::sealing::MasterKey;
use grantor_core::engine::event::Event;
use grantor_store::Store;
use grantor_store::memory::Memory;
use grantor_web::{App, Clock, EventSink, ForwardedHeader, Parts, Proxies};

use super::*;
use crate::installation::key_store_of;
use crate::master_key::{MasterKeys, Source};
use crate::realm_owner::InUse;
use crate::signing_keys;
use crate::system::SystemEntropy;
use crate::written::Document;
use grantor_config::{Environment, parse};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Time that a test sets, for all nodes.
#[derive(Debug, Default)]
struct Time(AtomicU64);

impl Time {
    fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }

    fn uptime(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_800_000_000) + self.uptime()
    }

    fn monotonic(&self) -> Timestamp {
        self.now()
    }
}

struct Nowhere;

impl EventSink for Nowhere {
    fn record(&self, _: Timestamp, _: &str, _: &Event) {}
}

struct Node {
    ring: KeyRing,
    app: Arc<App>,
}

impl Deref for Node {
    type Target = KeyRing;

    fn deref(&self) -> &KeyRing {
        &self.ring
    }
}

async fn node(store: &Arc<Memory>, time: &Arc<Time>) -> Node {
    let settings = parse(
        "issuer = \"https://id.example.com\"",
        "grantor.toml",
        Path::new(""),
        &Environment::default(),
    )
    .unwrap();
    let masters = MasterKeys::from(MasterKey::new([1; 32]));
    let source = Source::File(PathBuf::from("grantor.key"));
    let kept = Arc::clone(store) as Arc<dyn Store>;
    let keys = signing_keys::KeyStore {
        in_use: vec![Algorithm::Es256],
        clock: Arc::clone(time) as Arc<dyn Clock>,
        ..key_store_of(&settings, &Document::default(), kept, masters, source).unwrap()
    };
    let opened = keys.open().await.unwrap();
    let first = InUse::new(
        &settings,
        &Document::default(),
        time.now(),
        &keys.masters,
        &opened,
    )
    .unwrap();
    let app = App::new(Parts {
        snapshot: first.snapshot(),
        store: Arc::clone(store) as Arc<dyn Store>,
        clock: Arc::clone(time) as Arc<dyn Clock>,
        entropy: Arc::new(SystemEntropy),
        events: Arc::new(Nowhere),
        proxies: Proxies {
            trusted: Vec::new(),
            header: ForwardedHeader::XForwardedFor,
        },
        templates: None,
    })
    .unwrap();
    let owner = RealmOwner::new(Arc::clone(&app), keys.masters.clone(), first);
    Node {
        ring: KeyRing::new(keys, opened, Arc::new(owner)),
        app,
    }
}

fn kid(ring: &Node, state: KeyState) -> Option<Kid> {
    let realm = ring.app.realm();
    let keys = realm.signing.keys().iter();
    keys.filter(|key| key.state() == state)
        .map(|key| key.kid().clone())
        .next()
}

#[tokio::test]
async fn keys_rotate_by_themselves_once_for_all_nodes_and_without_a_restart() {
    let (store, time) = (Arc::new(Memory::new()), Arc::new(Time::default()));
    let (one, other) = (node(&store, &time).await, node(&store, &time).await);
    let look = async || {
        one.look(time.uptime()).await.unwrap();
        other.look(time.uptime()).await.unwrap();
    };
    look().await;
    let (next, active) = (kid(&one, KeyState::Next), kid(&one, KeyState::Active));
    assert!(next.is_some() && active.is_some());

    time.pass(DAY * 90);
    look().await;
    for node in [&one, &other] {
        assert_eq!(kid(node, KeyState::Active), next);
        assert_eq!(kid(node, KeyState::Retiring), active);
    }
    assert_eq!(kid(&one, KeyState::Next), kid(&other, KeyState::Next));

    time.pass(Duration::from_secs(665));
    look().await;
    for node in [&one, &other] {
        assert_eq!(kid(node, KeyState::Retiring), None);
    }
}

#[tokio::test]
async fn a_command_rotates_at_once_and_says_whether_the_key_was_known() {
    let (store, time) = (Arc::new(Memory::new()), Arc::new(Time::default()));
    let ring = node(&store, &time).await;
    ring.look(time.uptime()).await.unwrap();
    let next = kid(&ring, KeyState::Next).unwrap();
    time.pass(PUBLISH_AHEAD);
    let rotated = ring.rotate_now().await.unwrap();
    assert_eq!(rotated.promoted[0].kid, next);
    assert_eq!(rotated.published_secs, Some(3600));
    assert!(rotated.to_string().contains("an hour or more"), "{rotated}");
    assert_eq!(kid(&ring, KeyState::Active), Some(next));

    let again = ring.rotate_now().await.unwrap();
    assert_eq!(again.published_secs, Some(0));
    assert!(again.to_string().contains("only 0 seconds"), "{again}");
}

#[tokio::test]
async fn a_look_that_finds_nothing_changes_nothing() {
    let (store, time) = (Arc::new(Memory::new()), Arc::new(Time::default()));
    let ring = node(&store, &time).await;
    ring.look(time.uptime()).await.unwrap();
    let before = ring.app.realm();
    time.pass(DAY);
    ring.look(time.uptime()).await.unwrap();
    assert!(Arc::ptr_eq(&before, &ring.app.realm()));
}

#[tokio::test]
async fn the_list_says_what_each_key_does_and_when_something_is_due() {
    let (store, time) = (Arc::new(Memory::new()), Arc::new(Time::default()));
    let ring = node(&store, &time).await;
    ring.look(time.uptime()).await.unwrap();
    time.pass(DAY * 3);
    ring.rotate_now().await.unwrap();
    let list = ring.list().await;
    let states: Vec<_> = list.keys.iter().map(|key| key.state).collect();
    let expected = [KeyState::Retiring, KeyState::Active, KeyState::Next];
    assert_eq!(states, expected);
    let text = list.to_string();
    for expected in ["ES256  retiring  for 0s", "  seals\n", "due in 11m."] {
        assert!(text.contains(expected), "{text}");
    }
    let again: KeyListing = serde_json::from_slice(&serde_json::to_vec(&list).unwrap()).unwrap();
    assert_eq!(again, list, "it survives the socket");
}
