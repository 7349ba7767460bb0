//! Restore: replaces a store that no process has open by a backup.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use grantor_core::base::row::{Key, Row};
use rusqlite::{Connection, OpenFlags};

use super::file::{Lock, OpenError, check_integrity, is_new, sync_parent, with_suffix};
use super::{reader, store_error};
use crate::contract::{StoreError, admit_keys};

/// Why a restore failed. The store was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store is in use, or the backup is not usable.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The backup is the store itself.
    #[error("{} is the store itself", .0.display())]
    SameFile(PathBuf),
    /// An I/O error.
    #[error("cannot read or write {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        error: io::Error,
    },
}

/// A backup that was copied next to the store and checked. The store is locked and not changed yet; dropping this
/// unlocks it.
#[derive(Debug)]
pub struct Restore {
    // Dropped in this order: the connection is closed, the copy deleted, the lock released.
    connection: Connection,
    copy: StagedCopy,
    store: PathBuf,
    lock: Lock,
}

/// The result of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The files of the previous store, under their new names.
    pub kept: Vec<PathBuf>,
}

impl Restore {
    /// Locks the store at `store`, which need not exist, and copies the backup `from` next to it; checks that the copy is
    /// a Grantor store without damage. If the backup has a log next to it, as a renamed store may, that is copied too.
    pub fn prepare(from: &Path, store: &Path) -> Result<Self, RestoreError> {
        let store = std::path::absolute(store).map_err(|error| io_error(store, error))?;
        let backup = fs::metadata(from).map_err(|error| io_error(from, error))?;
        if fs::metadata(&store)
            .is_ok_and(|store| (store.dev(), store.ino()) == (backup.dev(), backup.ino()))
        {
            return Err(RestoreError::SameFile(from.to_owned()));
        }
        let lock = Lock::acquire(&store)?.0;
        let copy = StagedCopy::create(from, with_suffix(&store, ".restoring"))?;
        let connection = open(&copy.0, from)?;
        Ok(Self {
            connection,
            copy,
            store,
            lock,
        })
    }

    /// Reads rows of the backup, as [`crate::Store::get`] does.
    pub fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        admit_keys(keys)?;
        reader::get(&self.connection, keys).map_err(store_error)
    }

    /// Replaces the store by the backup. The previous store is renamed to `STORE.before-restore`, with a number if that
    /// name is taken. If this is interrupted, there is either the previous store, or none and all of its files under their
    /// new names; a server then refuses to start with an empty store.
    ///
    /// # Errors
    /// [`RestoreError::Io`]
    pub fn finish(self) -> Result<Restored, RestoreError> {
        // Dropped in reverse order: the lock is released last.
        let Self {
            mut lock,
            store,
            copy,
            connection,
        } = self;
        let refused = |error| io_error(&copy.0, error);
        // Closing the last connection checkpoints and removes the log.
        connection
            .close()
            .map_err(|(_, error)| refused(io::Error::other(error)))?;
        File::open(&copy.0)
            .and_then(|copy| copy.sync_all())
            .map_err(refused)?;
        // From now on a missing store is an error, and no process creates a new one here.
        lock.write_pid().map_err(|error| io_error(&store, error))?;

        let renamed = old_store_name(&store);
        let mut kept = Vec::new();
        // First the store: a log without a store is not used by any process. Then the log.
        for suffix in ["", "-wal"] {
            let (old, new) = (with_suffix(&store, suffix), with_suffix(&renamed, suffix));
            if old.exists() {
                fs::rename(&old, &new).map_err(|error| io_error(&old, error))?;
                kept.push(new);
            }
        }
        match fs::remove_file(with_suffix(&store, "-shm")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(io_error(&store, error));
            }
            _ => {}
        }
        fs::rename(&copy.0, &store).map_err(|error| io_error(&store, error))?;
        sync_parent(&store).map_err(|error| io_error(&store, error))?;
        Ok(Restored { kept })
    }
}

/// A new name for the previous store, free for its log too.
fn old_store_name(store: &Path) -> PathBuf {
    let free = |path: &PathBuf| !path.exists() && !with_suffix(path, "-wal").exists();
    let first = with_suffix(store, ".before-restore");
    let numbered = (2_u32..).map(|n| with_suffix(store, &format!(".before-restore-{n}")));
    std::iter::once(first.clone())
        .chain(numbered)
        .find(free)
        .unwrap_or(first)
}

/// Opens and checks the copy of `from`; errors name `from`.
fn open(copy: &Path, from: &Path) -> Result<Connection, OpenError> {
    let sqlite = |error| OpenError::sqlite(from, error);
    let damaged = |reason| OpenError::NotAStore {
        path: from.to_owned(),
        reason,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(copy, flags).map_err(sqlite)?;
    if is_new(&connection, from)? {
        return Err(damaged("it is empty".to_owned()));
    }
    check_integrity(&connection, "integrity_check")
        .map_err(sqlite)?
        .map_err(damaged)?;
    Ok(connection)
}

/// A copy of the backup next to the store; deleted when dropped.
#[derive(Debug)]
struct StagedCopy(PathBuf);

impl StagedCopy {
    fn create(from: &Path, to: PathBuf) -> Result<Self, RestoreError> {
        let staged = Self(to);
        staged.clear();
        for suffix in ["", "-wal"] {
            let (from, to) = (with_suffix(from, suffix), with_suffix(&staged.0, suffix));
            if suffix.is_empty() || from.exists() {
                copy(&from, &to)?;
            }
        }
        Ok(staged)
    }

    fn clear(&self) {
        for suffix in ["", "-wal", "-shm"] {
            fs::remove_file(with_suffix(&self.0, suffix)).ok();
        }
    }
}

impl Drop for StagedCopy {
    fn drop(&mut self) {
        // After `finish`, no file has these names.
        self.clear();
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), RestoreError> {
    let mut source = File::open(from).map_err(|error| io_error(from, error))?;
    let mut options = OpenOptions::new();
    let mut target = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| io_error(to, error))?;
    io::copy(&mut source, &mut target)
        .and_then(|_| target.sync_all())
        .map_err(|error| io_error(to, error))
}

fn io_error(path: &Path, error: io::Error) -> RestoreError {
    RestoreError::Io {
        path: path.to_owned(),
        error,
    }
}
