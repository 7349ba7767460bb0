//! What a process has, whichever realm a request is for: store, clock, randomness, limits, password workers, pages.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use grantor_core::base::error::Failure;
use grantor_core::base::row::Index;
use grantor_core::base::secret::Secret;
use grantor_core::base::seed::Seed;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::Event;
use grantor_core::engine::facts::PasswordQueue;
use grantor_core::engine::limits::{
    Effect, Limits, Poll, PollQuery, QuotaAnswer, QuotaQuery, pending,
};
use grantor_core::manage::clients::RecordSecretUses;
use grantor_core::model::password_hash::Cost;
use grantor_core::model::realm::Realm;
use grantor_core::records::{Record, UserCodeRow};
use grantor_store::{Store, list_pages};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::api::OpenApi;
use crate::app::{StartError, Unavailable};
use crate::event_log::EventLog;
use crate::managed_clients::ManagedClients;
use crate::metrics::{Metrics, MetricsSnapshot};
use crate::passwords::Passwords;
use crate::peer::Proxies;
use crate::render::Pages;
use crate::secret_uses::UsedSecrets;
use crate::system::{Clock, Entropy, EventSink, Management};
use crate::trace::TraceId;

/// Rows per page while pending device codes are counted at start.
const COUNT_PAGE_ROWS: usize = 1000;
/// Counting stops here: more pending codes do not make user codes longer.
const MAX_COUNTED: u32 = 2_000_000;

pub(crate) struct ShellParts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) proxies: Proxies,
    /// A folder with templates that override the embedded ones.
    pub(crate) templates: Option<PathBuf>,
}

/// What is known of the managed document.
#[derive(Default)]
struct ConfigState {
    /// This process may have changed it.
    changed: Notify,
    /// It was taken, or found to be unchanged.
    confirmed: Notify,
    /// When that was begun, by the monotonic clock, in milliseconds.
    confirmed_at: AtomicU64,
    /// How many changes this process may have made, and how many of them are in use.
    changes: AtomicU64,
    taken: AtomicU64,
    /// Whether someone takes changes.
    watched: AtomicBool,
    /// Whether other nodes make some.
    shared: AtomicBool,
    changing: tokio::sync::Mutex<()>,
}

/// What no realm has for itself.
pub struct Shell {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    events: Arc<dyn EventSink>,
    limits: Mutex<Limits>,
    used_secrets: UsedSecrets,
    pub(crate) passwords: Passwords,
    ready: AtomicBool,
    tasks: TaskTracker,
    /// Notified when a row of the outbox may have been written.
    pub(crate) outbox: Notify,
    /// Managed clients that were read.
    pub(crate) clients: ManagedClients,
    config: ConfigState,
    pub(crate) pages: Pages,
    pub(crate) proxies: Proxies,
    pub(crate) metrics: Metrics,
    pub(crate) openapi: OnceLock<OpenApi>,
    management: OnceLock<Arc<dyn Management>>,
    #[cfg(feature = "spans")]
    pub(crate) spans: OnceLock<Arc<dyn crate::span::SpanSink>>,
}

impl Shell {
    /// Renders every page with samples, to check the templates.
    ///
    /// # Errors
    /// [`StartError`].
    pub(crate) fn new(parts: ShellParts) -> Result<Self, StartError> {
        Ok(Self {
            pages: Pages::new(parts.templates.as_deref())?,
            used_secrets: UsedSecrets::default(),
            limits: Mutex::new(Limits::new(&parts.entropy.seed().bytes("limits"))),
            passwords: Passwords::start()?,
            ready: AtomicBool::new(false),
            tasks: TaskTracker::new(),
            outbox: Notify::new(),
            clients: ManagedClients::default(),
            config: ConfigState::default(),
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            events: parts.events,
            proxies: parts.proxies,
            metrics: Metrics::default(),
            openapi: OnceLock::new(),
            management: OnceLock::new(),
            #[cfg(feature = "spans")]
            spans: OnceLock::new(),
        })
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

    /// What `/api/openapi.json` answers. Once, at the start.
    pub fn set_openapi(&self, document: OpenApi) {
        self.openapi.get_or_init(|| document);
    }

    /// Waits for detached work, at shutdown.
    pub(crate) async fn finish_tasks(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Waits until this process may have written a row of the outbox. A write since the last call counts.
    pub async fn outbox_written(&self) {
        self.outbox.notified().await;
    }

    /// Records an event that does not come from a decision. Returns its trace id.
    pub fn record(&self, event: &Event) -> String {
        let trace = TraceId::new(&self.seed());
        self.record_traced(event, &trace);
        trace.as_str().to_owned()
    }

    /// None where events are only logged.
    pub(crate) fn event_log(&self) -> Option<&dyn EventLog> {
        self.events.log()
    }

    pub(crate) fn record_traced(&self, event: &Event, trace: &TraceId) {
        self.events.record(self.now(), trace.as_str(), event);
    }

    /// Returns once this process may have changed the managed document. Whoever asks takes changes from then on.
    pub async fn config_changed(&self) {
        self.config.watched.store(true, Ordering::Relaxed);
        self.config.changed.notified().await;
    }

    /// Whether someone takes changes of the managed document.
    #[must_use]
    pub fn is_config_watched(&self) -> bool {
        self.config.watched.load(Ordering::Relaxed)
    }

    pub(crate) fn set_config_changed(&self) {
        self.config.changes.fetch_add(1, Ordering::SeqCst);
        self.config.changed.notify_one();
    }

    /// How many changes of the managed document this process may have made: those that a read which begins now will see.
    #[must_use]
    pub fn config_changes(&self) -> u64 {
        self.config.changes.load(Ordering::SeqCst)
    }

    /// The managed document in use is that of a read that began at `began`, by the monotonic clock, after so many `changes` of
    /// this process. `is_shared` says whether other nodes change it.
    pub fn confirm_config(&self, began: Timestamp, changes: u64, is_shared: bool) {
        let began = began.as_millis();
        self.config.shared.store(is_shared, Ordering::Relaxed);
        self.config.confirmed_at.fetch_max(began, Ordering::Relaxed);
        self.config.taken.fetch_max(changes, Ordering::SeqCst);
        self.config.confirmed.notify_waiters();
    }

    /// Whether what is managed may be used: a node that cannot ask what others changed would serve clients that are gone.
    pub(crate) fn is_config_current(&self) -> bool {
        const LONGEST: Duration = Duration::from_secs(10);
        !self.config.shared.load(Ordering::Relaxed)
            || self.monotonic().since(self.config_confirmed_at()) <= LONGEST
    }

    /// When the managed document in use was last found to be the newest, by the monotonic clock.
    pub(crate) fn config_confirmed_at(&self) -> Timestamp {
        Timestamp::from_millis(self.config.confirmed_at.load(Ordering::Relaxed))
    }

    /// Held by a change of the managed document until it is in use, so that changes by one process are never in conflict. Only
    /// admitted callers wait for it.
    ///
    /// # Errors
    /// [`Unavailable::Busy`] after a while.
    pub(crate) async fn change_config(
        &self,
    ) -> Result<tokio::sync::MutexGuard<'_, ()>, Unavailable> {
        const WHILE: Duration = Duration::from_secs(10);
        let held = tokio::time::timeout(WHILE, self.config.changing.lock()).await;
        held.map_err(|_| Unavailable::Busy)
    }

    /// Returns once every change that this process has made is in use, or after a while that no change takes.
    pub async fn config_taken(&self) {
        const WHILE: Duration = Duration::from_secs(5);
        if !self.is_config_watched() {
            return;
        }
        let changes = self.config_changes();
        let taken = async {
            loop {
                let confirmed = self.config.confirmed.notified();
                if self.config.taken.load(Ordering::SeqCst) >= changes {
                    return;
                }
                confirmed.await;
            }
        };
        tokio::time::timeout(WHILE, taken).await.ok();
    }

    /// Hashes a password that the operator sets. Returns a PHC string.
    ///
    /// # Errors
    /// [`Unavailable::Busy`].
    pub async fn hash_password(&self, password: Secret) -> Result<String, Unavailable> {
        self.hash_password_in(&PasswordQueue::Operator, password)
            .await
    }

    pub(crate) async fn hash_password_in(
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

    /// Counts the pending device codes of a realm in the store, once at start: the more are pending, the longer new user
    /// codes are.
    ///
    /// # Errors
    /// [`Unavailable::Store`].
    pub(crate) async fn count_pending(&self, realm: &Realm) -> Result<u32, Unavailable> {
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
        let window = pending::window(realm);
        let now = self.monotonic();
        self.limits()
            .preload(now, &pending::realm_quota(), window, pending_codes);
        Ok(pending_codes)
    }

    /// How many device codes of a realm are pending, as far as this node knows.
    pub(crate) fn pending_devices(&self, realm: &Realm) -> u32 {
        let (window, quota) = (pending::window(realm), pending::realm_quota());
        let now = self.monotonic();
        self.limits().counted(now, &quota, window)
    }

    /// Sends the span of each request to `sink`. Only the first call has an effect.
    #[cfg(feature = "spans")]
    pub fn set_span_sink(&self, sink: Arc<dyn crate::span::SpanSink>) {
        self.spans.set(sink).ok();
    }

    /// What does for the management API what is no decision. Only the first call has an effect.
    pub fn set_management(&self, management: Arc<dyn Management>) {
        self.management.set(management).ok();
    }

    pub(crate) fn management(&self) -> Option<&Arc<dyn Management>> {
        self.management.get()
    }

    #[must_use]
    pub fn request_metrics(&self) -> MetricsSnapshot {
        self.metrics.snapshot()
    }

    /// Makes `/readyz` answer 200 while the store is ready.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// Whether the server has started.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
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

    /// The time of the clock that no one sets.
    #[must_use]
    pub fn monotonic(&self) -> Timestamp {
        self.clock.monotonic()
    }

    pub(crate) fn quota(&self, ask: &QuotaQuery) -> QuotaAnswer {
        let now = self.monotonic();
        self.limits().quota(now, ask)
    }

    pub(crate) fn poll(&self, ask: &PollQuery) -> Poll {
        let now = self.monotonic();
        self.limits().poll(now, ask)
    }

    pub(crate) fn apply(&self, effects: &[Effect]) {
        if !effects.is_empty() {
            let now = self.monotonic();
            let mut limits = self.limits();
            effects.iter().for_each(|effect| limits.apply(now, effect));
            drop(limits);
            for effect in effects {
                if let Effect::SecretUsed(used) = effect {
                    self.used_secrets.add(used, self.now());
                }
            }
        }
    }

    /// When secrets were last used, as far as it is to be written now.
    #[must_use]
    pub fn take_secret_uses(&self) -> Vec<RecordSecretUses> {
        self.used_secrets.take(self.now())
    }

    /// The guard must not be held across an await.
    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
