//! `grantor reload`: the running server takes its changed configuration file.

use std::fs;
use std::process::ExitCode;

use clap::Args;
use grantor_config::Environment;
use grantor_server::admin::api::Reload;

use super::administer::{Common, administer};
use crate::exit;

/// The file was taken, but not all of it.
const LEFT_OUT: u8 = 3;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Also withdraw the APIs, clients and users that the file no longer declares, as a restart does
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    common: Common,
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let common = &arguments.common;
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => {
            exit::complain(&"grantor: nothing was reloaded; a running server keeps its settings");
            return code;
        }
    };
    // It was read just now.
    let path = fs::canonicalize(&common.config).ok();
    let request = Reload {
        dry_run: arguments.dry_run,
        prune: arguments.prune,
        file: path.map(|path| path.display().to_string()),
    };
    let mut all_taken = true;
    let done = administer(common, &settings, &request, |reloaded| {
        all_taken &= reloaded.problems.is_empty();
        Some(reloaded.to_string())
    });
    match all_taken {
        true => done,
        false => ExitCode::from(LEFT_OUT),
    }
}
