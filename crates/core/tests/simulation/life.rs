//! One simulated life of a server: what happens, one step at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use grantor_core::base::row::{Index, IndexName, NewRow, Row, Write};
use grantor_core::base::time::Timestamp;
use grantor_core::engine::limits::Limits;
use grantor_core::model::ids::{ClientId, ClientInstance};
use grantor_core::model::realm::Realm;
use grantor_core::records::{Consent, Grant, Record, Session};
use grantor_store::Store as _;
use grantor_store::memory::Memory;
use grantor_store::testing::{Counting, Fault, Faulty};

use crate::keys::Ring;
use crate::manner::Manner;
use crate::model::{Model, Name, State, USERS, is_swept};
use crate::requests::{Lane, Request};
use crate::tables::Tables;
use crate::things::{ADDRESSES, APPS, CLIENTS, Seat, Things};
use grantor_testkit::world::World;
use grantor_testkit::{Chance, Spans as _, user_id};

/// The most requests under way at once.
pub(crate) const AT_ONCE: usize = 4;
/// How many of the last steps are printed when something is wrong.
const TOLD: usize = 60;

pub(crate) struct Life {
    seed: u64,
    pub(crate) step: u64,
    pub(crate) chance: Chance,
    pub(crate) manner: Manner,
    pub(crate) world: World,
    pub(crate) things: Things,
    pub(crate) model: Model,
    pub(crate) tables: Tables,
    flights: Vec<Flight>,
    pub(crate) keys: Ring,
    backup: Option<(Vec<Row>, Model)>,
    /// Clients that the operator disabled.
    pub(crate) disabled: BTreeSet<Name>,
    /// Which client each id stands for.
    pub(crate) instances: BTreeMap<ClientId, ClientInstance>,
    /// The time that passed, regardless of clock steps.
    pub(crate) passed: Duration,
    /// How often each thing happened.
    pub(crate) tally: BTreeMap<&'static str, u64>,
    told: VecDeque<(u64, Timestamp, String)>,
    verbose: bool,
}

/// A request under way, and what was true when it began.
pub(crate) struct Flight {
    pub(crate) request: Request,
    lane: Box<dyn Lane>,
    /// The configuration that it sees.
    pub(crate) realm: Arc<Realm>,
    /// The time of its first attempt, and of its latest.
    pub(crate) begun: Timestamp,
    pub(crate) now: Timestamp,
    /// When its commits happened.
    pub(crate) wrote: Vec<Timestamp>,
    /// Whether it tried to commit, and whether an answer to that was lost.
    pub(crate) tried: bool,
    pub(crate) unknown: bool,
    /// The answer to its own refresh was lost: the reuse that it then sees may be its own.
    pub(crate) spared: bool,
    pub(crate) before: Before,
    /// When the tables in memory were asked, in time that passed.
    pub(crate) asked: Duration,
    pub(crate) polled: Option<Polled>,
    /// The place of the cookie that it sets.
    pub(crate) cookie: Option<usize>,
    /// The generation of the refresh token that it gives.
    pub(crate) next: Option<u32>,
    /// The place of the app whose code it gives.
    pub(crate) device: Option<usize>,
    /// The grants that it is to end.
    pub(crate) to_end: Vec<usize>,
    /// A sign-in with a cookie of an earlier sign-in of the same user, which may have ended since.
    pub(crate) may_be_known: bool,
    /// How often the user who signs in was cut off before.
    pub(crate) cut: Option<u32>,
}

/// What was true when a request began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    /// What it presents is valid: a token, a password, consent.
    pub(crate) good: bool,
    /// The cookie that it shows may open a session.
    pub(crate) signed_in: bool,
    pub(crate) state: Option<State>,
}

/// What the poll clock should answer, and what it answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Polled {
    pub(crate) early: bool,
    pub(crate) from_memory: bool,
    pub(crate) pending: bool,
}

impl Life {
    pub(crate) fn new(seed: u64, verbose: bool) -> Self {
        let mut chance = Chance::new(seed);
        let manner = Manner::new(&mut chance);
        let world = World::new();
        let mut life = Self {
            seed,
            step: 0,
            chance,
            manner,
            world,
            things: Things::default(),
            model: Model::default(),
            tables: Tables::default(),
            flights: Vec::new(),
            keys: Ring::default(),
            backup: None,
            disabled: BTreeSet::new(),
            instances: BTreeMap::new(),
            passed: Duration::ZERO,
            tally: BTreeMap::new(),
            told: VecDeque::new(),
            verbose,
        };
        life.look_at_keys(false);
        life.start();
        life.model.users = USERS.map(|user| (user, Default::default())).into();
        for user in USERS {
            let declare = Request::Declare {
                user,
                enabled: user != "carol",
                password: 0,
                group: 0,
            };
            life.begin(declare);
            life.run_the_last();
        }
        life.things.seats = ADDRESSES
            .map(|address| Seat {
                address,
                cookie: None,
                known: None,
            })
            .into();
        life
    }

    pub(crate) fn step(&mut self) {
        self.step += 1;
        match self.chance.below(100) {
            0..50 if !self.flights.is_empty() => {
                let at = self.chance.index(self.flights.len());
                self.go_on(at);
            }
            0..82 if self.flights.len() < AT_ONCE => {
                if let Some(request) = self.request() {
                    self.begin(request);
                    match self.chance.below(3) {
                        0 => self.go_on(self.flights.len() - 1),
                        _ => self.run_the_last(),
                    }
                }
            }
            0..94 => self.time_passes(),
            _ => self.something_rare(),
        }
        self.audit_anything();
        if self.chance.one_in(8) {
            self.audit_account();
        }
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.tally.entry(what).or_default() += 1;
    }

    pub(crate) fn tell(&mut self, what: impl FnOnce() -> String) {
        if self.verbose {
            let what = what();
            self.told.push_back((self.step, self.world.now, what));
            if self.told.len() > TOLD {
                self.told.pop_front();
            }
        }
    }

    pub(crate) fn is_under_way(&self) -> bool {
        !self.flights.is_empty()
    }

    fn begin(&mut self, request: Request) {
        let lane = self.things.send(&mut self.world, request);
        let now = self.world.now;
        self.tell(|| format!("begins {request:?}"));
        self.flights.push(Flight {
            request,
            lane,
            realm: self.world.realm.clone(),
            begun: now,
            now,
            wrote: Vec::new(),
            tried: false,
            unknown: false,
            spared: false,
            before: self.before(request),
            asked: self.passed,
            polled: None,
            cookie: None,
            next: None,
            device: None,
            to_end: self.to_end(request),
            may_be_known: self.may_be_known(request),
            cut: self.cut(request),
        });
    }

    pub(crate) fn cut(&self, request: Request) -> Option<u32> {
        match request {
            Request::SignIn { user, .. } => Some(self.model.users[user].cut),
            _ => None,
        }
    }

    fn may_be_known(&self, request: Request) -> bool {
        let Request::SignIn { seat, user, .. } = request else {
            return false;
        };
        let cookie = self.things.seats[seat].known.as_ref();
        let sealing = &self.world.realm.sealing;
        cookie
            .and_then(|cookie| sealing.open_known_browser(cookie.reveal()))
            .is_some_and(|known| known.user == user_id(user))
    }

    fn run_the_last(&mut self) {
        let others = self.flights.len() - 1;
        while self.flights.len() > others {
            self.go_on(others);
        }
    }

    /// The next effect of a request, with a store that may fail.
    fn go_on(&mut self, at: usize) {
        let mut flight = self.flights.swap_remove(at);
        let unsure = flight.lane.is_about_to_commit() && self.chance.one_in(self.manner.faults);
        let down = self.chance.one_in(self.manner.faults * 4);
        if down {
            self.world.faults().set_down(true);
        } else if unsure {
            let fault = self
                .chance
                .pick(&[Fault::UnknownWritten, Fault::UnknownLost]);
            self.count(match fault {
                Fault::UnknownWritten => "a commit whose answer is lost",
                _ => "a commit that is lost with its answer",
            });
            self.world.faults().inject(fault);
        }
        let end = flight.lane.effect(&mut self.world);
        self.world.faults().set_down(false);
        if let Some(seen) = flight.lane.seen() {
            self.saw(&mut flight, seen);
        }
        match end {
            None => self.flights.push(flight),
            Some(end) => {
                self.tell(|| format!("ends {:?}: {end:?}", flight.request));
                self.ended(&flight, end);
            }
        }
    }

    fn time_passes(&mut self) {
        let pace = self.manner.pace;
        let time = match self.chance.below(200) {
            0 => self.chance.below(40 * 24).h(),
            1..5 => self.chance.below(90).mins(),
            5..7 => {
                let back = match self.chance.below(2) {
                    0 => self.chance.below(48 * 60).mins(),
                    _ => self.chance.below(90).s(),
                };
                self.world.now = self.world.now - back;
                self.tables.stepped_back = true;
                self.count("a clock that steps back");
                return self.tell(|| format!("the clock steps back by {back:?}"));
            }
            _ => self.chance.below(2 * pace.as_millis() as u64 + 1).ms(),
        };
        self.passed += time;
        self.world.advance(time);
        self.look_at_keys(false);
    }

    fn something_rare(&mut self) {
        match self.chance.below(80) {
            0 => {
                self.count("a restart");
                self.restart();
            }
            1..4 => self.back_up(),
            4 => self.restore(),
            5..8 => {
                let all: Vec<_> = CLIENTS.into_iter().chain(APPS).collect();
                let client = self.chance.pick(&all);
                if !self.disabled.remove(client) {
                    self.disabled.insert(client);
                }
                self.configure();
                self.tell(|| format!("{client} is disabled, or enabled again"));
            }
            8..18 => self.sweep(),
            18..28 => self.look_at_keys(true),
            28..38 => self.end_excess_sessions(),
            38..48 => self.end_excess_grants(),
            48..50 => self.declare_again(),
            _ => {}
        }
    }

    /// The operator withdraws a client; someone else declares one of its id.
    fn declare_again(&mut self) {
        let all: Vec<_> = CLIENTS.into_iter().chain(APPS).collect();
        let client = self.chance.pick(&all);
        self.restart();
        let realm = &mut self.world.realm;
        let realm = Arc::get_mut(realm).expect("no request is under way");
        let id = client.parse().expect("a client id");
        let withdrawn = realm.clients.remove(&id).expect("a client");
        self.start();
        self.world.reconfigure(|realm| {
            realm.clients.insert(id, withdrawn);
        });
        self.start();
        self.model.declare_again(client);
        self.count("a client that is declared again");
        self.tell(|| format!("{client} is withdrawn and declared again"));
    }

    /// The server finds out which client each id stands for.
    fn start(&mut self) {
        self.world.start();
        let clients = self.world.realm.clients.values();
        self.instances = clients.map(|it| (it.id.clone(), it.instance)).collect();
    }

    /// The process ends with all requests under way; what was in memory is lost.
    fn restart(&mut self) {
        self.flights.clear();
        self.world.limits = Limits::new(&[7; 32]);
        self.tables = Tables::default();
        self.tell(|| "the server restarts".to_owned());
    }

    fn back_up(&mut self) {
        // The model does not know the grant of a device whose codes are written but not yet returned.
        if self.flights.iter().any(|flight| !flight.wrote.is_empty()) {
            return;
        }
        let kinds = [
            "grant",
            "usercode",
            "user",
            "username",
            "login",
            "session",
            "seen",
            "revoked",
            "consent",
            "instance",
            "instances",
        ];
        let list = |kind: &str| {
            let index = Index::Kind {
                realm: "default".to_owned(),
                kind: kind.to_owned(),
            };
            let rows = self.world.store.list(&index, None, usize::MAX);
            rows.now_or_never()
                .and_then(Result::ok)
                .expect("memory is ready at once")
        };
        let rows = kinds.into_iter().flat_map(list).collect();
        self.backup = Some((rows, self.model.clone()));
        self.tell(|| "the store is copied".to_owned());
    }

    /// The store is what it was at the last backup; devices and browsers keep what they were given since.
    fn restore(&mut self) {
        let Some((rows, model)) = self.backup.clone() else {
            return;
        };
        self.count("a store that is restored");
        let memory = Memory::new();
        for row in rows {
            let indexes = lists(&row);
            let insert = Write::Insert(NewRow {
                key: row.key,
                expires_at: row.expires_at,
                value: row.value,
                indexes,
            });
            let done = memory.commit(self.world.now, row.version, vec![insert]);
            assert!(done.now_or_never().is_some_and(|done| done.is_ok()));
        }
        self.world.store = Counting::new(Faulty::new(memory));
        self.model = model;
        self.restart();
        self.start();
        self.tell(|| "the store is restored".to_owned());
    }

    /// Storage grows with live grants, never with traffic.
    fn sweep(&mut self) {
        let now = self.world.now;
        self.world.sweep();
        self.model.sweep(now);
        let mut revoked = 0;
        for (place, device) in self.things.devices.iter_mut().enumerate() {
            for (at, token) in device.access.iter_mut().enumerate() {
                if self.model.revoked.contains(&(place, at)) {
                    token.forgotten |= is_swept(Timestamp::from_secs(token.claims.exp), now);
                    revoked += usize::from(!token.forgotten);
                }
            }
        }
        let (rows, most) = (
            self.world.rows(),
            self.model.rows(revoked, self.instances.len() + 1),
        );
        assert!(
            rows <= most,
            "{rows} rows, where {most} are bound by what lives"
        );
        self.count("a sweep");
        self.tell(|| format!("what ended is swept, {rows} rows are left"));
    }
}

/// The lists in which a row is found: a copy of the store has them too.
fn lists(row: &Row) -> Vec<IndexName> {
    fn of<T: Record>(row: &Row) -> Vec<IndexName> {
        let record: T = serde_json::from_slice(&row.value).expect("a record");
        record.indexes("default")
    }
    match row.key.kind() {
        Grant::KIND => of::<Grant>(row),
        Session::KIND => of::<Session>(row),
        Consent::KIND => of::<Consent>(row),
        _ => Vec::new(),
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (step, now, what) in &self.told {
                eprintln!("{step:>6} {:>14} {what}", now.as_millis());
            }
            eprintln!("{:?}", self.manner);
            eprintln!(
                "step {step} of this life; to repeat it: SIMULATION_SEED={seed} SIMULATION_STEPS={step}",
                step = self.step,
                seed = self.seed
            );
        }
    }
}
