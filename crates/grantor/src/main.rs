//! `grantor`: the process around the library.

use std::process::ExitCode;

use clap::Parser;

use grantor::cli::{Cli, run};
use grantor_config::Environment;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The one place that reads the environment. A variable that is not Unicode cannot be one of
    // ours; `vars()` would panic on it.
    let environment: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    run(cli, &environment)
}
