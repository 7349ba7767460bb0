//! `grantor reload`: the running server takes its changed configuration file.

use std::process::ExitCode;

use clap::Args;
use grantor_config::Environment;
use grantor_server::admin::api::Reload;

use super::administer::{Common, administer};
use crate::exit;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    /// Also withdraw the APIs, clients and users that the file no longer declares, as a restart does
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    common: Common,
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let Arguments {
        dry_run,
        prune,
        ref common,
    } = *arguments;
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => {
            exit::complain(&"grantor: nothing was reloaded; a running server keeps its settings");
            return code;
        }
    };
    let mut all_taken = true;
    let done = administer(common, &settings, &Reload { dry_run, prune }, |reloaded| {
        all_taken &= reloaded.problems.is_empty();
        Some(reloaded.to_string())
    });
    match all_taken {
        true => done,
        false => ExitCode::FAILURE,
    }
}
