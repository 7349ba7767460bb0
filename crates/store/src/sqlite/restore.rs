//! A backup put in the place of a store that nobody has open.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use grantor_core::base::row::{Key, Row};
use rusqlite::{Connection, OpenFlags};

use super::file::{Lock, OpenError, beside, is_fresh, is_sound, sync_folder};
use super::{reader, store_error};
use crate::contract::{StoreError, admit_keys};

/// Why a backup cannot be put in a store's place. The store is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store is in use, or the backup cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// They are one file.
    #[error("{} is the store itself", .0.display())]
    Itself(PathBuf),
    /// The system refused.
    #[error("{}: {error}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        error: io::Error,
    },
}

/// A backup that was copied beside the store and found whole. The store is locked and untouched; dropping this leaves
/// it so.
#[derive(Debug)]
pub struct Restore {
    // Closed before the copy is deleted, and the lock freed last.
    connection: Connection,
    copy: Copied,
    store: PathBuf,
    lock: Lock,
}

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The files of the store that was here, under their new names.
    pub kept: Vec<PathBuf>,
}

impl Restore {
    /// Locks the store at `store`, whatever is there, and copies the backup `from` beside it; checks that it is a
    /// store of ours, and whole. A log beside the backup, as an older store that was set aside may have, is part of it.
    ///
    /// # Errors
    /// [`RestoreError`]
    pub fn prepare(from: &Path, store: &Path) -> Result<Self, RestoreError> {
        let store = std::path::absolute(store).map_err(|error| system(store, error))?;
        let of = fs::metadata(from).map_err(|error| system(from, error))?;
        if fs::metadata(&store)
            .is_ok_and(|store| (store.dev(), store.ino()) == (of.dev(), of.ino()))
        {
            return Err(RestoreError::Itself(from.to_owned()));
        }
        let lock = Lock::hold(&store)?.0;
        let copy = Copied::make(from, beside(&store, ".restoring"))?;
        let connection = open(&copy.0, from)?;
        Ok(Self {
            connection,
            copy,
            store,
            lock,
        })
    }

    /// Reads rows of the backup, as [`crate::Store::get`] would.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        admit_keys(keys)?;
        reader::get(&self.connection, keys).map_err(store_error)
    }

    /// Puts the backup in the store's place. What was there is kept: `STORE.before-restore`, with a number where that
    /// is taken. Interrupted at any point, it leaves the old store, or none with all of its files under their new names;
    /// no start takes the latter for a new store.
    ///
    /// # Errors
    /// [`RestoreError::System`]
    pub fn finish(self) -> Result<Restored, RestoreError> {
        // The last one is dropped first: the lock is freed after all.
        let Self {
            mut lock,
            store,
            copy,
            connection,
        } = self;
        let refused = |error| system(&copy.0, error);
        // The last connection folds the log in and removes it.
        connection
            .close()
            .map_err(|(_, error)| refused(io::Error::other(error)))?;
        File::open(&copy.0)
            .and_then(|copy| copy.sync_all())
            .map_err(refused)?;
        // From now on a missing store is one that is gone: nothing begins a new one here.
        lock.sign().map_err(|error| system(&store, error))?;

        let aside = aside(&store);
        let mut kept = Vec::new();
        // The store first: without it nobody takes its log for one of its own. Then the log.
        for suffix in ["", "-wal"] {
            let (old, new) = (beside(&store, suffix), beside(&aside, suffix));
            if old.exists() {
                fs::rename(&old, &new).map_err(|error| system(&old, error))?;
                kept.push(new);
            }
        }
        match fs::remove_file(beside(&store, "-shm")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(system(&store, error));
            }
            _ => {}
        }
        fs::rename(&copy.0, &store).map_err(|error| system(&store, error))?;
        sync_folder(&store).map_err(|error| system(&store, error))?;
        Ok(Restored { kept })
    }
}

/// A name beside the store that neither it nor its log would take from another.
fn aside(store: &Path) -> PathBuf {
    let free = |path: &PathBuf| !path.exists() && !beside(path, "-wal").exists();
    let first = beside(store, ".before-restore");
    let numbered = (2_u32..).map(|n| beside(store, &format!(".before-restore-{n}")));
    std::iter::once(first.clone())
        .chain(numbered)
        .find(free)
        .unwrap_or(first)
}

/// Opens the copy of `from`, which errors name.
fn open(copy: &Path, from: &Path) -> Result<Connection, OpenError> {
    let sqlite = |error| OpenError::sqlite(from, error);
    let damaged = |reason| OpenError::NotAStore {
        path: from.to_owned(),
        reason,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(copy, flags).map_err(sqlite)?;
    if is_fresh(&connection, from)? {
        return Err(damaged("it is empty".to_owned()));
    }
    is_sound(&connection, "integrity_check")
        .map_err(sqlite)?
        .map_err(damaged)?;
    Ok(connection)
}

/// A copy beside the store; deleted when dropped.
#[derive(Debug)]
struct Copied(PathBuf);

impl Copied {
    fn make(from: &Path, to: PathBuf) -> Result<Self, RestoreError> {
        let copied = Self(to);
        copied.clear();
        for suffix in ["", "-wal"] {
            let (from, to) = (beside(from, suffix), beside(&copied.0, suffix));
            if suffix.is_empty() || from.exists() {
                copy(&from, &to)?;
            }
        }
        Ok(copied)
    }

    fn clear(&self) {
        for suffix in ["", "-wal", "-shm"] {
            fs::remove_file(beside(&self.0, suffix)).ok();
        }
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // Where it became the store, nothing has this name.
        self.clear();
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), RestoreError> {
    let mut source = File::open(from).map_err(|error| system(from, error))?;
    let mut options = OpenOptions::new();
    let mut target = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| system(to, error))?;
    io::copy(&mut source, &mut target)
        .and_then(|_| target.sync_all())
        .map_err(|error| system(to, error))
}

fn system(path: &Path, error: io::Error) -> RestoreError {
    RestoreError::System {
        path: path.to_owned(),
        error,
    }
}
