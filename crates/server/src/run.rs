//! One running server: assembled from settings, run until a signal stops it.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use grantor_core::people::Provision;
use grantor_core::records::Link;
use grantor_store::sqlite::OpenError;
use grantor_store::{Store, StoreError};
use grantor_web::{App, Certificate, Clock as _, Unavailable};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::admin::Admin;
use crate::admin::socket::Socket;
use crate::assemble::{self, AssembleError};
use crate::backchannel::{self, BackChannel};
use crate::cause::Causes;
use crate::clients;
use crate::config_watch::WatchError;
use crate::files;
use crate::first_administrator;
use crate::installation::Installation;
use crate::links;
use crate::master_key::MasterKeyError;
use crate::metrics;
use crate::outgoing::{Outgoing, OutgoingError};
use crate::reload::Reloader;
use crate::secret_uses;
use crate::setting_error::SettingError;
use crate::signing_keys::SigningKeysError;
use crate::system::{SystemClock, SystemEntropy};
use crate::tls::{self, Stamps, TlsError, Watch};
use crate::users::{self, OnOutage};
use grantor_config::{self as config, Environment, Settings};

const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// Rows of one sweep.
const SWEEP_ROWS: usize = 1000;
/// Consecutive sweeps. The rest waits for the next interval.
const MAX_SWEEPS: usize = 500;

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use, or is not one of this machine.
    #[error("{location}: cannot listen on {address}")]
    Listen {
        /// Where the setting is written.
        location: String,
        address: SocketAddr,
        source: io::Error,
    },
    #[error("{location}: PostgreSQL is not built yet: set store to \"sqlite:FILE\" or \"memory:\"")]
    Postgres {
        /// Where the setting is written.
        location: String,
    },
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error(transparent)]
    SigningKeys(#[from] SigningKeysError),
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    #[error("cannot write events to {}", folder.display())]
    Events { folder: PathBuf, source: io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    #[error("what is managed cannot be read")]
    Managed(#[from] WatchError),
    #[error(transparent)]
    Web(#[from] grantor_web::StartError),
    /// The pending codes of the store.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[cfg(feature = "otel")]
    #[error(transparent)]
    Traces(#[from] crate::traces::TracesError),
    #[error("I/O error")]
    Io(#[from] io::Error),
}

impl StartError {
    #[must_use]
    pub fn postgres(settings: &Settings) -> Self {
        let location = settings.location("store");
        Self::Postgres { location }
    }
}

/// Runs a server until SIGTERM or SIGINT. `file` is where its settings were read from; `announce` gets its URL once it
/// is ready.
///
/// # Errors
/// [`StartError`]
pub fn run(
    settings: &Settings,
    file: &Path,
    environment: &Environment,
    on_hangup: Hangup,
    announce: impl FnOnce(&str) + Send + 'static,
) -> Result<(), StartError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartError::Io)
        .and_then(|runtime| {
            runtime.block_on(serve(settings, file, environment, on_hangup, announce))
        })
}

/// Runs a server that exports traces, if the environment names a collector.
#[cfg(feature = "otel")]
async fn serve(
    settings: &Settings,
    file: &Path,
    environment: &Environment,
    on_hangup: Hangup,
    announce: impl FnOnce(&str) + Send + 'static,
) -> Result<(), StartError> {
    let traces = crate::traces::start(environment)?;
    let server = Server::start(settings, file, environment, on_hangup).await?;
    if let Some(traces) = &traces {
        server
            .installation
            .app
            .set_span_sink(Arc::clone(traces) as _);
    }
    let ended = server.run(announce).await;
    if let Some(traces) = traces {
        traces.finish().await;
    }
    Ok(ended?)
}

/// Runs a server without traces, and logs it where the environment asks for them.
#[cfg(not(feature = "otel"))]
async fn serve(
    settings: &Settings,
    file: &Path,
    environment: &Environment,
    on_hangup: Hangup,
    announce: impl FnOnce(&str) + Send + 'static,
) -> Result<(), StartError> {
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    if environment.value(ENDPOINT).is_some() {
        tracing::warn!("{ENDPOINT} has no effect: this program was built without OpenTelemetry");
    }
    let server = Server::start(settings, file, environment, on_hangup).await?;
    Ok(server.run(announce).await?)
}

struct Server {
    listener: TcpListener,
    tls: Option<(Watch, Signal)>,
    stop: Stop,
    installation: Installation,
    backchannel: BackChannel,
    admin: Option<(Socket, Arc<Admin>)>,
    metrics: Option<TcpListener>,
    declared: Declared,
    reload: (Arc<Reloader>, Option<Signal>),
}

/// Who is written to the store after the start.
struct Declared {
    users: Vec<Provision>,
    links: Vec<Link>,
}

impl Server {
    async fn start(
        settings: &Settings,
        file: &Path,
        environment: &Environment,
        on_hangup: Hangup,
    ) -> Result<Self, StartError> {
        let (stop, reload_asked) = signals(on_hangup)?;
        raise_file_limit();
        let certificate = tls::of_settings(settings)?;
        // First, so that a server that cannot listen leaves no files.
        let listener = listen(settings, "listen", settings.listen).await?;
        let metrics = match settings.admin_listen {
            Some(address) => Some(listen(settings, "admin_listen", address).await?),
            None => None,
        };
        let installation = Installation::open(settings).await?;
        installation.app.count_pending().await?;
        let Installation {
            app, store, owner, ..
        } = &installation;
        clients::start(app, &**store, owner).await?;
        let advice = settings.not_built().into_iter().chain(settings.advice());
        for sentence in advice.chain(files::advice(settings, file)) {
            tracing::warn!("{sentence}");
        }
        let socket = socket(&settings.store);
        let reloader = installation.reloader(file, environment);
        let admin = installation.admin(file, Some(Arc::clone(&reloader)));
        let admin = socket.map(|socket| (socket, admin));
        let tls = match settings.tls.clone().zip(certificate) {
            Some((files, certificate)) => {
                Some(watched(settings, files, certificate, &installation)?)
            }
            None => None,
        };
        let users = settings.users.iter().map(assemble::provision).collect();
        let links = assemble::links(settings);
        let (app, store) = (
            Arc::clone(&installation.app),
            Arc::clone(&installation.store),
        );
        let http = Outgoing::from_settings(settings).client(backchannel::ANSWER_TIME)?;
        let backchannel = BackChannel::new(app, store, Arc::new(SystemClock), http);
        Ok(Self {
            listener,
            tls,
            stop,
            installation,
            backchannel,
            admin,
            metrics,
            declared: Declared { users, links },
            reload: (reloader, reload_asked),
        })
    }

    async fn run(self, announce: impl FnOnce(&str) + Send + 'static) -> io::Result<()> {
        let Self {
            listener,
            tls,
            stop,
            installation,
            backchannel,
            admin,
            metrics,
            declared,
            reload: (reloader, reload_asked),
        } = self;
        let (app, store) = (&installation.app, &installation.store);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let mut background = JoinSet::new();
        background.spawn(sweep(Arc::clone(store)));
        let keys = Arc::clone(&installation.keys);
        background.spawn(async move { keys.watch().await });
        background.spawn(backchannel.watch());
        background.spawn(secret_uses::watch(Arc::clone(app)));
        background.spawn(installation.config_watch().watch());
        let (app_of_start, store_of_start) = (Arc::clone(app), Arc::clone(store));
        let owner = Arc::clone(&installation.owner);
        background.spawn(async move {
            let (app, store) = (app_of_start, store_of_start);
            let unseen = prepare(&app, &store, declared, move || announce(&url)).await;
            let offer = first_administrator::offer(Arc::clone(&app), owner);
            let look = async move {
                if let Some(users) = unseen
                    && let Err(error) = users::look_at_all(&app, &*store, &users).await
                {
                    tracing::warn!(error = %Causes(&error), "the look at all accounts ended early");
                }
            };
            let reload = async {
                if let Some(asked) = reload_asked {
                    reloader.watch(asked).await;
                }
            };
            tokio::join!(offer, look, reload);
        });
        if let Some((socket, admin)) = admin {
            background.spawn(socket.serve(admin));
        }
        if let Some(listener) = metrics {
            let router = metrics::router(installation.metrics());
            background.spawn(grantor_web::serve_operators(listener, router));
        }

        let tls = tls.map(|(watch, hangup)| {
            let tls = Arc::clone(&watch.tls);
            background.spawn(watch.run(hangup));
            tls
        });

        let served = grantor_web::serve(Arc::clone(app), listener, tls, stop.asked()).await;
        background.shutdown().await;
        secret_uses::write(app).await;
        installation.close();
        served
    }
}

/// A connection is an open file, and shells allow 1,024 of them unless a program asks for more.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // It then has those that it was started with.
    setrlimit(Resource::Nofile, raised).ok();
}

async fn listen(
    settings: &Settings,
    key: &str,
    address: SocketAddr,
) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| StartError::Listen {
        location: settings.location(key),
        address,
        source,
    })
}

/// Watches the certificate, and reads it again at SIGHUP.
fn watched(
    settings: &Settings,
    files: config::Tls,
    (certificate, stamps): (Certificate, Stamps),
    installation: &Installation,
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
        events: Arc::clone(&installation.sink),
    };
    Ok((watch, signal(SignalKind::hangup())?))
}

/// The admin socket. A server runs without one too: it logs that, and the commands say so.
fn socket(store: &config::Store) -> Option<Socket> {
    let config::Store::Sqlite(path) = store else {
        return None;
    };
    Socket::listen(path)
        .inspect_err(
            |error| tracing::error!(error = %Causes(error), "there is no admin socket: commands cannot reach this server"),
        )
        .ok()
}

/// Provisions the users and links of the file. Until then requests get 503: a right password would be refused as a wrong
/// one. Returns the declared users, if all others are still to be looked at.
async fn prepare(
    app: &Arc<App>,
    store: &Arc<dyn Store>,
    Declared { users, links }: Declared,
    announce: impl FnOnce() + Send + 'static,
) -> Option<Vec<Provision>> {
    let mut has_seen_all = false;
    let written = async {
        let left_out = users::provision(app, &**store, &users, OnOutage::Retry).await?;
        has_seen_all = left_out.has_seen_all;
        links::provision(app, &**store, &links, OnOutage::Retry).await
    };
    // What was left out was logged, and an outage is waited for.
    if let Err(error) = written.await {
        tracing::error!(error = %Causes(&error), "what the file declares was not written");
    }
    app.set_ready();
    // Printing may block where no one reads, and a server that runs can do without it.
    thread::Builder::new().spawn(announce).ok();
    (!has_seen_all).then_some(users)
}

/// Deletes expired rows, until it is dropped.
async fn sweep(store: Arc<dyn Store>) {
    let mut times = interval(SWEEP_INTERVAL);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        for _ in 0..MAX_SWEEPS {
            match store.sweep(SystemClock.now(), SWEEP_ROWS).await {
                Ok(SWEEP_ROWS..) => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(error = %Causes(&error), "expired rows could not be deleted");
                    break;
                }
            }
        }
    }
}

/// What SIGHUP means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    /// The terminal was closed: stop.
    Stop,
    /// Read the certificate and the configuration file again.
    Reload,
}

/// The signals, handled from the start, so that none kills the server while it starts: those that stop it, and the one
/// that asks for a reload.
fn signals(on_hangup: Hangup) -> io::Result<(Stop, Option<Signal>)> {
    let hangup = signal(SignalKind::hangup())?;
    let (stop, reload) = match on_hangup {
        Hangup::Stop => (Some(hangup), None),
        Hangup::Reload => (None, Some(hangup)),
    };
    let stop = Stop {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        hangup: stop,
    };
    Ok((stop, reload))
}

/// The signals that stop the server.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
    /// Where it stops the server.
    hangup: Option<Signal>,
}

impl Stop {
    async fn asked(mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = hangup => {}
        }
        tracing::info!("stopping after the requests in progress");
    }
}
