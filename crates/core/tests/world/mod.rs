//! A simulated world in one thread: a realm, its people and devices, a store in memory, and time that a test sets.
//!
//! Nothing sleeps, listens or draws: seeds come from a counter, so a test runs the same way each time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use grantor_core::base::peer::Peer;
use grantor_core::base::row::{Committed, Index, Key, Row, Version, Write};
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::{Event, EventKind};
use grantor_core::engine::limits::Limits;
use grantor_core::model::realm::Realm;
use grantor_jose::VerificationKeys;
use grantor_store::Store as _;
use grantor_store::memory::Memory;
use grantor_store::testing::{Counting, Counts, Faulty};

pub(crate) mod account;
pub(crate) mod apps;
pub(crate) mod exchange;
pub(crate) mod foreign;
pub(crate) mod house;
pub(crate) mod people;
pub(crate) mod run;
pub(crate) mod web_apps;

pub(crate) use apps::{Codes, Tokens};
pub(crate) use people::{Browser, Decided};

/// The moment at which every world begins.
pub(crate) const START: Timestamp = Timestamp::from_secs(1_800_000_000);
/// Where devices and browsers are unless a test moves them: on one network, at different addresses.
pub(crate) const HOME: &str = "192.0.2.10";
pub(crate) const SOFA: &str = "192.0.2.77";

/// The simulated world.
pub(crate) struct World {
    pub(crate) realm: Arc<Realm>,
    pub(crate) store: Counting<Faulty<Memory>>,
    pub(crate) limits: Limits,
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<Event>,
    /// The key sets of trusted issuers; of others there are none.
    pub(crate) trusted_keys: Vec<(String, Arc<VerificationKeys>)>,
    /// From where the next request of a client comes.
    pub(crate) address: String,
    seeds: u64,
}

impl World {
    /// The house of [`house`], with its users.
    pub(crate) fn new() -> Self {
        let mut world = Self {
            realm: Arc::new(house::realm()),
            store: Counting::new(Faulty::new(Memory::new())),
            limits: Limits::new(&[7; 32]),
            now: START,
            events: Vec::new(),
            trusted_keys: Vec::new(),
            address: HOME.to_owned(),
            seeds: 0,
        };
        for (name, enabled) in [("alice", true), ("bob", true), ("carol", false)] {
            let changed = world.provision(people::file_user(name, enabled));
            assert_eq!(changed, Some(true), "{name} is written");
        }
        world.events.clear();
        let _ = world.store.take();
        world
    }

    /// The same, with a changed configuration.
    pub(crate) fn with(change: impl FnOnce(&mut Realm)) -> Self {
        let mut world = Self::new();
        world.reconfigure(change);
        world
    }

    /// The operator changes the configuration.
    pub(crate) fn reconfigure(&mut self, change: impl FnOnce(&mut Realm)) {
        let realm = Arc::get_mut(&mut self.realm);
        change(realm.expect("no request is under way"));
    }

    pub(crate) fn advance(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// The next request's address.
    pub(crate) fn from(&mut self, address: &str) -> &mut Self {
        self.address = address.to_owned();
        self
    }

    pub(crate) fn peer(&self) -> Peer {
        peer(&self.address)
    }

    pub(crate) fn faults(&self) -> &Faulty<Memory> {
        self.store.inner()
    }

    /// Rows in the store.
    pub(crate) fn rows(&self) -> usize {
        self.faults().inner().rows()
    }

    /// What `act` cost: reads, commits, rows written.
    pub(crate) fn cost<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> ([usize; 3], T) {
        let _ = self.store.take();
        let result = act(self);
        let Counts {
            gets,
            lists,
            commits,
            rows_written,
        } = self.store.take();
        assert_eq!(lists, 0, "a list decides nothing");
        ([gets, commits, rows_written], result)
    }

    /// Every row of this kind is lost.
    pub(crate) fn lose(&mut self, kind: &str) {
        let writes = self.list(kind).into_iter().map(|row| Write::Delete {
            key: row.key,
            expect: row.version,
        });
        let id = Version::from_bytes([9; 16]);
        let lost = self.store.commit(self.now, id, writes.collect());
        assert_eq!(
            lost.now_or_never().and_then(Result::ok),
            Some(Committed::Done)
        );
    }

    pub(crate) fn list(&self, kind: &str) -> Vec<Row> {
        let index = Index::Kind {
            realm: "default".to_owned(),
            kind: kind.to_owned(),
        };
        let rows = self.store.list(&index, None, 25).now_or_never();
        rows.and_then(Result::ok).expect("memory is ready at once")
    }

    /// A row as it is stored.
    pub(crate) fn row(&self, key: &Key) -> Option<Row> {
        let rows = self.store.get(std::slice::from_ref(key)).now_or_never();
        rows.and_then(Result::ok)?.pop()?
    }

    /// What a thief of the store reads.
    pub(crate) fn dump(&self) -> String {
        let kinds = [
            "grant", "usercode", "user", "username", "session", "seen", "revoked", "consent",
        ];
        let rows = kinds.iter().flat_map(|kind| self.list(kind));
        rows.map(|row| format!("{:?} {}\n", row.key, String::from_utf8_lossy(&row.value)))
            .collect()
    }

    /// The store deletes what ended long enough ago.
    pub(crate) fn sweep(&self) {
        let swept = self.store.sweep(self.now, 1_000_000).now_or_never();
        assert!(swept.is_some_and(|swept| swept.is_ok()));
    }

    /// The events since they were last taken.
    pub(crate) fn kinds(&mut self) -> Vec<EventKind> {
        self.events.drain(..).map(|event| event.kind).collect()
    }

    pub(crate) fn seed(&mut self) -> Seed {
        self.seeds += 1;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.seeds.to_be_bytes());
        Seed::from_bytes(bytes)
    }
}

pub(crate) fn peer(address: &str) -> Peer {
    Peer::new(address.parse().expect("an address"), "world/1.0")
}

/// `5.s()` reads as it is said.
pub(crate) trait Spans {
    fn ms(self) -> Duration;
    fn s(self) -> Duration;
    fn mins(self) -> Duration;
    fn h(self) -> Duration;
    fn days(self) -> Duration;
}

impl Spans for u64 {
    fn ms(self) -> Duration {
        Duration::from_millis(self)
    }

    fn s(self) -> Duration {
        Duration::from_secs(self)
    }

    fn mins(self) -> Duration {
        (self * 60).s()
    }

    fn h(self) -> Duration {
        (self * 60).mins()
    }

    fn days(self) -> Duration {
        (self * 24).h()
    }
}
