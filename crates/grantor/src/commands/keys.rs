//! `grantor keys`: the signing keys and the master keys.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use grantor_config::{Environment, MasterKey, Settings, Store};
use grantor_core::base::sealing;
use grantor_server::admin::api::{ListKeys, RotateKeys};
use grantor_server::run::StartError;
use grantor_server::system::SystemEntropy;
use grantor_server::{installation, master_key, signing_keys};
use grantor_web::Entropy as _;
use serde_json::json;

use super::administer::{Common, administer};
use crate::exit;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum What {
    /// List the signing keys and the master keys, and when something is due
    List,
    /// Sign with the next keys from now on, without waiting for the schedule
    Rotate,
    /// Make a new master key, while no server runs; the old one stays in its file, to open what it sealed
    RotateMaster,
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let common = &arguments.common;
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match arguments.what {
        What::List => administer(common, &settings, &ListKeys, |keys| {
            Some(format!("{keys}\n"))
        }),
        What::Rotate => administer(common, &settings, &RotateKeys, |rotated| {
            Some(format!("{rotated}\n"))
        }),
        What::RotateMaster => rotate_master(common, &settings),
    }
}

#[derive(Debug, thiserror::Error)]
enum RotateMasterError {
    /// A command cannot change the environment of the server.
    #[error(
        "key_env {0} holds the master key: put a new one (openssl rand -hex 32) and a space before it yourself, and start \
         the server again"
    )]
    Environment(String),
    #[error("a store in memory has no master key that lasts")]
    Memory,
    #[error("the store was never used: its master key is made at the first start")]
    Unused,
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("I/O error")]
    Io(#[from] std::io::Error),
}

fn rotate_master(common: &Common, settings: &Settings) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let rotated = runtime
        .map_err(RotateMasterError::Io)
        .and_then(|runtime| runtime.block_on(rotated(settings)));
    match rotated {
        Ok(rotated) => {
            if common.json {
                exit::print(&format_args!("{}\n", json!({ "master_key": rotated.id })));
            } else {
                exit::print(&format_args!("{rotated}\n"));
            }
            ExitCode::SUCCESS
        }
        Err(error) => exit::failure(&error),
    }
}

/// First the file, then the row: once the file has both keys, the next start opens the row and encrypts it under the new
/// key, wherever this command was interrupted.
async fn rotated(settings: &Settings) -> Result<NewMaster, RotateMasterError> {
    let path = match settings.master_key() {
        MasterKey::File(path) => path,
        MasterKey::Given(_) => {
            let variable = settings.key_env.as_ref();
            let name = variable.map(|variable| variable.variable());
            return Err(RotateMasterError::Environment(
                name.unwrap_or_default().to_owned(),
            ));
        }
    };
    if matches!(settings.store, Store::Memory) {
        return Err(RotateMasterError::Memory);
    }
    // From here on this process holds the store's lock, so no server runs.
    let store = installation::open(settings)?;
    let row = signing_keys::read(&*store)
        .await
        .map_err(StartError::from)?;
    let Some(row) = row else {
        return Err(RotateMasterError::Unused);
    };
    let mut keys = installation::key_store(settings, Arc::clone(&store)).await?;
    // Before anything is changed: the file must open this store.
    keys.opened(Some(&row)).map_err(StartError::from)?;

    let new = sealing::MasterKey::new(SystemEntropy.seed().bytes("master key"));
    let masters = keys.masters.with_new(new);
    master_key::replace(path, &masters).map_err(StartError::from)?;
    keys.masters = masters;
    keys.open().await.map_err(StartError::from)?;
    Ok(NewMaster {
        id: keys.masters.current().id(),
        file: path.to_owned(),
    })
}

struct NewMaster {
    id: String,
    file: PathBuf,
}

impl fmt::Display for NewMaster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "The master key {} seals from the next start on. The older ones in {} open what they sealed; grantor keys \
             list says when they may be removed. Keep a copy of the file elsewhere.",
            self.id,
            self.file.display(),
        )
    }
}
