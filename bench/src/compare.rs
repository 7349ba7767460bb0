//! `cargo xtask bench --against REV`: whether a request costs more than it did in another build of the server.
//!
//! Three servers are loaded in turn, case by case: the reference, the new one, and the reference once more. The
//! difference between the two instances of the reference is the noise. Nothing is written but the table.

use std::path::PathBuf;

use clap::Args;

use crate::Result;
use crate::cases::{Case, Session};
use crate::comparison::{Comparison, SERVERS, Server as Which};
use crate::measure::{self, Measurement, block_on};
use crate::server::Server;

/// What is compared, and how.
#[derive(Args)]
pub(crate) struct Options {
    /// The new server
    #[arg(long, default_value = "target/release/grantor")]
    server: PathBuf,
    /// The server that it is compared with
    #[arg(long)]
    reference: PathBuf,
    /// What the reference is called in the table
    #[arg(long, default_value = "reference")]
    reference_name: String,
    #[command(flatten)]
    measure: measure::Options,
}

/// Compares, and prints the table; `false` when a request costs more. While one does, up to as many rounds again are
/// added: noise only ever makes a request look dearer, so more rounds bring every figure closer to the truth.
pub(crate) fn run(options: &Options) -> Result<bool> {
    block_on(async {
        let measurement = Measurement::new(&options.measure)?;
        let rounds = options.measure.rounds.max(1);
        let mut comparison = Comparison::default();
        for number in 1..=2 * rounds {
            if number > rounds && !comparison.has_dearer() {
                break;
            }
            let of = if number > rounds {
                ", added because a request looks dearer".to_owned()
            } else {
                format!(" of {rounds}")
            };
            eprintln!(
                "round {number}{of}, µs of CPU per request:\n{:<36}{:>10}{:>10}{:>10}",
                "",
                "now",
                shortened(&options.reference_name),
                "again"
            );
            round(options, &measurement, number, &mut comparison).await?;
        }
        print!("{}", comparison.table(&options.reference_name));
        Ok(!comparison.has_dearer())
    })
}

fn shortened(name: &str) -> String {
    name.chars().take(9).collect()
}

/// A server of the round, with what its answers gave.
struct Running {
    which: Which,
    server: Server,
    session: Session,
}

/// One round over all cases. Servers and stores are new in each round, so that neither grown stores nor one unlucky
/// memory layout count.
async fn round(
    options: &Options,
    measurement: &Measurement,
    number: u32,
    comparison: &mut Comparison,
) -> Result<()> {
    let mut running = Vec::new();
    for which in SERVERS {
        let program = match which {
            Which::New => &options.server,
            Which::Reference | Which::ReferenceAgain => &options.reference,
        };
        let installation = measurement.installation(program, &format!("compare-{which:?}"))?;
        running.push(Running {
            which,
            server: installation.start(&measurement.placement).await?,
            session: Session::default(),
        });
    }
    for (at, case) in Case::ALL.into_iter().enumerate() {
        // Another server is the first each time.
        let first = (at + number as usize) % running.len();
        for turn in 0..running.len() {
            let turn = (first + turn) % running.len();
            let Running {
                which,
                server,
                session,
            } = &mut running[turn];
            let workload = session.prepare(case, server.address).await?;
            let (figures, answers) = measurement
                .measure(case.name(), server, case.connections(), workload)
                .await
                .map_err(|error| format!("{which:?}: {error}"))?;
            comparison.add(case, *which, figures.cpu_us());
            session.keep(case, answers);
        }
        eprintln!("{}", comparison.progress(case));
    }
    for Running { server, .. } in running {
        server.stop().await?;
    }
    Ok(())
}
