//! The application: one realm with its store, signer and workers; and how a decision is driven.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::Poll;

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
use grantor_core::engine::limits::pending;
use grantor_core::engine::limits::{LimitQuery, Limits};
use grantor_core::model::realm::Realm;
use grantor_core::records::{Outbox, Record, UserCodeRow};
use grantor_jose::{KeySet, SignError, Signer, SigningInput};
use grantor_store::{Store, StoreError, list_pages};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::cookies::Cookies;
use crate::locale;
use crate::metrics::{Figures, Metrics};
use crate::pages::Site;
use crate::passwords::Passwords;
use crate::peer::Proxies;
use crate::render::{Pages, PagesError};
use crate::system::{Clock, Entropy, EventSink, TrustedKeys};
use crate::trace::TraceId;

/// Rows of one page while live codes are counted at start.
const COUNTED_AT_ONCE: usize = 1000;
/// The most live codes that are counted at start.
const MOST_COUNTED: u32 = 2_000_000;

/// What an application is made of.
pub struct Parts {
    /// The realm.
    pub realm: Realm,
    /// Where rows are kept.
    pub store: Arc<dyn Store>,
    /// What signs.
    pub signer: Arc<dyn Signer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Where events go.
    pub events: Arc<dyn EventSink>,
    /// The keys of trusted issuers.
    pub trusted_keys: Arc<dyn TrustedKeys>,
    /// The proxies in front.
    pub proxies: Proxies,
    /// A folder of templates that replace ours.
    pub templates: Option<PathBuf>,
}

/// Why the application cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A page cannot be rendered.
    #[error(transparent)]
    Pages(#[from] PagesError),
    /// The workers for passwords cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The issuer is no URL.
    #[error("the issuer is no URL: {0}")]
    Issuer(#[from] url::ParseError),
}

/// There is no answer by the protocol.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The store's.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The signer's.
    #[error("signer: {0}")]
    Signer(#[from] SignError),
    /// Too many passwords wait to be verified.
    #[error("too many passwords wait to be verified")]
    Busy,
    /// The decision's.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Unavailable {
    /// The code with which it is answered: the store's and the signer's failures pass, ours do not.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Store(_) | Self::Signer(_) | Self::Busy => ErrorCode::TemporarilyUnavailable,
            Self::Failure(failure) => failure.code(),
        }
    }
}

/// A realm, what signs for it, and what is rendered from it once. A request takes one and keeps it, so that a change of
/// keys never comes between its header and its signature.
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

/// One running application.
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
    /// Woken when there is somebody to tell of something.
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
    /// Puts an application together; every page is checked.
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

    /// Drives a decision to its end with the real store and signer, outside any request.
    ///
    /// # Errors
    /// [`Unavailable`] where there is no answer by the protocol.
    pub async fn run<O>(self: &Arc<Self>, operation: O) -> Result<Outcome<O::Reply>, Unavailable>
    where
        O: Operation + Send + 'static,
        O::Reply: Send + 'static,
    {
        let trace = TraceId::of(&http::HeaderMap::new(), &self.seed());
        self.run_traced(operation, &trace).await
    }

    /// The same for a request with a trace id. A client that goes away does not stop what it began: a decision whose
    /// first steps do not answer at once becomes a task of its own, so that its effects and events follow its commit.
    pub(crate) async fn run_traced<O>(
        self: &Arc<Self>,
        operation: O,
        trace: &TraceId,
    ) -> Result<Outcome<O::Reply>, Unavailable>
    where
        O: Operation + Send + 'static,
        O::Reply: Send + 'static,
    {
        let mut whole = Box::pin(Arc::clone(self).drive_to_completion(operation, trace.clone()));
        if let Poll::Ready(ended) = futures_util::poll!(&mut whole) {
            return ended;
        }
        self.run_detached(whole).await
    }

    /// Goes on with what consists of several decisions, even where the client that asked for it goes away.
    pub(crate) async fn run_detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Unavailable>> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let task = self.tasks.spawn(work);
        task.await.unwrap_or(Err(Unavailable::Failure(Failure::Bug(
            "a decision did not end",
        ))))
    }

    async fn drive_to_completion<O>(
        self: Arc<Self>,
        operation: O,
        trace: TraceId,
    ) -> Result<Outcome<O::Reply>, Unavailable>
    where
        O: Operation + Send,
        O::Reply: Send,
    {
        let snapshot = self.snapshot();
        let realm = Arc::clone(&snapshot.realm);
        let mut drive = Drive::new(operation, realm, self.now(), self.seed());
        let ended = self.perform(&mut drive, &*snapshot.signer).await;
        let effects = match &ended {
            Ok(outcome) => outcome.effects.clone(),
            // What was reserved in memory is given back: a store that is away costs nobody a try.
            Err(_) => drive.abandon(),
        };
        if !effects.is_empty() {
            let mut limits = self.limits();
            effects.iter().for_each(|effect| limits.apply(effect));
        }
        if let Ok(outcome) = &ended {
            let now = self.now();
            outcome
                .events
                .iter()
                .for_each(|event| self.events.record(now, trace.as_str(), event));
        }
        ended
    }

    /// Waits for decisions whose clients went away.
    pub(crate) async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn perform<O>(
        &self,
        drive: &mut Drive<O>,
        signer: &dyn Signer,
    ) -> Result<Outcome<O::Reply>, Unavailable>
    where
        O: Operation + Send,
        O::Reply: Send,
    {
        loop {
            match drive.step() {
                Step::Get(keys) => {
                    let rows = self.store.get(&keys).await?;
                    drive.rows(keys, rows);
                }
                Step::Table(ask) => {
                    let answer = self.ask(&ask);
                    drive.answer(ask, answer);
                }
                Step::Password { hash, password } => {
                    let right = self
                        .passwords
                        .verify(hash, password)
                        .await
                        .ok_or(Unavailable::Busy)?;
                    drive.password(right);
                }
                Step::Keys(ask) => {
                    let keys = self.trusted_keys.keys(&ask).await;
                    drive.keys(ask, keys);
                }
                Step::Sign(input) => {
                    let signature = signer
                        .sign(input.kid(), input.algorithm(), input.as_bytes())
                        .await?;
                    drive.signature(input, &signature);
                }
                Step::Commit { now, id, writes } => {
                    let tells = writes.iter().any(is_outbox);
                    let committed: Committed = self.store.commit(now, id, writes).await?;
                    if tells {
                        self.outbox.notify_one();
                    }
                    drive.committed(committed, self.now(), self.seed());
                }
                Step::Done(outcome) => return Ok(outcome),
                Step::Failed(failure, effects) => {
                    let mut limits = self.limits();
                    effects.iter().for_each(|effect| limits.apply(effect));
                    return Err(failure.into());
                }
            }
        }
    }

    /// Signs a token that no decision mints: one that goes to somebody else than the request's client.
    ///
    /// # Errors
    /// The signer's.
    pub async fn sign(&self, token: SigningInput) -> Result<String, SignError> {
        token.sign(&*self.snapshot().signer).await
    }

    /// Waits until a row of the outbox was written here, or may have been; one that was before this is asked counts too.
    pub async fn outbox_written(&self) {
        self.outbox.notified().await;
    }

    /// Tells the operator of something that no decision did.
    pub fn record(&self, event: &Event) {
        let trace = TraceId::of(&http::HeaderMap::new(), &self.seed());
        self.events.record(self.now(), trace.as_str(), event);
    }

    /// The hash of a password, a PHC string.
    ///
    /// # Errors
    /// [`Unavailable::Busy`] where too many wait.
    pub async fn hash_password(&self, password: Secret) -> Result<String, Unavailable> {
        let salt = self.seed().bytes("salt");
        self.passwords
            .hash(password, salt)
            .await
            .ok_or(Unavailable::Busy)
    }

    /// Counts the device codes that an earlier life of the process left waiting, once, at start: more live codes
    /// make user codes longer. Reads the store page by page, and stops where nothing longer would come of it.
    ///
    /// # Errors
    /// [`Unavailable::Store`].
    pub async fn count_pending(&self) -> Result<u32, Unavailable> {
        let realm = self.realm();
        let index = Index::Kind {
            realm: realm.name.clone(),
            kind: UserCodeRow::KIND.to_owned(),
        };
        let mut pages = list_pages(self.store(), &index, COUNTED_AT_ONCE);
        let mut live = 0_u32;
        while live < MOST_COUNTED
            && let Some(page) = pages.try_next().await?
        {
            let now = self.now();
            let alive = page
                .iter()
                .filter(|row| !row.expires_at.is_some_and(|at| at.is_past(now)))
                .count();
            live = live.saturating_add(u32::try_from(alive).unwrap_or(u32::MAX));
        }
        let window = pending::window(&realm);
        self.limits()
            .preload(self.now(), &pending::realm_quota(), window, live);
        Ok(live)
    }

    /// From now on `sink` is told of each request. Only the first call counts.
    #[cfg(feature = "spans")]
    pub fn send_spans(&self, sink: Arc<dyn crate::span::SpanSink>) {
        self.spans.set(sink).ok();
    }

    /// What was counted of requests since the start.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.metrics.read()
    }

    /// How many device codes wait for their users, as this node knows.
    #[must_use]
    pub fn pending_devices(&self) -> u32 {
        let window = pending::window(&self.realm());
        let quota = pending::realm_quota();
        self.limits().counted(self.now(), &quota, window)
    }

    /// From now on `/readyz` says so.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// The realm as it is now.
    #[must_use]
    pub fn realm(&self) -> Arc<Realm> {
        Arc::clone(&self.snapshot().realm)
    }

    /// Signs and verifies with these keys from now on, and publishes them. Requests under way end with the keys that they
    /// began with. For one caller at a time.
    pub fn replace_keys(&self, signing: KeySet, signer: Arc<dyn Signer>) {
        let realm = Realm {
            signing,
            ..(*self.realm()).clone()
        };
        let snapshot = Arc::new(Snapshot::new(realm, signer));
        *self
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner) = snapshot;
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

    fn ask(&self, ask: &LimitQuery) -> grantor_core::engine::limits::LimitAnswer {
        let now = self.now();
        self.limits().answer(now, ask)
    }

    /// Held for a look into memory, never across an await.
    fn limits(&self) -> std::sync::MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_outbox(write: &Write) -> bool {
    write.changes() && write.key().kind() == Outbox::KIND
}
