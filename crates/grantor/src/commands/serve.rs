//! `grantor serve`: the server that a file configures.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::exit;
use grantor_config::{self as config, Environment, Settings};
use grantor_server::cause::Causes;
use grantor_server::run::Hangup;
use grantor_server::telemetry::{self, Format, LogQueue};

pub fn run(file: &Path, environment: &Environment) -> ExitCode {
    let settings = match config::load(file, environment) {
        Ok(settings) => settings,
        Err(mistakes) => return exit::usage(&mistakes),
    };
    let log = match telemetry::start(Format::Json, environment) {
        Ok(log) => log,
        Err(error) => return exit::usage(&Causes(&error)),
    };
    run_server(
        &settings,
        file,
        environment,
        &log,
        Hangup::Reload,
        listening,
    )
}

/// Runs a server until a signal stops it, and prints why it did not start.
pub(super) fn run_server(
    settings: &Settings,
    file: &Path,
    environment: &Environment,
    log: &LogQueue,
    on_hangup: Hangup,
    announce: impl FnOnce(&str) + Send + 'static,
) -> ExitCode {
    let ended = grantor_server::run(settings, file, environment, on_hangup, announce);
    log.finish();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failure(&error),
    }
}

/// Says on standard output that requests are answered: the one line that a supervisor may wait for.
pub(super) fn listening(at: &str) {
    let mut stdout = io::stdout();
    // There may be no reader.
    writeln!(stdout, "listening on {at}")
        .and_then(|()| stdout.flush())
        .ok();
}
