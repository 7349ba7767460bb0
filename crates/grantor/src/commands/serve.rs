//! `grantor serve`: the server that a file configures.

use std::path::Path;
use std::process::ExitCode;

use crate::config::Environment;

/// Runs the server until it is told to stop.
pub fn run(_config: &Path, _environment: &Environment) -> ExitCode {
    eprintln!("grantor serve is not built yet");
    ExitCode::FAILURE
}
