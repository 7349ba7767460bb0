//! How a workload is measured: options that all parts share, pinned CPUs, the lock, one line of progress per figure.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::Result;
use crate::http::Answer;
use crate::installation::Installation;
use crate::load::{Load, load};
use crate::server::{MeasurementLock, Placement, Server, pin_client};
use crate::workload::Workload;

/// The options of every measurement.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the servers keep their data; emptied first
    #[arg(long, default_value = "target/bench")]
    data: PathBuf,
    /// How often each case is measured; the best round counts
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: u32,
    /// The most seconds that one measurement takes
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// The CPU of the servers
    #[arg(long, default_value_t = 0)]
    server_cpu: usize,
    /// The CPU of the client
    #[arg(long, default_value_t = 1)]
    client_cpu: usize,
    /// Give the sessions of servers and client the greatest share of their CPUs (takes root)
    #[arg(long)]
    favour: bool,
    /// A file that is locked while a measurement runs
    #[arg(long)]
    lock: Option<PathBuf>,
}

/// Fewer requests are no figure: the client was not given its CPU. The measurement is repeated.
const MIN_REQUESTS: u32 = 50;
const ATTEMPTS: u32 = 5;

/// What measurements need.
pub(crate) struct Measurement {
    pub(crate) placement: Placement,
    data: PathBuf,
    lock: MeasurementLock,
    time: Duration,
}

impl Measurement {
    /// Moves this process to the client's CPU.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let placement = Placement {
            cpu: options.server_cpu,
            favour: options.favour,
        };
        pin_client(&placement, options.client_cpu)?;
        Ok(Self {
            placement,
            data: options.data.clone(),
            lock: MeasurementLock::new(options.lock.clone()),
            time: Duration::from_secs_f64(options.seconds),
        })
    }

    /// An empty installation of the server `program`, in the data folder `name`.
    pub(crate) fn installation(&self, program: &Path, name: &str) -> Result<Installation> {
        Installation::new(program, &self.data.join(name))
    }

    /// Waits for the lock; it is released when the returned guard is dropped.
    pub(crate) fn lock(&self) -> Result<Option<std::fs::File>> {
        self.lock.acquire()
    }

    /// Loads a server with a workload; returns the figures and every answer.
    pub(crate) async fn measure(
        &self,
        case: &str,
        server: &Server,
        connections: usize,
        mut workload: Workload,
    ) -> Result<(Load, Vec<Answer>)> {
        let _lock = self.lock()?;
        let mut answers = Vec::new();
        for _ in 0..ATTEMPTS {
            let figures = load(server, connections, self.time, &mut workload, |answer| {
                answers.push(answer);
            });
            let figures = figures.await.map_err(|error| format!("{case}: {error}"))?;
            if figures.requests >= MIN_REQUESTS {
                return Ok((figures, answers));
            }
        }
        Err(format!("{case}: the machine is too busy, or --seconds too small").into())
    }

    /// As `measure`, with a line of progress.
    pub(crate) async fn measure_and_print(
        &self,
        case: &str,
        server: &Server,
        connections: usize,
        workload: Workload,
    ) -> Result<(Load, Vec<Answer>)> {
        let (figures, answers) = self.measure(case, server, connections, workload).await?;
        eprintln!(
            "{case:<36} {:>8.1} µs {:>9.0}/s",
            figures.cpu_us(),
            figures.per_second()
        );
        Ok((figures, answers))
    }
}

/// Runs a measurement on one thread: the client has one CPU.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
