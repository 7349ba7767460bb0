//! `grantor serve`: the server that a file configures.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::config::{self, Environment};
use crate::exit;
use crate::server;
use crate::telemetry::{self, Format};

/// Runs the server until it is told to stop.
pub fn run(file: &Path, environment: &Environment) -> ExitCode {
    let settings = match config::load(file, environment) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return ExitCode::from(exit::USAGE);
        }
    };
    if let Err(error) = telemetry::start(Format::Json, environment) {
        eprintln!("{error}");
        return ExitCode::from(exit::USAGE);
    }
    server::run(&settings, file, environment, listening)
}

/// Says on standard output that connections are accepted: the one line that whoever started the server may wait for.
pub(super) fn listening(at: &str) {
    let mut stdout = io::stdout();
    // Nobody may be reading.
    writeln!(stdout, "listening on {at}")
        .and_then(|()| stdout.flush())
        .ok();
}
