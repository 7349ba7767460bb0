//! One running server: put together from settings, run until it is told to stop.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use grantor_core::people::Provision;
use grantor_store::sqlite::OpenError;
use grantor_store::{Store, StoreError};
use grantor_web::{App, Certificate, Clock as _, Unavailable};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::admin::Admin;
use crate::admin::socket::Socket;
use crate::assemble::{self, AssembleError};
use crate::backchannel::{self, BackChannel};
use crate::config::{self, Environment, Settings};
use crate::house::House;
use crate::master_key::MasterKeyError;
use crate::metrics;
use crate::outgoing::{Outgoing, OutgoingError};
use crate::signing_keys::SigningKeysError;
use crate::system::{SystemClock, SystemEntropy};
use crate::tls::{self, Stamps, TlsError, Watch};
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
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server's own requests.
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    /// The web shell.
    #[error(transparent)]
    Web(#[from] grantor_web::StartError),
    /// The codes that wait in the store.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// Where traces go.
    #[cfg(feature = "otel")]
    #[error(transparent)]
    Traces(#[from] crate::traces::TracesError),
    /// Threads, signals.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

/// Runs a server until SIGTERM or SIGINT. `file` is where its settings were read; `announce` gets its URL once it accepts connections.
pub fn run(
    settings: &Settings,
    file: &Path,
    environment: &Environment,
    announce: impl FnOnce(&str) + Send + 'static,
) -> ExitCode {
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartError::System)
        .and_then(|runtime| runtime.block_on(serve(settings, file, environment, announce)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grantor: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a server that sends the traces of its requests to where the environment says.
#[cfg(feature = "otel")]
async fn serve(
    settings: &Settings,
    file: &Path,
    environment: &Environment,
    announce: impl FnOnce(&str) + Send + 'static,
) -> Result<(), StartError> {
    let traces = crate::traces::start(environment)?;
    let server = Server::start(settings, file).await?;
    if let Some(traces) = &traces {
        server.house.app.send_spans(Arc::clone(traces) as _);
    }
    let ended = server.run(announce).await;
    if let Some(traces) = traces {
        traces.finish().await;
    }
    Ok(ended?)
}

/// Runs a server without traces, and says so to who asks for them.
#[cfg(not(feature = "otel"))]
async fn serve(
    settings: &Settings,
    file: &Path,
    environment: &Environment,
    announce: impl FnOnce(&str) + Send + 'static,
) -> Result<(), StartError> {
    const ASKED: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    if environment.value(ASKED).is_some() {
        tracing::warn!("{ASKED} is without effect: this program was built without OpenTelemetry");
    }
    let server = Server::start(settings, file).await?;
    Ok(server.run(announce).await?)
}

struct Server {
    listener: TcpListener,
    tls: Option<(Watch, Signal)>,
    stop: Stop,
    house: House,
    backchannel: BackChannel,
    admin: Option<(Socket, Arc<Admin>)>,
    /// Where the operator's listener is.
    metrics: Option<TcpListener>,
    users: Vec<Provision>,
}

impl Server {
    async fn start(settings: &Settings, file: &Path) -> Result<Self, StartError> {
        let stop = Stop::new()?;
        let certificate = settings.tls.as_ref().map(tls::read).transpose();
        let certificate = certificate.map_err(TlsError::from)?;
        // First, so that a server that cannot listen leaves no files.
        let listener = listen(settings.listen).await?;
        let metrics = match settings.admin_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let house = House::open(settings).await?;
        house.app.count_pending().await?;
        for sentence in settings.not_built().into_iter().chain(settings.advice()) {
            tracing::warn!("{sentence}");
        }
        let socket = socket(&settings.store);
        let admin = socket.map(|socket| (socket, house.admin(settings, file)));
        let tls = match settings.tls.clone().zip(certificate) {
            Some((files, certificate)) => Some(watched(settings, files, certificate, &house)?),
            None => None,
        };
        let users = settings.users.iter().map(assemble::provision).collect();
        let (app, store) = (Arc::clone(&house.app), Arc::clone(&house.store));
        let http = Outgoing::of(settings).client(backchannel::ANSWER_TIME)?;
        let backchannel = BackChannel::new(app, store, Arc::new(SystemClock), http);
        Ok(Self {
            listener,
            tls,
            stop,
            house,
            backchannel,
            admin,
            metrics,
            users,
        })
    }

    async fn run(self, announce: impl FnOnce(&str) + Send + 'static) -> io::Result<()> {
        let Self {
            listener,
            tls,
            stop,
            house,
            backchannel,
            admin,
            metrics,
            users,
        } = self;
        let (app, store) = (&house.app, &house.store);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let mut background = JoinSet::new();
        background.spawn(sweep(Arc::clone(store)));
        let keys = Arc::clone(&house.keys);
        background.spawn(async move { keys.watch().await });
        background.spawn(backchannel.watch());
        background.spawn(prepare(
            Arc::clone(app),
            Arc::clone(store),
            users,
            move || announce(&url),
        ));
        if let Some((socket, admin)) = admin {
            background.spawn(socket.serve(admin));
        }
        if let Some(listener) = metrics {
            let router = metrics::router(house.metrics());
            background.spawn(async move {
                if let Err(error) = axum::serve(listener, router).await {
                    tracing::error!(%error, "admin_listen is closed");
                }
            });
        }

        let tls = tls.map(|(watch, hangup)| {
            let tls = Arc::clone(&watch.tls);
            background.spawn(watch.run(hangup));
            tls
        });

        let served = grantor_web::serve(Arc::clone(app), listener, tls, stop.asked()).await;
        background.shutdown().await;
        house.close();
        served
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| StartError::Listen { address, error })
}

/// The certificate under watch, from now on at SIGHUP too.
fn watched(
    settings: &Settings,
    files: config::Tls,
    (certificate, stamps): (Certificate, Stamps),
    house: &House,
) -> Result<(Watch, Signal), StartError> {
    for sentence in tls::advice(settings, &files, &certificate) {
        tracing::warn!("{sentence}");
    }
    let watch = Watch {
        tls: Arc::new(tls::start(&files, certificate.clone())?),
        files,
        certificate,
        stamps,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        events: Arc::clone(&house.sink),
    };
    Ok((watch, signal(SignalKind::hangup())?))
}

/// The admin socket. A server without one serves all the same: it is told, and the commands tell it too.
fn socket(store: &config::Store) -> Option<Socket> {
    let config::Store::Sqlite(path) = store else {
        return None;
    };
    Socket::listen(path)
        .inspect_err(
            |error| tracing::error!(%error, "no admin socket: no command reaches this server"),
        )
        .ok()
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
