//! One running server: put together from settings, run until it is told to stop.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use grantor_core::interaction::Provision;
use grantor_store::memory::Memory;
use grantor_store::sqlite::{OpenError, Sqlite};
use grantor_store::{Store, StoreError};
use grantor_web::{App, Clock as _, Entropy as _, Parts, Unavailable};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::assemble::{self, AssembleError};
use crate::config::{self, Settings};
use crate::events::{Events, Writer};
use crate::master_key::{self, MasterKeyError};
use crate::signing_keys::{SigningKeyRow, SigningKeysError};
use crate::system::{SystemClock, SystemEntropy};
use crate::users;

/// How long the announcement waits for the users of the file, so that who reads it can sign in. The
/// server answers meanwhile.
const ANNOUNCED_WITHIN: Duration = Duration::from_secs(5);
const SWEPT_EVERY: Duration = Duration::from_secs(60);
/// Rows of one sweep.
const SWEEP: usize = 1000;
/// Sweeps in a row; what is left then waits for the next time.
const SWEEPS: usize = 500;

/// Why the server did not start, in one line each.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        error: io::Error,
    },
    /// A store that is not there yet.
    #[error("PostgreSQL is not built yet: set store to \"sqlite:FILE\" or \"memory:\"")]
    Postgres,
    /// The store's file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The signing keys.
    #[error(transparent)]
    SigningKeys(#[from] SigningKeysError),
    /// The settings.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// The day files of events.
    #[error("cannot keep events in {}: {error}", folder.display())]
    Events {
        /// Their folder.
        folder: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
    /// The web shell.
    #[error(transparent)]
    Web(#[from] grantor_web::StartError),
    /// The codes that wait in the store.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Threads, signals.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

/// Runs a server until SIGTERM or SIGINT; `announce` gets its address once it accepts connections.
pub fn run(settings: &Settings, announce: impl FnOnce(SocketAddr) + Send + 'static) -> ExitCode {
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartError::System)
        .and_then(|runtime| {
            runtime.block_on(async {
                let server = Server::start(settings).await?;
                Ok(server.run(announce).await?)
            })
        });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grantor: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Server {
    listener: TcpListener,
    stop: Stop,
    store: Arc<dyn Store>,
    app: Arc<App>,
    users: Vec<Provision>,
    events: Option<Writer>,
}

impl Server {
    async fn start(settings: &Settings) -> Result<Self, StartError> {
        let stop = Stop::new()?;
        // First, so that a server that cannot listen leaves no files.
        let address = settings.listen;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| StartError::Listen { address, error })?;
        let store = open(&settings.store)?;

        let (clock, entropy) = (SystemClock, SystemEntropy);
        let row = SigningKeyRow::read(&*store, assemble::POOL).await?;
        let fresh = entropy.seed().bytes("master key");
        let (master, source) = master_key::load(settings, row.is_absent(), fresh)?;
        let in_use = assemble::algorithms(settings);
        let signing = row
            .open(&master, &source, &in_use, &clock, &entropy)
            .await?;

        let (sink, events) = events(&settings.store)?;
        let app = App::new(Parts {
            pool: assemble::pool(settings, &master, signing.published)?,
            store: Arc::clone(&store),
            signer: Arc::new(signing.signer),
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
            events: Arc::new(sink),
            proxies: assemble::proxies(settings),
            templates: settings.templates.clone(),
        })?;
        app.count_pending().await?;
        for sentence in settings.not_built().into_iter().chain(settings.advice()) {
            tracing::warn!("{sentence}");
        }
        let users = settings.users.iter().map(assemble::provision).collect();
        Ok(Self {
            listener,
            stop,
            store,
            app,
            users,
            events,
        })
    }

    async fn run(self, announce: impl FnOnce(SocketAddr) + Send + 'static) -> io::Result<()> {
        let Self {
            listener,
            stop,
            store,
            app,
            users,
            events,
        } = self;
        let address = listener.local_addr()?;
        let mut background = JoinSet::new();
        background.spawn(sweep(Arc::clone(&store)));
        background.spawn(prepare(Arc::clone(&app), store, users, move || {
            announce(address)
        }));

        let served = grantor_web::serve(app, listener, stop.asked()).await;
        background.shutdown().await;
        if let Some(events) = events {
            events.finish();
        }
        served
    }
}

fn open(store: &config::Store) -> Result<Arc<dyn Store>, StartError> {
    Ok(match store {
        config::Store::Memory => Arc::new(Memory::new()),
        config::Store::Sqlite(path) => Arc::new(Sqlite::open(path)?),
        config::Store::Postgres(_) => return Err(StartError::Postgres),
    })
}

/// Day files stand beside the store's file; without one there is only the log.
fn events(store: &config::Store) -> Result<(Events, Option<Writer>), StartError> {
    let config::Store::Sqlite(path) = store else {
        return Ok((Events::logged(), None));
    };
    let folder = path.parent().unwrap_or(Path::new("")).join("events");
    let (events, writer) =
        Events::kept(&folder).map_err(|error| StartError::Events { folder, error })?;
    Ok((events, Some(writer)))
}

/// Brings the users of the file into the store, after which the server is ready.
async fn prepare(
    app: Arc<App>,
    store: Arc<dyn Store>,
    users: Vec<Provision>,
    announce: impl FnOnce(),
) {
    let mut provisioning = pin!(async {
        users::provision(&app, &*store, &users).await;
        app.set_ready();
    });
    let in_time = timeout(ANNOUNCED_WITHIN, &mut provisioning).await;
    announce();
    if in_time.is_err() {
        provisioning.await;
    }
}

/// Deletes what has expired, for ever.
async fn sweep(store: Arc<dyn Store>) {
    let mut times = interval(SWEPT_EVERY);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        for _ in 0..SWEEPS {
            match store.sweep(SystemClock.now(), SWEEP).await {
                Ok(SWEEP..) => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "what has expired could not be deleted");
                    break;
                }
            }
        }
    }
}

/// The signals that end the server. Listened to from the start on, so that none kills it half-made.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn asked(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("stopping: requests under way are answered first");
    }
}
