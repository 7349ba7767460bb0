//! The application: a realm with its store, signer and password workers. It runs the decisions of the core.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use grantor_core::base::error::{ErrorCode, Failure};
use grantor_core::base::row::{Committed, Index, Write};
use grantor_core::base::secret::Secret;
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::endpoints::metadata;
use grantor_core::engine::decide::Operation;
use grantor_core::engine::drive::{Drive, Outcome, Step};
use grantor_core::engine::event::Event;
use grantor_core::engine::facts::PasswordQueue;
use grantor_core::engine::limits::pending;
use grantor_core::engine::limits::{Effect, Limits};
use grantor_core::model::ids::{ClientId, ClientInstance};
use grantor_core::model::password_hash::Cost;
use grantor_core::model::realm::Realm;
use grantor_core::records::{Outbox, Record, UserCodeRow};
use grantor_jose::{KeySet, SignError, Signer, SigningInput};
use grantor_store::{Store, StoreError, list_pages};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::cookies::Cookies;
use crate::excess;
use crate::locale;
use crate::metrics::{Metrics, MetricsSnapshot};
use crate::pages::Site;
use crate::passwords::Passwords;
use crate::peer::Proxies;
use crate::render::{Pages, PagesError};
use crate::system::{Clock, Entropy, EventSink, TrustedKeys};
use crate::trace::TraceId;

/// Rows per page while pending device codes are counted at start.
const COUNT_PAGE_ROWS: usize = 1000;
/// Counting stops here: more pending codes do not make user codes longer.
const MAX_COUNTED: u32 = 2_000_000;

/// A request that has waited for so long goes on with the newest realm.
const RENEWAL: Duration = Duration::from_secs(2);

pub struct Parts {
    pub realm: Realm,
    pub store: Arc<dyn Store>,
    pub signer: Arc<dyn Signer>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub events: Arc<dyn EventSink>,
    pub trusted_keys: Arc<dyn TrustedKeys>,
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
    #[error("too many passwords are waiting to be hashed")]
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

/// A realm with its signer and its rendered documents. A request uses one snapshot throughout, so that keys never
/// change between a token's header and its signature.
pub(crate) struct Snapshot {
    pub(crate) realm: Arc<Realm>,
    signer: Arc<dyn Signer>,
    pub(crate) metadata: Bytes,
    pub(crate) jwks: Bytes,
}

impl Snapshot {
    fn new(realm: Realm, signer: Arc<dyn Signer>) -> Self {
        let metadata = metadata::document(&realm, &locale::tags())
            .to_string()
            .into();
        let jwks = serde_json::to_vec(&realm.signing.jwks())
            .unwrap_or_default()
            .into();
        Self {
            realm: Arc::new(realm),
            signer,
            metadata,
            jwks,
        }
    }
}

pub struct App {
    snapshot: RwLock<Arc<Snapshot>>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    events: Arc<dyn EventSink>,
    trusted_keys: Arc<dyn TrustedKeys>,
    limits: Mutex<Limits>,
    passwords: Passwords,
    ready: AtomicBool,
    tasks: TaskTracker,
    /// Notified when a row of the outbox may have been written.
    outbox: Notify,
    pub(crate) pages: Pages,
    pub(crate) cookies: Cookies,
    pub(crate) site: Site,
    pub(crate) proxies: Proxies,
    pub(crate) metrics: Metrics,
    #[cfg(feature = "spans")]
    pub(crate) spans: std::sync::OnceLock<Arc<dyn crate::span::SpanSink>>,
}

impl App {
    /// Renders every page with samples, to check the templates.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn new(parts: Parts) -> Result<Arc<Self>, StartError> {
        let issuer = url::Url::parse(&parts.realm.issuer)?;
        let host = issuer.host_str().unwrap_or_default();
        let host = issuer
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let site = Site {
            host,
            path: issuer.path().trim_end_matches('/').to_owned(),
        };
        Ok(Arc::new(Self {
            cookies: Cookies::new(&parts.realm.name, &parts.realm.issuer),
            site,
            pages: Pages::new(parts.templates.as_deref())?,
            limits: Mutex::new(Limits::new(&parts.entropy.seed().bytes("limits"))),
            passwords: Passwords::start()?,
            ready: AtomicBool::new(false),
            tasks: TaskTracker::new(),
            outbox: Notify::new(),
            snapshot: RwLock::new(Arc::new(Snapshot::new(parts.realm, parts.signer))),
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            events: parts.events,
            trusted_keys: parts.trusted_keys,
            proxies: parts.proxies,
            metrics: Metrics::default(),
            #[cfg(feature = "spans")]
            spans: std::sync::OnceLock::new(),
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

    /// Runs a decision for a request. If it does not complete at once, it continues in a separate task: when the client
    /// disconnects, effects and events still follow the commit.
    pub(crate) async fn run_traced<O>(
        self: &Arc<Self>,
        operation: O,
        trace: &TraceId,
    ) -> Result<Outcome<O::Reply, O::Refused>, Unavailable>
    where
        O: Operation + Send + 'static,
    {
        let mut work = Box::pin(Arc::clone(self).drive_to_completion(operation, trace.clone()));
        if let Poll::Ready(result) = futures_util::poll!(&mut work) {
            return result;
        }
        self.run_detached(work).await
    }

    /// Runs work in a separate task, so that it completes even if the client disconnects.
    pub(crate) async fn run_detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Unavailable>> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let task = self.tasks.spawn(work);
        task.await.unwrap_or(Err(Unavailable::Failure(Failure::Bug(
            "a decision did not complete",
        ))))
    }

    async fn drive_to_completion<O>(
        self: Arc<Self>,
        operation: O,
        trace: TraceId,
    ) -> Result<Outcome<O::Reply, O::Refused>, Unavailable>
    where
        O: Operation + Send,
    {
        let snapshot = self.snapshot();
        let realm = Arc::clone(&snapshot.realm);
        let mut drive = Drive::new(operation, realm, self.now(), self.seed());
        let mut result = self.perform(&mut drive, snapshot).await;
        let effects = match &result {
            Ok(outcome) => outcome.effects.clone(),
            // Give back what was reserved in memory: a store failure does not count as an attempt.
            Err(_) => drive.abandon(),
        };
        self.apply(&effects);
        if let Ok(outcome) = &mut result {
            let now = self.now();
            outcome
                .events
                .iter()
                .for_each(|event| self.events.record(now, trace.as_str(), event));
            if let Some(excess) = outcome.excess.take() {
                excess::end(Arc::clone(&self), excess, trace).await;
            }
        }
        result
    }

    /// Waits for detached work, at shutdown.
    pub(crate) async fn finish_tasks(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn perform<O>(
        &self,
        drive: &mut Drive<O>,
        mut snapshot: Arc<Snapshot>,
    ) -> Result<Outcome<O::Reply, O::Refused>, Unavailable>
    where
        O: Operation + Send,
    {
        let mut taken = self.clock.monotonic();
        loop {
            // What took long may have been overtaken by a change of the realm.
            if self.clock.monotonic().since(taken) > RENEWAL {
                taken = self.clock.monotonic();
                let newest = self.snapshot();
                if drive.renew(&newest.realm) {
                    snapshot = newest;
                }
            }
            match drive.step() {
                Step::Get(keys) => {
                    let rows = self.store.get(&keys).await?;
                    drive.rows(keys, rows);
                }
                Step::Quota(ask) => {
                    let now = self.clock.monotonic();
                    let answer = self.limits().quota(now, &ask);
                    drive.quota(ask, answer);
                }
                Step::Poll(ask) => {
                    let now = self.clock.monotonic();
                    let poll = self.limits().poll(now, &ask);
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
                    let keys = self.trusted_keys.keys(&ask).await;
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
                    let writes_outbox = writes.iter().any(is_outbox);
                    let committed: Committed = self.store.commit(now, id, writes).await?;
                    if writes_outbox {
                        self.outbox.notify_one();
                    }
                    snapshot = self.snapshot();
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

    /// Signs a token that is not part of a reply, such as a logout token.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn sign(&self, token: SigningInput) -> Result<String, SignError> {
        token.sign(&*self.snapshot().signer).await
    }

    /// Waits until this process may have written a row of the outbox. A write since the last call counts.
    pub async fn outbox_written(&self) {
        self.outbox.notified().await;
    }

    /// Records an event that does not come from a decision.
    pub fn record(&self, event: &Event) {
        let trace = TraceId::new(&self.seed());
        self.events.record(self.now(), trace.as_str(), event);
    }

    /// Hashes a password that the operator sets. Returns a PHC string.
    ///
    /// # Errors
    /// [`Unavailable::Busy`].
    pub async fn hash_password(&self, password: Secret) -> Result<String, Unavailable> {
        self.hash_password_in(&PasswordQueue::Operator, password)
            .await
    }

    async fn hash_password_in(
        &self,
        queue: &PasswordQueue,
        password: Secret,
    ) -> Result<String, Unavailable> {
        let salt = self.seed().bytes("salt");
        self.passwords
            .hash(queue, password, salt)
            .await
            .ok_or(Unavailable::Busy)
    }

    /// From now on, every sign-in costs as much as a stored hash of this cost, if it did not before.
    pub fn include_password_cost(&self, cost: Cost) {
        self.passwords.include_cost(cost);
    }

    /// Counts the pending device codes in the store, once at start: the more are pending, the longer new user codes are.
    ///
    /// # Errors
    /// [`Unavailable::Store`].
    pub async fn count_pending(&self) -> Result<u32, Unavailable> {
        let realm = self.realm();
        let index = Index::Kind {
            realm: realm.name.clone(),
            kind: UserCodeRow::KIND.to_owned(),
        };
        let mut pages = list_pages(self.store(), &index, COUNT_PAGE_ROWS);
        let mut pending_codes = 0_u32;
        while pending_codes < MAX_COUNTED
            && let Some(page) = pages.try_next().await?
        {
            let now = self.now();
            let count = page
                .iter()
                .filter(|row| !row.expires_at.is_some_and(|at| at.is_past(now)))
                .count();
            pending_codes = pending_codes.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        }
        let window = pending::window(&realm);
        let now = self.clock.monotonic();
        self.limits()
            .preload(now, &pending::realm_quota(), window, pending_codes);
        Ok(pending_codes)
    }

    /// Sends the span of each request to `sink`. Only the first call has an effect.
    #[cfg(feature = "spans")]
    pub fn set_span_sink(&self, sink: Arc<dyn crate::span::SpanSink>) {
        self.spans.set(sink).ok();
    }

    #[must_use]
    pub fn request_metrics(&self) -> MetricsSnapshot {
        self.metrics.snapshot()
    }

    /// How many device codes are pending, as far as this node knows.
    #[must_use]
    pub fn pending_devices(&self) -> u32 {
        let window = pending::window(&self.realm());
        let quota = pending::realm_quota();
        self.limits()
            .counted(self.clock.monotonic(), &quota, window)
    }

    /// Makes `/readyz` answer 200 while the store is ready.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn realm(&self) -> Arc<Realm> {
        Arc::clone(&self.snapshot().realm)
    }

    /// Signs and verifies with these keys from now on, and publishes them. Requests in progress keep their keys.
    /// Concurrent calls may overwrite each other.
    pub fn replace_keys(&self, signing: KeySet, signer: Arc<dyn Signer>) {
        let realm = Realm {
            signing: signing.into(),
            ..(*self.realm()).clone()
        };
        self.replace(Snapshot::new(realm, signer));
    }

    /// Which client each id stands for from now on. Concurrent calls may overwrite each other.
    pub fn set_instances(&self, instances: impl IntoIterator<Item = (ClientId, ClientInstance)>) {
        let snapshot = self.snapshot();
        let mut realm = (*snapshot.realm).clone();
        for (id, instance) in instances {
            if let Some(client) = realm.clients.get_mut(&id) {
                Arc::make_mut(client).instance = instance;
            }
        }
        self.replace(Snapshot::new(realm, Arc::clone(&snapshot.signer)));
    }

    fn replace(&self, snapshot: Snapshot) {
        let current = self.snapshot.write();
        *current.unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn seed(&self) -> Seed {
        self.entropy.seed()
    }

    fn apply(&self, effects: &[Effect]) {
        if !effects.is_empty() {
            let now = self.clock.monotonic();
            let mut limits = self.limits();
            effects.iter().for_each(|effect| limits.apply(now, effect));
        }
    }

    /// The guard must not be held across an await.
    fn limits(&self) -> std::sync::MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_outbox(write: &Write) -> bool {
    write.changes() && write.key().kind() == Outbox::KIND
}
