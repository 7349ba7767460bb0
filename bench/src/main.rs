//! `grantor-bench`: what a request costs the server, beside the least that it could cost. `cargo xtask bench` runs it.
//!
//! The figure that holds on a busy machine is the server's CPU time per request, the best of several rounds; requests
//! per second are printed beside it and say as much about the machine's other work.

mod chart;
mod fill;
mod floor;
mod http;
mod load;
mod people;
mod process;
mod report;
mod results;
mod run;
mod setup;
mod signatures;
mod verify;
mod work;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Why a run stops: a sentence for whoever started it.
pub(crate) type Error = Box<dyn std::error::Error>;
pub(crate) type Result<T> = std::result::Result<T, Error>;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, and write RESULTS.md and its chart
    Run(run::Options),
    /// A bare handler on the same HTTP stack
    Floor { listen: SocketAddr },
    /// What one signature costs, as JSON: nanoseconds of CPU
    Signatures,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Floor { listen } => floor::serve(listen),
        Command::Signatures => signatures::print(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("grantor-bench: {why}");
            ExitCode::FAILURE
        }
    }
}
