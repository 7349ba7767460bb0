//! The file: its schema, its lock, and opening it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::open_files::OpenFiles;
use crate::contract::StoreError;

/// The version of the schema below, stored as `PRAGMA user_version`.
pub(super) const SCHEMA: u32 = 1;
/// "Grnt", stored as `PRAGMA application_id`: distinguishes our files from others.
pub(super) const APPLICATION_ID: i32 = 0x4772_6e74;

// Tables with rowids, although the keys are unique text: with records of some hundred bytes in the key's tree, inserts
// take twice the time. `indexes` repeats the entries of `listings` for the row, so that an update that does not change
// them need not read that table.
const TABLES: &str = "
    CREATE TABLE rows (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        version BLOB NOT NULL,
        expires_at INTEGER,
        value BLOB NOT NULL,
        indexes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX rows_by_end ON rows (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE listings (
        name TEXT NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (name, key)
    ) STRICT, WITHOUT ROWID;
";

/// The initial length of the log: overwriting takes half the time of appending.
const WAL_BYTES: u64 = 8 << 20;
/// Checkpoint after so many pages, 4 MiB, so that a batch of usual commits, about 800 pages, still fits in `WAL_BYTES`. A
/// larger batch lengthens the log.
const WAL_PAGES: u32 = 1000;

/// Why a file cannot be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store {} is in use by {holder}: one process owns a store at a time", path.display())]
    InUse {
        path: PathBuf,
        /// The process, according to the lock file.
        holder: String,
    },
    /// There was a store, and it is missing.
    #[error(
        "the store {} is missing or empty, but {} shows that there was one: restore it, or remove \
         the latter file to create a new store",
        path.display(),
        left.display()
    )]
    Missing {
        path: PathBuf,
        /// The file that is left of it.
        left: PathBuf,
    },
    /// The file is not a Grantor store, or is damaged; it was not changed.
    #[error("{} is not a Grantor store, or is damaged ({reason}); it was not changed", path.display())]
    NotAStore {
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A newer Grantor wrote it; it was not changed.
    #[error(
        "the store {} has schema version {found}, but this Grantor supports versions up to {SCHEMA}: \
         use the Grantor that wrote it, or a newer one",
        path.display()
    )]
    Newer { path: PathBuf, found: u32 },
    /// An I/O error or an error of SQLite.
    #[error("cannot open the store {}: {reason}", path.display())]
    Failed { path: PathBuf, reason: String },
}

impl OpenError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Failed {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }

    /// An I/O error of the file with this suffix; `its` is its role in messages.
    fn companion(store: &Path, its: &str, suffix: &str, error: io::Error) -> Self {
        Self::Failed {
            path: store.to_owned(),
            reason: format!(
                "its {its} {}: {error}",
                with_suffix(store, suffix).display()
            ),
        }
    }

    pub(super) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let (path, mut reason) = (path.to_owned(), error.to_string());
        // The file itself is writable: `create` checked it.
        if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) {
            reason = format!("its log cannot be created next to it ({reason})");
        }
        match super::store_error(error) {
            StoreError::Corrupt(_) => Self::NotAStore { path, reason },
            StoreError::Unavailable(_) | StoreError::Misuse(_) => Self::Failed { path, reason },
        }
    }
}

/// A store that is locked and ready to be written.
pub(super) struct Opened {
    pub(super) files: OpenFiles,
    pub(super) lock: Lock,
    pub(super) connection: Connection,
}

pub(super) fn open(path: &Path) -> Result<Opened, OpenError> {
    // Absolute, or SQLite would read a name that begins with `file:` as a URI.
    let path = std::path::absolute(path).map_err(|error| OpenError::io(path, error))?;
    let mut lock = Lock::acquire_for_store(&path)?;
    let io = |error| OpenError::io(&path, error);
    create(&path).map_err(io)?;

    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags)
        .map_err(|error| OpenError::sqlite(&path, error))?;
    let is_new = is_new(&connection, &path)?;
    let mode = prepare(&connection, is_new).map_err(|error| OpenError::sqlite(&path, error))?;
    if mode != "wal" {
        let reason =
            "its file system does not support shared memory, which a write-ahead log needs"
                .to_owned();
        return Err(OpenError::Failed { path, reason });
    }
    grow_wal(&path).map_err(|error| OpenError::companion(&path, "log", "-wal", error))?;
    lock.write_pid().map_err(io)?;
    Ok(Opened {
        files: OpenFiles::new(&path).map_err(io)?,
        lock,
        connection,
    })
}

/// The schema version of the file.
pub(super) fn schema(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The lock file, locked while the store is open; the system unlocks it when the process ends.
///
/// It is never deleted. It contains the last owner's process id once that process opened a store successfully.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Acquires the lock, whether there is a store or not; returns its previous content, the last owner.
    pub(super) fn acquire(store: &Path) -> Result<(Self, String), OpenError> {
        let path = with_suffix(store, ".lock");
        let refused = |error| OpenError::companion(store, "lock", ".lock", error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(refused)?;
        let locked = file.try_lock();
        let mut holder = String::new();
        // Empty if the owner has not finished opening.
        let _ = file.read_to_string(&mut holder);
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = match holder.trim() {
                    "" => "another process".to_owned(),
                    pid => format!("process {pid}"),
                };
                return Err(OpenError::InUse {
                    path: store.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        Ok((Self(file), holder))
    }

    /// Acquires the lock for an existing store or a new one; refuses if the store is missing.
    fn acquire_for_store(store: &Path) -> Result<Self, OpenError> {
        let (lock, holder) = Self::acquire(store)?;
        let path = with_suffix(store, ".lock");
        // SQLite would create a new store here, and delete the log of the missing one.
        let log = with_suffix(store, "-wal");
        let left = [(holder.is_empty(), path.clone()), (is_empty(&log), log)];
        if is_empty(store)
            && let Some((_, left)) = left.into_iter().find(|(empty, _)| !empty)
        {
            return Err(OpenError::Missing {
                path: store.to_owned(),
                left,
            });
        }
        let refused = |error| OpenError::companion(store, "lock", ".lock", error);
        lock.0.set_len(0).map_err(refused)?;
        Ok(lock)
    }

    /// Writes our process id, which also shows that there is a store.
    pub(super) fn write_pid(&mut self) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        writeln!(self.0, "{}", std::process::id())
    }
}

/// Whether the file is empty or does not exist; SQLite treats a single byte as empty, too.
fn is_empty(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => metadata.len() <= 1,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Creates the file if it does not exist, so that its mode is never wider than 0600; SQLite gives its other files the same
/// mode.
fn create(path: &Path) -> io::Result<()> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Check that it is writable: SQLite would fall back to reading.
            let file = OpenOptions::new().write(true).open(path)?;
            let mode = file.metadata()?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                let store = path.display();
                tracing::warn!(%store, mode = format_args!("{mode:o}"), "other users can read the store; its mode should be 600");
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Whether the file is a new, empty database; refuses other files before anything is changed.
pub(super) fn is_new(connection: &Connection, path: &Path) -> Result<bool, OpenError> {
    let sqlite = |error| OpenError::sqlite(path, error);
    let application: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(sqlite)?;
    let found = schema(connection).map_err(sqlite)?;
    let objects: u32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(sqlite)?;

    let foreign = |reason: &str| OpenError::NotAStore {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    match (application, found, objects) {
        (0, 0, 0) => Ok(true),
        (APPLICATION_ID, SCHEMA, _) => Ok(false),
        (APPLICATION_ID, found, _) if found > SCHEMA => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
        }),
        (APPLICATION_ID, ..) => Err(foreign("it has no schema version")),
        _ => Err(foreign("it is a database of another application")),
    }
}

/// Configures the connection, and creates the tables of a new file; returns the journal mode.
fn prepare(connection: &Connection, is_new: bool) -> rusqlite::Result<String> {
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    // A commit is answered after its log was synced, so a power cut loses no answered commit.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", WAL_PAGES, |_| Ok(()))?;
    connection.set_prepared_statement_cache_capacity(32);
    if is_new {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES}
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA}; COMMIT;"
        ))?;
    }
    Ok(mode)
}

/// Extends the log with zeros, which SQLite treats as its end, and makes the names of the new files durable.
///
/// SQLite uses the length of this file only after a crash, and locks another file, so it may be extended while a
/// connection is open.
fn grow_wal(path: &Path) -> io::Result<()> {
    let mut wal = OpenOptions::new()
        .append(true)
        .open(with_suffix(path, "-wal"))?;
    let missing = WAL_BYTES.saturating_sub(wal.metadata()?.len());
    io::copy(&mut io::repeat(0).take(missing), &mut wal)?;
    wal.sync_all()?;
    sync_parent(path)
}

/// Syncs the folder of a file, which makes the names in it durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    let folder = std::path::absolute(path)?;
    folder
        .parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Runs SQLite's `check`; the inner error is what it found.
pub(super) fn check_integrity(
    connection: &Connection,
    check: &str,
) -> rusqlite::Result<Result<(), String>> {
    let found: String = connection.pragma_query_value(None, check, |row| row.get(0))?;
    Ok(if found == "ok" { Ok(()) } else { Err(found) })
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(connection: &Connection, pragma: &str) -> String {
        let value = connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .unwrap();
        match value {
            rusqlite::types::Value::Integer(value) => value.to_string(),
            rusqlite::types::Value::Text(value) => value,
            other => panic!("{other:?}"),
        }
    }

    // Asks SQLite for the settings by which every commit syncs the log.
    #[test]
    fn every_commit_is_synced_into_a_preallocated_log() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.db");
        let wal = || fs::metadata(with_suffix(&path, "-wal")).unwrap().len();
        for _ in 0..2 {
            let Opened {
                connection, lock, ..
            } = open(&path).unwrap();
            let settings = ["journal_mode", "synchronous", "wal_autocheckpoint"]
                .map(|pragma| text(&connection, pragma));
            assert_eq!(settings, ["wal", "2", "1000"]);
            assert_eq!(wal(), WAL_BYTES);
            // Fills the log several times, in transactions as large as a batch.
            let batch = "INSERT INTO listings
                WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 256)
                SELECT 'n', hex(randomblob(700)) FROM n";
            for _ in 0..32 {
                connection.execute(batch, []).unwrap();
            }
            assert_eq!(wal(), WAL_BYTES, "the log neither grew nor shrank");
            drop((connection, lock));
        }
    }
}
