//! What the commands over the admin socket have in common.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use grantor_config::{Environment, Settings};
use grantor_server::admin::api::AdminRequest;

use crate::cli::CONFIG;
use crate::exit;
use grantor_server::admin::client::{Line, ask};

/// The arguments that all of them take.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// The configuration file of the server
    #[arg(long, value_name = "FILE", global = true, default_value = CONFIG)]
    pub(super) config: PathBuf,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl Common {
    /// The settings of the file; its mistakes are printed.
    pub(super) fn settings(&self, environment: &Environment) -> Result<Settings, ExitCode> {
        grantor_config::load(&self.config, environment).map_err(|mistakes| exit::usage(&mistakes))
    }
}

/// Prints what a command answers with. The reader may have gone.
pub(super) fn print(text: &str) {
    let mut stdout = io::stdout();
    let printed = stdout.write_all(text.as_bytes());
    printed.and_then(|()| stdout.flush()).ok();
}

/// Carries out `request` and prints each line of the answer as `render` puts it, or as JSON where `--json` asks for it.
/// Lines for which `render` has no text are not printed.
pub(super) fn administer<R: AdminRequest>(
    common: &Common,
    settings: &Settings,
    request: &R,
    mut render: impl FnMut(R::Answer) -> Option<String>,
) -> ExitCode {
    let done = ask(settings, &common.config, request, |line| {
        let Line { json, answer } = line;
        // The answer of a server of another version is printed as it is.
        let text = answer.map_or_else(|| Some(format!("{json}\n")), &mut render);
        let Some(text) = text else { return };
        let text = if common.json {
            format!("{json}\n")
        } else {
            text
        };
        print(&text);
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::failure(&error),
    }
}
