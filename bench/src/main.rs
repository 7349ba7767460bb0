//! `grantor-bench`: what a request costs the server, compared with the least that it could cost. `cargo xtask bench` runs it.
//!
//! The main figure is the server's CPU time per request, the best of several rounds, because it is stable on a busy
//! machine. Requests per second are printed next to it and depend on whatever else the machine is doing.

mod browser;
mod cases;
mod chart;
mod compare;
mod comparison;
mod fill;
mod floor;
mod growth;
mod http;
mod installation;
mod load;
mod managed;
mod measure;
mod memory;
mod report;
mod requests;
mod results;
mod run;
mod server;
mod signatures;
mod verify;
mod workload;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Why a run stopped, as a sentence for the person who started it.
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
    /// Compare two servers; fails when a request costs more in the new one
    Compare(compare::Options),
    /// Serve a bare handler on the same HTTP stack
    Floor { listen: SocketAddr },
    /// Print what one signature costs, as JSON: nanoseconds of CPU
    Signatures,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(options) => run::run(&options).map(|()| true),
        Command::Compare(options) => compare::run(&options),
        Command::Floor { listen } => floor::serve(listen).map(|()| true),
        Command::Signatures => signatures::print().map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("grantor-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
