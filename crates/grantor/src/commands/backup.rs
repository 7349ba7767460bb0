//! `grantor backup`: a copy of the store, and of the master key where it is asked for.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use grantor_config::{Environment, MasterKey, Settings};
use grantor_core::base::sealing;
use grantor_server::admin::api::{Backup, BackupLine};
use grantor_server::master_key::{MasterKeyError, MasterKeys, copy};

use super::administer::{Common, administer};
use crate::exit;

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

/// The path of the key of a backup.
pub(super) fn key_path(backup: &Path) -> PathBuf {
    let mut path = backup.as_os_str().to_owned();
    path.push(".key");
    path.into()
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let Arguments {
        file,
        force,
        with_key,
        common,
    } = arguments;
    // The server has another working directory.
    let file = match std::path::absolute(file) {
        Ok(file) => file,
        Err(error) => return exit::failure(&error),
    };
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let key = with_key.then(|| key_path(&file));
    // First: a key without its backup does no harm, a backup without its key is of no use.
    if let Some(key) = &key
        && let Err(error) = write_key(&settings, key)
    {
        return exit::failure(&error);
    }
    let request = Backup {
        file,
        replace: *force,
    };
    let terminal = io::stderr().is_terminal();
    let mut has_progress = false;
    administer(common, &settings, &request, |line| match line {
        BackupLine::Progress { done, total } => {
            if terminal {
                write!(
                    io::stderr(),
                    "\r{} of {}  ",
                    mebibytes(done),
                    mebibytes(total)
                )
                .ok();
                has_progress = true;
            }
            None
        }
        BackupLine::Done { file, bytes } => {
            if has_progress {
                exit::complain(&"");
            }
            Some(summary(&file, bytes, &settings, key.as_deref()))
        }
    })
}

/// Writes the master key next to the backup. The file of an earlier backup may stay where it holds the same key.
fn write_key(settings: &Settings, path: &Path) -> Result<(), MasterKeyError> {
    let ids = |keys: &MasterKeys| keys.all().map(sealing::MasterKey::id).collect::<Vec<_>>();
    let Some((kept, _)) = copy::kept(settings)? else {
        return Err(MasterKeyError::Missing(settings.key_file.clone()));
    };
    match copy::kept_in(path)? {
        Some(there) if ids(&there) == ids(&kept) => Ok(()),
        _ => copy::make(path, &kept),
    }
}

fn summary(file: &Path, bytes: u64, settings: &Settings, key: Option<&Path>) -> String {
    let keep = match (key, settings.master_key()) {
        (Some(key), _) => format!(
            "The master key is in {}: keep it apart, since the two together are all that there is.",
            key.display()
        ),
        (None, MasterKey::File(path)) => format!(
            "The master key is not in it: keep a copy of {} too, apart. Without it the backup is of no use.",
            path.display()
        ),
        (None, MasterKey::Given(_)) => {
            "The master key of key_env is not in it: keep it too, apart. Without it the backup is of no use."
                .to_owned()
        }
    };
    let (file, bytes) = (file.display(), mebibytes(bytes));
    format!("Made {file}, {bytes}.\n{keep}\n")
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
