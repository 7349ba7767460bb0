//! The part *growth*: what requests cost while the store holds few or many grants.

use std::path::Path;

use crate::Result;
use crate::cases::{polls, redeem};
use crate::http::Answer;
use crate::installation::DEVICE;
use crate::measure::Measurement;
use crate::results::{CONNECTIONS, Level, Rounds, WRITERS};
use crate::server::Server;
use crate::workload::{self, Workload};

/// Devices that begin and poll in each round.
const POLLED: u32 = 5000;
/// Grants in the stores.
const LEVELS: [u32; 3] = [1000, 100_000, 1_000_000];

/// The servers run at the same time and are loaded in turn, so that all have the same machine in each round.
pub(crate) async fn run(
    measurement: &Measurement,
    program: &Path,
    rounds: u32,
    most: u32,
) -> Result<Vec<Level>> {
    let mut servers = Vec::new();
    for grants in LEVELS.into_iter().filter(|level| *level <= most) {
        eprintln!("filling a store with {grants} grants");
        let installation = measurement.installation(program, &format!("growth-{grants}"))?;
        // The first start makes the keys.
        let server = installation.start(&measurement.placement).await?;
        server.stop().await?;
        let empty = installation.store_bytes()?;
        installation.fill(grants).await?;
        let level = Level {
            grants,
            store_of_grants: installation.store_bytes()? - empty,
            rounds: Rounds::default(),
        };
        servers.push((level, installation.start(&measurement.placement).await?));
    }
    for _ in 0..rounds {
        for (level, server) in &mut servers {
            round(measurement, level, server).await?;
        }
    }
    let mut levels = Vec::new();
    for (level, server) in servers {
        server.stop().await?;
        levels.push(level);
    }
    Ok(levels)
}

async fn round(measurement: &Measurement, level: &mut Level, server: &Server) -> Result<()> {
    eprintln!("with {} grants:", level.grants);
    let rounds = &mut level.rounds;
    let begin = workload::device_authorization(DEVICE);
    let begin = Workload::once((0..POLLED).map(|_| begin.clone()), workload::CODES);
    let devices = one(
        measurement,
        rounds,
        "device_authorization",
        server,
        WRITERS,
        begin,
    )
    .await?;
    let work = Workload::once(polls(&devices), workload::PENDING);
    one(measurement, rounds, "poll", server, CONNECTIONS, work).await?;
    let work = redeem(server.address, &devices).await?;
    one(measurement, rounds, "redeem", server, CONNECTIONS, work).await?;
    Ok(())
}

async fn one(
    measurement: &Measurement,
    rounds: &mut Rounds,
    case: &'static str,
    server: &Server,
    connections: usize,
    workload: Workload,
) -> Result<Vec<Answer>> {
    let measured = measurement.measure_and_print(case, server, connections, workload);
    let (figures, answers) = measured.await?;
    rounds.add(case, figures);
    Ok(answers)
}
