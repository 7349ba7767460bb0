//! `grantor restore`: a backup in the place of the store of a server that is stopped.

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
use super::backup::key_of;
use crate::assemble::POOL;
use crate::cause::with_causes;
use crate::config::{self, Environment, Settings, Store};
use crate::events::Events;
use crate::exit;
use crate::house;
use crate::master_key::{MasterKeyError, MasterKeys, Source, copy};
use crate::signing_keys::SigningKeysError;
use crate::system::{SystemClock, SystemEntropy};

/// The arguments of `grantor restore`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Why nothing was restored; the store and the key file are as they were.
#[derive(Debug, thiserror::Error)]
enum RestoreFailure {
    #[error("a store in memory cannot be restored")]
    Memory,
    #[error("PostgreSQL is not built yet")]
    Postgres,
    #[error("{} holds no signing keys: it is no backup of a server", .0.display())]
    NoKeys(PathBuf),
    #[error(
        "key_file {} is missing, and there is no {} to take its place: bring the key back from where you keep a copy",
        key_file.display(),
        beside.display()
    )]
    NoMasterKey { key_file: PathBuf, beside: PathBuf },
    #[error("{}: {why}", file.display())]
    OtherKey {
        file: PathBuf,
        why: SigningKeysError,
    },
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Carries the command out.
pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let Arguments { file, common } = arguments;
    let settings = match config::load(&common.config, environment) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("{mistakes}");
            return ExitCode::from(exit::USAGE);
        }
    };
    match restored(&settings, file) {
        Ok(done) if common.json => println!("{}", done.json()),
        Ok(done) => print!("{}", done.text()),
        Err(failure) => {
            eprintln!("grantor: {}", with_causes(&failure));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What was done.
struct Done {
    file: PathBuf,
    store: PathBuf,
    kept: Vec<PathBuf>,
    /// The key file, where it was made of the one beside the backup.
    key_file: Option<PathBuf>,
}

/// Everything is looked at before anything is changed; the lock of the store is held throughout.
fn restored(settings: &Settings, file: &Path) -> Result<Done, RestoreFailure> {
    let store = match &settings.store {
        Store::Sqlite(path) => path,
        Store::Memory => return Err(RestoreFailure::Memory),
        Store::Postgres(_) => return Err(RestoreFailure::Postgres),
    };
    let restore = Restore::prepare(file, store)?;
    let key = Key::new(POOL, SigningKeys::KIND, SigningKeys::NAME);
    let row = restore.get(&[key])?.pop().flatten();
    let row = row.ok_or_else(|| RestoreFailure::NoKeys(file.to_owned()))?;
    let opens = |masters: MasterKeys, source| {
        let keys = house::key_store_of(settings, Arc::new(Memory::new()), masters, source);
        let opened = keys.opened(Some(&row));
        opened.map(drop).map_err(|why| RestoreFailure::OtherKey {
            file: file.to_owned(),
            why,
        })
    };
    let mut key_file = None;
    if let Some((masters, source)) = copy::kept(settings)? {
        opens(masters, source)?;
    } else {
        let (missing, beside) = (settings.key_file.clone(), key_of(file));
        let Some(masters) = copy::kept_in(&beside)? else {
            return Err(RestoreFailure::NoMasterKey {
                key_file: missing,
                beside,
            });
        };
        opens(masters.clone(), Source::File(beside))?;
        copy::make(&missing, &masters)?;
        key_file = Some(missing);
    }
    let Restored { kept } = restore.finish()?;
    tell(store);
    Ok(Done {
        file: file.to_owned(),
        store: store.clone(),
        kept,
        key_file,
    })
}

/// An event beside the others. It is done, whether or not that can be written.
fn tell(store: &Path) {
    let folder = store.parent().unwrap_or(Path::new("")).join("events");
    if let Ok((events, writer)) = Events::kept(&folder) {
        let trace = u128::from_be_bytes(SystemEntropy.seed().bytes("trace id"));
        let event = Event::new(EventKind::Restored);
        events.record(SystemClock.now(), &format!("{trace:032x}"), &event);
        writer.finish();
    }
}

impl Done {
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
