//! `grantor keys`: what signs and seals.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use grantor_core::base::sealing;
use grantor_web::Entropy as _;
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::administer::{Common, administer};
use crate::admin::client::{Ask, Content};
use crate::config::{self, Environment, MasterKey, Settings, Store};
use crate::exit;
use crate::house;
use crate::key_ring::{Listing, Rotated};
use crate::master_key;
use crate::server::StartError;
use crate::signing_keys;
use crate::system::SystemEntropy;

/// The arguments of `grantor keys`.
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

/// Runs the command.
pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let common = &arguments.common;
    let ask = |method, path| Ask {
        method,
        path,
        body: Content::None,
        makes_store: false,
    };
    match arguments.what {
        What::List => administer(common, environment, ask(Method::GET, "/keys"), |line| {
            said::<Listing>(line)
        }),
        What::Rotate => administer(
            common,
            environment,
            ask(Method::POST, "/keys/rotate"),
            said::<Rotated>,
        ),
        What::RotateMaster => rotate_master(common, environment),
    }
}

/// The words for an answer; of a server of another version, the answer itself.
fn said<T: DeserializeOwned + std::fmt::Display>(line: &Json) -> Option<String> {
    Some(match T::deserialize(line) {
        Ok(answer) => format!("{answer}\n"),
        Err(_) => format!("{line}\n"),
    })
}

/// Why there is no new master key.
#[derive(Debug, thiserror::Error)]
enum RotateMasterError {
    /// The environment is not ours to write.
    #[error(
        "key_env {0} holds the master key: put a new one (openssl rand -hex 32) and a space before it yourself, and start \
         the server again"
    )]
    Environment(String),
    /// A store in memory has no key to keep.
    #[error("a store in memory has no master key that lasts")]
    Memory,
    /// No server ever ran with it.
    #[error("the store was never used: its master key is made at the first start")]
    Unused,
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the system refuses: {0}")]
    System(#[from] std::io::Error),
}

fn rotate_master(common: &Common, environment: &Environment) -> ExitCode {
    let settings = match config::load(&common.config, environment) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return ExitCode::from(exit::USAGE);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let rotated = runtime
        .map_err(RotateMasterError::System)
        .and_then(|runtime| runtime.block_on(rotated(&settings)));
    match rotated {
        Ok(rotated) => {
            if common.json {
                println!("{}", json!({ "master_key": rotated.id }));
            } else {
                println!("{rotated}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("grantor: {error}");
            ExitCode::FAILURE
        }
    }
}

/// First the file, then the row: from the file's change on both keys are there, so whatever stops this command, the
/// next start opens the row and encrypts it under the new key.
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
    // The store's lock is ours from here on: no server runs.
    let store = house::open(&settings.store)?;
    let row = signing_keys::read(&*store)
        .await
        .map_err(StartError::from)?;
    let Some(row) = row else {
        return Err(RotateMasterError::Unused);
    };
    let mut keys = house::key_store(settings, Arc::clone(&store)).await?;
    // A file that does not open this store is not made worse.
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

/// A master key that was made.
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
