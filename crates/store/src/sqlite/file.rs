//! The file: whose it is, who may open it, how it is laid out.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::place::Place;
use crate::contract::StoreError;

/// The version of the schema below, kept in `PRAGMA user_version`.
pub(super) const SCHEMA: u32 = 1;
/// "Grnt", kept in `PRAGMA application_id`: tells our files from those of others.
pub(super) const APPLICATION_ID: i32 = 0x4772_6e74;

// Tables with rowids, although the keys are unique text: with a record of some hundred bytes in
// the key's own tree, inserts cost twice the time. `indexes` repeats what `listings` says of the
// row, so that an update which changes none of it need not look there.
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

/// A log this long is overwritten in place, which takes half the time of appending to it.
const WAL_BYTES: u64 = 8 << 20;
/// After so many pages the log is folded into the file and begun anew: 4 MiB, so that a batch of
/// usual commits, some 800 pages, still finds room in `WAL_BYTES`. A larger one lengthens the log.
const WAL_PAGES: u32 = 1000;

/// Why a file cannot be opened as a store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the store {} is in use by {holder}: one process owns a store at a time", path.display())]
    InUse {
        /// The store.
        path: PathBuf,
        /// Who has it, as far as its lock file says.
        holder: String,
    },
    /// A store was here, and is no more.
    #[error(
        "the store {} is gone or empty, and {} tells that it was here: bring the store back, or \
         remove the latter to begin a new store",
        path.display(),
        left.display()
    )]
    Gone {
        /// The store.
        path: PathBuf,
        /// What it left behind.
        left: PathBuf,
    },
    /// The file is not one of ours, or is damaged; it was left as it is.
    #[error("{} is not a Grantor store, or is damaged ({reason}); it was left as it is", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A later Grantor wrote it; it was left as it is.
    #[error(
        "the store {} has schema version {found}, and this Grantor knows versions up to {SCHEMA}: \
         use the Grantor that wrote it, or a later one",
        path.display()
    )]
    Newer {
        /// The store.
        path: PathBuf,
        /// The version it says it has.
        found: u32,
    },
    /// The system or SQLite refused.
    #[error("cannot open the store {}: {reason}", path.display())]
    Refused {
        /// The store.
        path: PathBuf,
        /// Its answer.
        reason: String,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Refused {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }

    /// An error of the file with this suffix, which is called `its`.
    fn beside(store: &Path, its: &str, suffix: &str, error: io::Error) -> Self {
        Self::Refused {
            path: store.to_owned(),
            reason: format!("its {its} {}: {error}", beside(store, suffix).display()),
        }
    }

    pub(super) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        let (path, mut reason) = (path.to_owned(), error.to_string());
        // The file itself may be written: `create` has seen it.
        if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) {
            reason = format!("its log cannot be made beside it ({reason})");
        }
        match super::store_error(error) {
            StoreError::Corrupt(_) => Self::NotAStore { path, reason },
            StoreError::Unavailable(_) | StoreError::Misuse(_) => Self::Refused { path, reason },
        }
    }
}

/// A store that is ours alone, ready to be written.
pub(super) struct Opened {
    pub(super) place: Place,
    pub(super) lock: Lock,
    pub(super) connection: Connection,
}

pub(super) fn open(path: &Path) -> Result<Opened, OpenError> {
    // Absolute, or SQLite would read a name that begins with `file:` as a URI.
    let path = std::path::absolute(path).map_err(|error| OpenError::io(path, error))?;
    let mut lock = Lock::take(&path)?;
    let io = |error| OpenError::io(&path, error);
    create(&path).map_err(io)?;

    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags)
        .map_err(|error| OpenError::sqlite(&path, error))?;
    let fresh = is_fresh(&connection, &path)?;
    let mode = prepare(&connection, fresh).map_err(|error| OpenError::sqlite(&path, error))?;
    if mode != "wal" {
        let reason =
            "its file system has no shared memory, which a write-ahead log needs".to_owned();
        return Err(OpenError::Refused { path, reason });
    }
    grow_wal(&path).map_err(|error| OpenError::beside(&path, "log", "-wal", error))?;
    lock.sign().map_err(io)?;
    Ok(Opened {
        place: Place::of(&path).map_err(io)?,
        lock,
        connection,
    })
}

/// The version of the schema that the file says it has.
pub(super) fn schema(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The lock file, held as long as the store is open; the system frees it when the process ends.
///
/// It stays behind, with the last holder's number in it once that has seen a whole store here.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock, whatever is beside it; says who had it last.
    pub(super) fn hold(store: &Path) -> Result<(Self, String), OpenError> {
        let path = beside(store, ".lock");
        let refused = |error| OpenError::beside(store, "lock", ".lock", error);
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
        // A holder that is not yet done with opening stays unnamed.
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

    /// Takes the lock of a store that is there, or of none.
    fn take(store: &Path) -> Result<Self, OpenError> {
        let (lock, holder) = Self::hold(store)?;
        let path = beside(store, ".lock");
        // SQLite would begin a new store here, and delete the log of the one that is gone.
        let log = beside(store, "-wal");
        let left = [(holder.is_empty(), path.clone()), (is_empty(&log), log)];
        if is_empty(store)
            && let Some((_, left)) = left.into_iter().find(|(empty, _)| !empty)
        {
            return Err(OpenError::Gone {
                path: store.to_owned(),
                left,
            });
        }
        let refused = |error| OpenError::beside(store, "lock", ".lock", error);
        lock.0.set_len(0).map_err(refused)?;
        Ok(lock)
    }

    /// Says who holds it, and so that there is a store.
    pub(super) fn sign(&mut self) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        writeln!(self.0, "{}", std::process::id())
    }
}

/// Whether there is nothing in a file, or no file; SQLite takes a single byte for nothing, too.
fn is_empty(path: &Path) -> bool {
    match fs::metadata(path) {
        Ok(metadata) => metadata.len() <= 1,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Makes the file where there is none, so that it never has a wider mode than 0600, not even for
/// a moment; SQLite gives its other files the mode of this one.
fn create(path: &Path) -> io::Result<()> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // To be written: SQLite would be content with reading.
            let file = OpenOptions::new().write(true).open(path)?;
            let mode = file.metadata()?.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                let store = path.display();
                tracing::warn!(%store, mode = format_args!("{mode:o}"), "others may read the store; its mode should be 600");
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Whether nothing was ever written here; refuses what is not ours before anything is changed.
pub(super) fn is_fresh(connection: &Connection, path: &Path) -> Result<bool, OpenError> {
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

/// Sets the connection up, and the file where it is fresh; says which journal it keeps.
fn prepare(connection: &Connection, fresh: bool) -> rusqlite::Result<String> {
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    // An answer means that the log was synced; what a power cut takes was never answered.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", WAL_PAGES, |_| Ok(()))?;
    connection.set_prepared_statement_cache_capacity(32);
    if fresh {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES}
             PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA}; COMMIT;"
        ))?;
    }
    Ok(mode)
}

/// Lengthens the log with zeros, which SQLite takes for its end, and makes the new files' names durable.
///
/// SQLite reads this file for its length after a crash only, and locks another one, so it may be
/// extended under an open connection.
fn grow_wal(path: &Path) -> io::Result<()> {
    let mut wal = OpenOptions::new().append(true).open(beside(path, "-wal"))?;
    let missing = WAL_BYTES.saturating_sub(wal.metadata()?.len());
    io::copy(&mut io::repeat(0).take(missing), &mut wal)?;
    wal.sync_all()?;
    sync_folder(path)
}

/// Makes the names in a file's folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = std::path::absolute(path)?;
    folder
        .parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// What SQLite's `check` finds wrong, in its words.
pub(super) fn is_sound(
    connection: &Connection,
    check: &str,
) -> rusqlite::Result<Result<(), String>> {
    let found: String = connection.pragma_query_value(None, check, |row| row.get(0))?;
    Ok(if found == "ok" { Ok(()) } else { Err(found) })
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
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

    // What a power cut would show, asked of SQLite: every commit syncs the log.
    #[test]
    fn every_commit_is_synced_into_a_log_that_is_there_already() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.db");
        let wal = || fs::metadata(beside(&path, "-wal")).unwrap().len();
        for _ in 0..2 {
            let Opened {
                connection, lock, ..
            } = open(&path).unwrap();
            let settings = ["journal_mode", "synchronous", "wal_autocheckpoint"]
                .map(|pragma| text(&connection, pragma));
            assert_eq!(settings, ["wal", "2", "1000"]);
            assert_eq!(wal(), WAL_BYTES);
            // Some times round the log, in transactions as large as a batch.
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
