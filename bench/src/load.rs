//! The load: so many connections, each asking again as soon as it is answered (a closed loop).

use std::cell::RefCell;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select, try_join_all};
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::Result;
use crate::http::{Answer, Connection};
use crate::process::Server;
use crate::work::Work;

/// What came of a load.
pub(crate) struct Load {
    pub(crate) requests: u32,
    pub(crate) wall: Duration,
    /// The server's CPU time.
    pub(crate) cpu: Duration,
    /// How long each request took, the shortest first.
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
            reason = "a rank among some thousand"
        )]
        let rank = (last as f64 * share).round() as usize;
        self.latencies
            .get(rank)
            .map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}

/// Loads a server until the work is done or the time is over; `keep` sees each answer.
///
/// # Errors
/// A wrong answer, or a connection that breaks.
pub(crate) async fn load(
    server: &Server,
    connections: usize,
    time: Duration,
    work: &mut Work,
    keep: impl FnMut(Answer),
) -> Result<Load> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(server.address).await?);
    }
    let shared = RefCell::new(Shared {
        work,
        keep,
        latencies: Vec::new(),
    });
    let (cpu, started) = (server.cpu()?, Instant::now());
    let until = started + time;
    let each = open
        .into_iter()
        .enumerate()
        .map(|(number, connection)| one(number, connection, until, &shared));
    awake(try_join_all(each)).await?;
    let wall = started.elapsed();
    let cpu = server.cpu()?.saturating_sub(cpu);
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
/// costs as much as a whole bare request; a fast server, whose client never sleeps, would be spared that.
async fn awake<T>(done: impl Future<Output = T>) -> T {
    let spin = async {
        loop {
            yield_now().await;
        }
    };
    match select(pin!(done), pin!(spin)).await {
        Either::Left((done, _)) => done,
        Either::Right((never, _)) => never,
    }
}

struct Shared<'w, K> {
    work: &'w mut Work,
    keep: K,
    latencies: Vec<Duration>,
}

async fn one<K: FnMut(Answer)>(
    number: usize,
    mut connection: Connection,
    until: Instant,
    shared: &RefCell<Shared<'_, K>>,
) -> Result<()> {
    loop {
        let began = Instant::now();
        if began >= until {
            return Ok(());
        }
        let Some(request) = shared.borrow_mut().work.next(number) else {
            return Ok(());
        };
        let answer = connection.send(&request).await?;
        let mut shared = shared.borrow_mut();
        shared.latencies.push(began.elapsed());
        shared.work.judge(number, &answer)?;
        (shared.keep)(answer);
    }
}

/// One answer to one request, outside any load.
pub(crate) async fn ask(address: SocketAddr, request: &crate::http::Request) -> Result<Answer> {
    Ok(Connection::open(address).await?.send(request).await?)
}
