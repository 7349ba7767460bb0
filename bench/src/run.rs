//! `cargo xtask bench`: requests, memory and growth of one server, written to RESULTS.md.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::measure::{self, Measurement, block_on};
use crate::results::Results;
use crate::{Result, growth, managed, memory, report, requests};

/// What is measured, and how.
#[derive(Args)]
pub(crate) struct Options {
    /// The server
    #[arg(long, default_value = "target/release/grantor")]
    server: PathBuf,
    /// Where RESULTS.md and its chart are written
    #[arg(long, default_value = "bench")]
    out: PathBuf,
    /// Only these parts
    #[arg(long)]
    only: Vec<Part>,
    /// The most grants of the growth table
    #[arg(long, default_value_t = 1_000_000)]
    most: u32,
    #[command(flatten)]
    measure: measure::Options,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Requests,
    Memory,
    Growth,
    Managed,
}

/// Measures, and writes the report.
pub(crate) fn run(options: &Options) -> Result<()> {
    block_on(async {
        let measurement = Measurement::new(&options.measure)?;
        let (server, rounds) = (options.server.as_path(), options.measure.rounds);
        let wanted = |part| options.only.is_empty() || options.only.contains(&part);
        let profile = server.parent().and_then(Path::file_name);
        let mut results = Results {
            profile: profile.unwrap_or_default().to_string_lossy().into_owned(),
            ..Results::default()
        };
        if wanted(Part::Requests) {
            requests::run(&measurement, server, rounds, &mut results).await?;
        }
        if wanted(Part::Memory) {
            results.memory = Some(memory::run(&measurement, server).await?);
        }
        if wanted(Part::Growth) {
            results.growth = growth::run(&measurement, server, rounds, options.most).await?;
        }
        if wanted(Part::Managed) {
            results.managed = managed::run(&measurement, server, rounds).await?;
        }
        report::write(&options.out, &results)
    })
}
