//! `grantor restore`: replaces the store of a stopped server by a backup.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use grantor_core::base::row::Key;
use grantor_core::engine::event::{Event, EventKind};
use grantor_core::records::{Record as _, SigningKeys};
use grantor_store::StoreError;
use grantor_store::memory::Memory;
use grantor_store::sqlite::{Restore, RestoreError, Restored};
use grantor_web::{Clock as _, Entropy as _, EventSink as _};
use serde_json::{Value as Json, json};

use super::administer::Common;
use super::backup::key_path;
use crate::exit;
use grantor_config::{Environment, Settings, Store};
use grantor_server::assemble::AssembleError;
use grantor_server::assemble::POOL;
use grantor_server::events::Events;
use grantor_server::installation;
use grantor_server::master_key::{MasterKeyError, MasterKeys, Source, copy};
use grantor_server::signing_keys::SigningKeysError;
use grantor_server::system::{SystemClock, SystemEntropy};
use grantor_server::written::Document;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Why nothing was restored; the store and the key file are as they were.
#[derive(Debug, thiserror::Error)]
enum RestoreCommandError {
    #[error("a store in memory cannot be restored")]
    Memory,
    #[error("PostgreSQL is not built yet")]
    Postgres,
    #[error("{} holds no signing keys: it is not a backup of a server", .0.display())]
    NoKeys(PathBuf),
    #[error(
        "key_file {} is missing, and there is no {} to take its place: bring the key back from where you keep a copy",
        key_file.display(),
        key_copy.display()
    )]
    NoMasterKey {
        key_file: PathBuf,
        key_copy: PathBuf,
    },
    #[error("{}", file.display())]
    OtherKey {
        file: PathBuf,
        source: SigningKeysError,
    },
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let Arguments { file, common } = arguments;
    let settings = match common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match restore(&settings, file) {
        Ok(done) if common.json => exit::print(&format_args!("{}\n", done.json())),
        Ok(done) => exit::print(&done.text()),
        Err(error) => return exit::failure(&error),
    }
    ExitCode::SUCCESS
}

struct Outcome {
    file: PathBuf,
    store: PathBuf,
    kept: Vec<PathBuf>,
    /// The key file, where it was made from the one next to the backup.
    key_file: Option<PathBuf>,
}

/// Checks everything before it changes anything, and holds the lock of the store throughout.
fn restore(settings: &Settings, file: &Path) -> Result<Outcome, RestoreCommandError> {
    let store = match &settings.store {
        Store::Sqlite(path) => path,
        Store::Memory => return Err(RestoreCommandError::Memory),
        Store::Postgres(_) => return Err(RestoreCommandError::Postgres),
    };
    let prepared = Restore::prepare(file, store)?;
    let key = Key::new(POOL, SigningKeys::KIND, SigningKeys::NAME);
    let row = prepared.get(&[key])?.pop().flatten();
    let row = row.ok_or_else(|| RestoreCommandError::NoKeys(file.to_owned()))?;
    let opens = |masters: MasterKeys, source| {
        let keys = installation::key_store_of(
            settings,
            &Document::default(),
            Arc::new(Memory::new()),
            masters,
            source,
        )?;
        let opened = keys.opened(Some(&row));
        opened
            .map(drop)
            .map_err(|source| RestoreCommandError::OtherKey {
                file: file.to_owned(),
                source,
            })
    };
    let mut key_file = None;
    if let Some((masters, source)) = copy::kept(settings)? {
        opens(masters, source)?;
    } else {
        let (missing, key_copy) = (settings.key_file.clone(), key_path(file));
        let Some(masters) = copy::kept_in(&key_copy)? else {
            return Err(RestoreCommandError::NoMasterKey {
                key_file: missing,
                key_copy,
            });
        };
        opens(masters.clone(), Source::File(key_copy))?;
        copy::make(&missing, &masters)?;
        key_file = Some(missing);
    }
    let Restored { kept } = prepared.finish()?;
    record_event(store);
    Ok(Outcome {
        file: file.to_owned(),
        store: store.clone(),
        kept,
        key_file,
    })
}

/// Writes the event. The restore is done, even where that fails.
fn record_event(store: &Path) {
    let folder = store.parent().unwrap_or(Path::new("")).join("events");
    if let Ok((events, writer)) = Events::kept(&folder, u64::MAX) {
        let trace = u128::from_be_bytes(SystemEntropy.seed().bytes("trace id"));
        let event = Event::new(EventKind::Restored);
        events.record(SystemClock.now(), &format!("{trace:032x}"), &event);
        writer.finish();
    }
}

impl Outcome {
    fn json(&self) -> Json {
        json!({
            "restored": self.store,
            "from": self.file,
            "kept": self.kept,
            "key_file": self.key_file,
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{} is now {}.\n", self.store.display(), self.file.display());
        if let Some(path) = &self.key_file {
            text += &format!(
                "The master key beside it was put into {}.\n",
                path.display()
            );
        }
        if let [store, ..] = &self.kept[..] {
            text += &format!("The store that was there is kept as {}.\n", store.display());
        }
        text + "What happened since the backup was made is undone: grants given since are gone, and users, grants and \
                tokens that were cut off since are as they were.\n"
    }
}
