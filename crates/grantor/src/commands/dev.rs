//! `grantor dev`: a server to try things out.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use crate::config::Environment;

/// Runs a server with a user and clients of its own, until it is told to stop.
pub fn run(_listen: SocketAddr, _data: Option<&Path>, _environment: &Environment) -> ExitCode {
    eprintln!("grantor dev is not built yet");
    ExitCode::FAILURE
}
