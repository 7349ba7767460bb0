//! What the commands over the admin socket have in common.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value as Json;

use crate::admin::client::{Ask, ask};
use crate::config::{self, Environment};
use crate::exit;

/// The arguments that all of them take.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// The configuration file of the server
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        default_value = "grantor.toml"
    )]
    pub(super) config: PathBuf,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// Carries it out in the running server, or here where none runs; prints each line of the answer as `say` puts it, if it says
/// anything.
pub(super) fn administer(
    common: &Common,
    environment: &Environment,
    what: Ask,
    mut say: impl FnMut(&Json) -> Option<String>,
) -> ExitCode {
    let settings = match config::load(&common.config, environment) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return ExitCode::from(exit::USAGE);
        }
    };
    let mut stdout = io::stdout();
    let done = ask(&settings, &common.config, what, |line| {
        let Some(said) = say(&line) else { return };
        let said = if common.json {
            format!("{line}\n")
        } else {
            said
        };
        // Nobody may be reading.
        stdout
            .write_all(said.as_bytes())
            .and_then(|()| stdout.flush())
            .ok();
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("grantor: {failure}");
            ExitCode::FAILURE
        }
    }
}
