//! A simulated world in one thread: a realm, its users and clients, a store in memory, and time that a test sets.
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
use grantor_core::engine::facts::PasswordQueue;
use grantor_core::engine::limits::Limits;
use grantor_core::model::ids::UserId;
use grantor_core::model::realm::Realm;
use grantor_core::records::{self, User};
use grantor_jose::VerificationKeys;
use grantor_store::Store as _;
use grantor_store::memory::Memory;
use grantor_store::testing::{Counting, Counts, Faulty};

mod account;
mod clients;
mod exchange;
mod external;
mod managed;
mod people;
mod run;
mod start;
mod web_apps;

pub use clients::{Tokens, answer, credentials, form_of, params};
pub use exchange::{Exchanged, explain_request};
pub use external::trust;
pub use people::{Browser, CodeLookup, Decided, SignedIn, code_lookup, decided, declared_user};
pub use run::{Down, Ended, Run, Seen};
pub use web_apps::AuthorizationOutcome;

pub use crate::Codes;
use crate::{DEVICE_ADDRESS, RealmBuilder, START, Seeds, users};

/// The simulated world.
pub struct World {
    pub realm: Arc<Realm>,
    pub store: Counting<Faulty<Memory>>,
    pub limits: Limits,
    /// A test that sets this alone sets the system's clock.
    pub now: Timestamp,
    /// The clock that no one sets.
    pub monotonic: Timestamp,
    pub events: Vec<Event>,
    /// The key sets of trusted issuers; of others there are none.
    pub trusted_keys: Vec<(String, Arc<VerificationKeys>)>,
    /// From where the next request of a client comes.
    pub address: String,
    /// How many passwords were compared or hashed.
    pub hashes: usize,
    /// Where new hashes waited.
    pub hashed_in: Vec<PasswordQueue>,
    seeds: Seeds,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// The standard realm with its users.
    pub fn new() -> Self {
        let mut world = Self {
            realm: Arc::new(RealmBuilder::standard().build()),
            store: Counting::new(Faulty::new(Memory::new())),
            limits: Limits::new(&[7; 32]),
            now: START,
            monotonic: START,
            events: Vec::new(),
            trusted_keys: Vec::new(),
            address: DEVICE_ADDRESS.to_owned(),
            hashes: 0,
            hashed_in: Vec::new(),
            seeds: Seeds::default(),
        };
        for (name, enabled) in users::USERS {
            let changed = world.provision(declared_user(name, enabled));
            assert_eq!(changed, Some(true), "{name} is written");
        }
        world.events.clear();
        let _ = world.store.take();
        world
    }

    /// The same with another configuration.
    pub fn with(change: impl FnOnce(&mut Realm)) -> Self {
        let mut world = Self::new();
        world.reconfigure(change);
        world
    }

    /// The operator changes the configuration. Requests under way keep the realm that they have.
    pub fn reconfigure(&mut self, change: impl FnOnce(&mut Realm)) {
        change(Arc::make_mut(&mut self.realm));
    }

    pub fn advance(&mut self, time: Duration) {
        self.now = self.now + time;
        self.monotonic = self.monotonic + time;
    }

    /// The next request's address.
    pub fn from(&mut self, address: &str) -> &mut Self {
        self.address = address.to_owned();
        self
    }

    pub fn peer(&self) -> Peer {
        peer(&self.address)
    }

    pub fn faults(&self) -> &Faulty<Memory> {
        self.store.inner()
    }

    /// Rows in the store.
    pub fn rows(&self) -> usize {
        self.faults().inner().rows()
    }

    /// What `act` cost: reads, commits, rows written.
    pub fn cost<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> ([usize; 3], T) {
        let _ = self.store.take();
        let result = act(self);
        let Counts {
            gets,
            lists,
            commits,
            rows_written,
            ..
        } = self.store.take();
        assert_eq!(lists, 0, "no decision reads a list");
        ([gets, commits, rows_written], result)
    }

    /// Every row of this kind is lost.
    pub fn lose_rows(&mut self, kind: &str) {
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

    pub fn list(&self, kind: &str) -> Vec<Row> {
        let index = Index::Kind {
            realm: "default".to_owned(),
            kind: kind.to_owned(),
        };
        let rows = self.store.list(&index, None, 25).now_or_never();
        rows.and_then(Result::ok).expect("memory is ready at once")
    }

    /// All rows of this kind, expired ones included. Not counted.
    pub fn list_all(&self, kind: &str) -> Vec<Row> {
        let index = Index::Kind {
            realm: "default".to_owned(),
            kind: kind.to_owned(),
        };
        let rows = self.faults().inner().list(&index, None, usize::MAX);
        let rows = rows.now_or_never().and_then(Result::ok);
        rows.expect("memory is ready at once")
    }

    /// A row as it is stored.
    pub fn row(&self, key: &Key) -> Option<Row> {
        let rows = self.store.get(std::slice::from_ref(key)).now_or_never();
        rows.and_then(Result::ok)?.pop()?
    }

    /// A user's row.
    pub fn user(&self, id: UserId) -> Option<User> {
        let row = self.row(&self.user_key(id))?;
        Some(serde_json::from_slice(&row.value).expect("a user"))
    }

    /// Replaces a user's row by what somebody else might have written.
    pub fn put_user(&mut self, user: &User) {
        let row = self.row(&self.user_key(user.id)).expect("a row");
        let write = records::replace(&self.realm.name, user, &row).expect("it may be written");
        let id = Version::from_bytes([10; 16]);
        let put = self.store.commit(self.now, id, vec![write]).now_or_never();
        assert_eq!(put.and_then(Result::ok), Some(Committed::Done));
    }

    fn user_key(&self, id: UserId) -> Key {
        records::key::<User>(&self.realm.name, &id.to_string())
    }

    /// All that someone who stole the store can read.
    pub fn dump(&self) -> String {
        let kinds = [
            "grant", "usercode", "user", "username", "session", "seen", "revoked", "consent",
        ];
        let rows = kinds.iter().flat_map(|kind| self.list(kind));
        rows.map(|row| format!("{:?} {}\n", row.key, String::from_utf8_lossy(&row.value)))
            .collect()
    }

    /// The store deletes rows that expired long enough ago.
    pub fn sweep(&self) {
        let swept = self.store.sweep(self.now, 1_000_000).now_or_never();
        assert!(swept.is_some_and(|swept| swept.is_ok()));
    }

    /// The events since they were last taken.
    pub fn take_events(&mut self) -> Vec<EventKind> {
        self.events.drain(..).map(|event| event.kind).collect()
    }

    pub fn seed(&self) -> Seed {
        self.seeds.next()
    }

    /// Whatever comes after `preview` draws the same randomness as it did.
    pub fn preview<T>(&mut self, preview: impl FnOnce(&mut Self) -> T) -> T {
        let position = self.seeds.position();
        let seen = preview(self);
        self.seeds.set_position(position);
        seen
    }
}

pub fn peer(address: &str) -> Peer {
    Peer::new(address.parse().expect("an address"), "world/1.0")
}
