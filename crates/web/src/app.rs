//! The application: a realm that is served by a process. It runs the decisions of the core.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::Poll;
use std::time::Duration;

use grantor_core::base::error::{ErrorCode, Failure};
use grantor_core::base::row::{Committed, Write};
use grantor_core::engine::decide::Operation;
use grantor_core::engine::drive::{Drive, Outcome, Step};
use grantor_core::model::config_document::ConfigDocument;
use grantor_core::model::ids::ClientId;
use grantor_core::model::realm::Realm;
use grantor_core::records::{ManagedClient, Outbox, Record, User};
use grantor_jose::SignError;
use grantor_store::{Store, StoreError};

use crate::excess;
use crate::peer::Proxies;
use crate::render::PagesError;
use crate::shell::{Shell, ShellParts};
use crate::snapshot::{Snapshot, SnapshotParts};
use crate::system::{Clock, Entropy, EventSink};
use crate::trace::TraceId;

/// A request that has waited for so long goes on with the newest realm.
const RENEWAL: Duration = Duration::from_secs(2);

pub struct Parts {
    /// The first state of the realm.
    pub snapshot: SnapshotParts,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub events: Arc<dyn EventSink>,
    pub proxies: Proxies,
    /// A folder with templates that override the embedded ones.
    pub templates: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Pages(#[from] PagesError),
    #[error("cannot start a password thread")]
    Thread(#[from] std::io::Error),
    #[error("the issuer is not a URL")]
    Issuer(#[from] url::ParseError),
}

/// Why a request failed without an answer that the protocol defines: 500 or 503.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Signer(#[from] SignError),
    /// The queue of passwords to hash is full, or others have a better claim to its places.
    #[error("too many others are waiting for the same")]
    Busy,
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Unavailable {
    /// Failures of the store and the signer are temporary.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Store(_) | Self::Signer(_) | Self::Busy => ErrorCode::TemporarilyUnavailable,
            Self::Failure(failure) => failure.code(),
        }
    }
}

/// A realm that is served: its newest snapshot, and the shell, which knows no realm.
pub struct App {
    shell: Shell,
    snapshot: RwLock<Arc<Snapshot>>,
}

impl Deref for App {
    type Target = Shell;

    fn deref(&self) -> &Shell {
        &self.shell
    }
}

impl App {
    /// Renders every page with samples, to check the templates.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(parts: Parts) -> Result<Arc<Self>, StartError> {
        let Parts {
            snapshot,
            store,
            clock,
            entropy,
            events,
            proxies,
            templates,
        } = parts;
        let snapshot = Snapshot::new(snapshot)?;
        Ok(Arc::new(Self {
            shell: Shell::new(ShellParts {
                store,
                clock,
                entropy,
                events,
                proxies,
                templates,
            })?,
            snapshot: RwLock::new(Arc::new(snapshot)),
        }))
    }

    /// Runs a decision outside of any request.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn run<O>(
        self: &Arc<Self>,
        operation: O,
    ) -> Result<Outcome<O::Reply, O::Refused>, Unavailable>
    where
        O: Operation + Send + 'static,
    {
        let trace = TraceId::new(&self.seed());
        self.run_traced(operation, &trace).await
    }

    /// The same for a request that began with no snapshot of its own.
    pub(crate) async fn run_traced<O>(
        self: &Arc<Self>,
        operation: O,
        trace: &TraceId,
    ) -> Result<Outcome<O::Reply, O::Refused>, Unavailable>
    where
        O: Operation + Send + 'static,
    {
        self.run_with(self.snapshot(), operation, trace).await
    }

    /// Runs a decision for a request, by the snapshot that the request began with. If it does not complete at once, it
    /// continues in a separate task: when the client disconnects, effects and events still follow the commit.
    pub(crate) async fn run_with<O>(
        self: &Arc<Self>,
        snapshot: Arc<Snapshot>,
        operation: O,
        trace: &TraceId,
    ) -> Result<Outcome<O::Reply, O::Refused>, Unavailable>
    where
        O: Operation + Send + 'static,
    {
        let app = Arc::clone(self);
        let mut work = Box::pin(app.drive_to_completion(snapshot, operation, trace.clone()));
        if let Poll::Ready(result) = futures_util::poll!(&mut work) {
            return result.map(|(outcome, _)| outcome);
        }
        let (outcome, _) = self.run_detached(work).await?;
        Ok(outcome)
    }

    /// Runs a decision outside of any request, and returns the snapshot by which it was made, whose keys sign what it left
    /// unsigned.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn run_to_sign<O>(
        self: &Arc<Self>,
        operation: O,
    ) -> Result<(Outcome<O::Reply, O::Refused>, Arc<Snapshot>), Unavailable>
    where
        O: Operation + Send + 'static,
    {
        let trace = TraceId::new(&self.seed());
        let app = Arc::clone(self);
        self.run_detached(app.drive_to_completion(self.snapshot(), operation, trace))
            .await
    }

    async fn drive_to_completion<O>(
        self: Arc<Self>,
        mut snapshot: Arc<Snapshot>,
        operation: O,
        trace: TraceId,
    ) -> Result<(Outcome<O::Reply, O::Refused>, Arc<Snapshot>), Unavailable>
    where
        O: Operation + Send,
    {
        let realm = Arc::clone(&snapshot.realm);
        let mut drive = Drive::new(operation, realm, self.now(), self.seed());
        let mut result = self.perform(&mut drive, &mut snapshot).await;
        let effects = match &result {
            Ok(outcome) => outcome.effects.clone(),
            // Give back what was reserved in memory: a store failure does not count as an attempt.
            Err(_) => drive.abandon(),
        };
        self.apply(&effects);
        if let Ok(outcome) = &mut result {
            let events = outcome.events.iter();
            events.for_each(|event| self.record_traced(event, &trace));
            if let Some(excess) = outcome.excess.take() {
                excess::end(Arc::clone(&self), excess, trace).await;
            }
        }
        result.map(|outcome| (outcome, snapshot))
    }

    /// `snapshot` is that of the drive's realm, at the end as well.
    async fn perform<O>(
        &self,
        drive: &mut Drive<O>,
        snapshot: &mut Arc<Snapshot>,
    ) -> Result<Outcome<O::Reply, O::Refused>, Unavailable>
    where
        O: Operation + Send,
    {
        let mut taken = self.monotonic();
        loop {
            // What took long may have been overtaken by a change of the realm.
            if self.monotonic().since(taken) > RENEWAL {
                taken = self.monotonic();
                let newest = self.snapshot();
                if drive.renew(&newest.realm) {
                    *snapshot = newest;
                }
            }
            match drive.step() {
                Step::Get(keys) => {
                    let rows = self.store().get(&keys).await?;
                    drive.rows(keys, rows);
                }
                Step::Clients(ids) => {
                    let clients = self.managed_clients(snapshot, ids).await?;
                    drive.clients(clients);
                }
                Step::Quota(ask) => {
                    let answer = self.quota(&ask);
                    drive.quota(ask, answer);
                }
                Step::Poll(ask) => {
                    let poll = self.poll(&ask);
                    drive.poll(ask, poll);
                }
                Step::Password {
                    hash,
                    password,
                    queue,
                } => {
                    let matches = self
                        .passwords
                        .verify(&queue, hash, password)
                        .await
                        .ok_or(Unavailable::Busy)?;
                    drive.password(matches);
                }
                Step::HashPassword { password, queue } => {
                    let hash = self.hash_password_in(&queue, password).await?;
                    drive.hashed(hash);
                }
                Step::Keys(ask) => {
                    let keys = snapshot.trusted_keys.keys(&ask).await;
                    drive.keys(ask, keys);
                }
                Step::Sign(input) => {
                    let signature = snapshot
                        .signer
                        .sign(input.kid(), input.algorithm(), input.as_bytes())
                        .await?;
                    drive.signature(input, &signature);
                }
                Step::Commit { now, id, writes } => {
                    let written = Written::new(&writes);
                    let committed: Committed = self.store().commit(now, id, writes).await?;
                    self.tell(written);
                    if committed != Committed::Done {
                        // Another attempt is by the newest realm.
                        *snapshot = self.snapshot();
                    }
                    drive.committed(committed, self.now(), self.seed(), &snapshot.realm);
                }
                Step::Done(outcome) => return Ok(outcome),
                Step::Failed(failure, effects) => {
                    self.apply(&effects);
                    return Err(failure.into());
                }
            }
        }
    }

    fn tell(&self, written: Written) {
        if written.outbox {
            self.outbox.notify_one();
        }
        if written.config {
            self.set_config_changed();
        }
        // Clients depend on their owners.
        if written.users {
            self.clients.forget_all();
        }
        for client in &written.clients {
            self.clients.forget(client);
        }
    }

    /// Counts the pending device codes in the store, once at start: the more are pending, the longer new user codes are.
    ///
    /// # Errors
    /// [`Unavailable::Store`].
    pub async fn count_pending(&self) -> Result<u32, Unavailable> {
        let realm = self.realm();
        self.shell.count_pending(&realm).await
    }

    /// How many device codes are pending, as far as this node knows.
    #[must_use]
    pub fn pending_devices(&self) -> u32 {
        self.shell.pending_devices(&self.realm())
    }

    #[must_use]
    pub fn realm(&self) -> Arc<Realm> {
        Arc::clone(&self.snapshot().realm)
    }

    /// The newest snapshot. A request takes it once, at its beginning.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next state of the realm, for requests that begin from now on; those in progress keep theirs. For the one owner of
    /// the realm: it replaces all that was there.
    pub fn replace(&self, parts: SnapshotParts) {
        let next = Arc::new(self.snapshot().followed_by(parts));
        let replaced = {
            let mut current = self
                .snapshot
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, next)
        };
        // Freed without the lock: it may be large.
        drop(replaced);
    }
}

/// What others of this process are told of a commit.
#[derive(Default)]
struct Written {
    outbox: bool,
    config: bool,
    users: bool,
    clients: Vec<ClientId>,
}

impl Written {
    fn new(writes: &[Write]) -> Self {
        let mut written = Self::default();
        for key in writes.iter().filter(|it| it.changes()).map(Write::key) {
            match key.kind() {
                Outbox::KIND => written.outbox = true,
                ConfigDocument::KIND => written.config = true,
                ManagedClient::KIND => written.clients.extend(key.name().parse()),
                User::KIND => written.users = true,
                _ => {}
            }
        }
        written
    }
}
