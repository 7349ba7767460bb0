//! `grantor backup`: a copy of the store, and of the master key where it is asked for.

use std::fmt::Display;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use grantor_core::base::sealing::MasterKey;
use http::Method;
use serde_json::{Value as Json, json};

use super::administer::{Common, administer};
use crate::admin::client::{Ask, Content};
use crate::config::{self, Environment, Settings};
use crate::exit;
use crate::master_key::{MasterKeyError, MasterKeys, copy};

/// The arguments of `grantor backup`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file to make
    file: PathBuf,
    /// Replace an earlier backup
    #[arg(long)]
    force: bool,
    /// Also write the master key, to FILE.key; keep it apart from the backup
    #[arg(long)]
    with_key: bool,
    #[command(flatten)]
    common: Common,
}

/// Where the key of a backup stands.
pub(super) fn key_of(backup: &Path) -> PathBuf {
    let mut path = backup.as_os_str().to_owned();
    path.push(".key");
    path.into()
}

/// Carries the command out.
pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let Arguments {
        file,
        force,
        with_key,
        common,
    } = arguments;
    let failed = |error: &dyn Display| {
        eprintln!("grantor: {error}");
        ExitCode::FAILURE
    };
    // The server has another working directory.
    let file = match std::path::absolute(file) {
        Ok(file) => file,
        Err(error) => return failed(&error),
    };
    let settings = match config::load(&common.config, environment) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return ExitCode::from(exit::USAGE);
        }
    };
    let key = with_key.then(|| key_of(&file));
    // First: a key without its backup is no harm, a backup without its key is no use.
    if let Some(key) = &key
        && let Err(error) = write_key(&settings, key)
    {
        return failed(&error);
    }
    let ask = Ask {
        method: Method::POST,
        path: "/backup",
        body: Content::Json(json!({ "file": file, "replace": force })),
        makes_store: false,
    };
    let terminal = io::stderr().is_terminal();
    let mut said = false;
    administer(common, environment, ask, |line| {
        if let (Some(done), Some(total)) = (line["done"].as_u64(), line["total"].as_u64()) {
            if terminal {
                eprint!("\r{} of {}  ", mebibytes(done), mebibytes(total));
                said = true;
            }
            return None;
        }
        if said {
            eprintln!();
        }
        Some(summary(line, &settings, key.as_deref()))
    })
}

/// Writes the master key beside the backup. One of an earlier backup is right where it is the same.
fn write_key(settings: &Settings, path: &Path) -> Result<(), MasterKeyError> {
    let ids = |keys: &MasterKeys| keys.all().map(MasterKey::id).collect::<Vec<_>>();
    let Some((kept, _)) = copy::kept(settings)? else {
        return Err(MasterKeyError::Missing(settings.key_file.clone()));
    };
    match copy::kept_in(path)? {
        Some(there) if ids(&there) == ids(&kept) => Ok(()),
        _ => copy::make(path, &kept),
    }
}

fn summary(line: &Json, settings: &Settings, key: Option<&Path>) -> String {
    let file = line["file"].as_str().unwrap_or_default();
    let bytes = mebibytes(line["bytes"].as_u64().unwrap_or_default());
    let keep = match (key, settings.master_key()) {
        (Some(key), _) => format!(
            "The master key is in {}: keep it apart, since the two together are all that there is.",
            key.display()
        ),
        (None, config::MasterKey::File(path)) => format!(
            "The master key is not in it: keep a copy of {} too, apart. Without it the backup is of no use.",
            path.display()
        ),
        (None, config::MasterKey::Given(_)) => {
            "The master key of key_env is not in it: keep it too, apart. Without it the backup is of no use."
                .to_owned()
        }
    };
    format!("Made {file}, {bytes}.\n{keep}\n")
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
