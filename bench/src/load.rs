//! A closed loop: some connections, each of which sends its next request as soon as it has an answer.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select, try_join_all};
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::Result;
use crate::http::{Answer, Connection};
use crate::server::Server;
use crate::workload::Workload;

/// The figures of one load.
pub(crate) struct Load {
    pub(crate) requests: u32,
    pub(crate) wall: Duration,
    /// The server's CPU time.
    pub(crate) cpu: Duration,
    /// How long each request took, in ascending order.
    latencies: Vec<Duration>,
}

impl Load {
    /// Server CPU time of one request, in microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(self.requests.max(1))
    }

    pub(crate) fn per_second(&self) -> f64 {
        f64::from(self.requests) / self.wall.as_secs_f64()
    }

    /// The latency that this share of the requests does not exceed, in milliseconds.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank among some thousands"
        )]
        let rank = (last as f64 * share).round() as usize;
        self.latencies
            .get(rank)
            .map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}

/// Loads a server until the workload or the time ends; `keep` gets each answer.
///
/// # Errors
/// An unexpected answer, or a broken connection.
pub(crate) async fn load(
    server: &Server,
    connections: usize,
    time: Duration,
    workload: &mut Workload,
    keep: impl FnMut(Answer),
) -> Result<Load> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(server.address).await?);
    }
    let shared = RefCell::new(Shared {
        workload,
        keep,
        latencies: Vec::new(),
    });
    let (cpu, started) = (server.cpu()?, Instant::now());
    let until = started + time;
    let connections = open
        .into_iter()
        .enumerate()
        .map(|(number, connection)| run_connection(number, connection, until, &shared));
    without_sleeping(try_join_all(connections)).await?;
    let wall = started.elapsed();
    let cpu = server.cpu()?.since(&cpu);
    let mut latencies = shared.into_inner().latencies;
    latencies.sort_unstable();
    Ok(Load {
        requests: u32::try_from(latencies.len())?,
        wall,
        cpu,
        latencies,
    })
}

/// Waits without ever sleeping. A server that answers a sleeping client must wake another CPU, which on a virtual machine
/// costs as much as a whole request of the bare handler; the bare handler, whose client is always busy, never pays that.
async fn without_sleeping<T>(work: impl Future<Output = T>) -> T {
    let spin = async {
        loop {
            yield_now().await;
        }
    };
    match select(pin!(work), pin!(spin)).await {
        Either::Left((output, _)) => output,
        Either::Right((never, _)) => never,
    }
}

struct Shared<'w, K> {
    workload: &'w mut Workload,
    keep: K,
    latencies: Vec<Duration>,
}

async fn run_connection<K: FnMut(Answer)>(
    number: usize,
    mut connection: Connection,
    until: Instant,
    shared: &RefCell<Shared<'_, K>>,
) -> Result<()> {
    loop {
        let started = Instant::now();
        if started >= until {
            return Ok(());
        }
        let Some(request) = shared.borrow_mut().workload.next(number) else {
            return Ok(());
        };
        let answer = connection.send(&request).await?;
        let mut shared = shared.borrow_mut();
        shared.latencies.push(started.elapsed());
        shared.workload.check(number, &answer)?;
        (shared.keep)(answer);
    }
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(address: SocketAddr, request: &crate::http::Request) -> Result<Answer> {
    Ok(Connection::open(address).await?.send(request).await?)
}
