//! The embedded store: one SQLite file. Every answered commit is durable.
//!
//! One thread writes. It puts all waiting commits, at most 256, into one transaction with a savepoint for each, so that
//! one fsync serves all of them and a conflict rolls back its own commit only. Readers have their own connections and see
//! every answered commit.
//!
//! One process owns the store: `FILE.lock` keeps others out, and stays afterwards as a sign that there was a store. If the
//! files are moved while the store is open, it neither reads nor writes any more.

mod backup;
mod change;
mod file;
mod open_files;
mod reader;
mod restore;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use grantor_core::base::row::{Committed, Index, Key, Row, Version, Write};
use grantor_core::base::time::Timestamp;
use rusqlite::ErrorCode;

use crate::contract::{
    Health, Store, StoreCall, StoreError, admit_keys, admit_writes, first_after,
};

pub use backup::{BackupError, Progress};
use file::Lock;
pub use file::OpenError;
use open_files::OpenFiles;
use reader::Readers;
pub use restore::{Restore, RestoreError, Restored};
pub use writer::Figures;
use writer::Writer;

/// A store in one SQLite file, with its `-wal`, `-shm` and `.lock` next to it.
///
/// Dropping it carries out the queued commits and closes the file, which checkpoints and removes the log.
#[derive(Debug)]
pub struct Sqlite {
    // Dropped from top to bottom: the connection that can write must be closed last, and then the lock freed for the next
    // process.
    readers: Readers,
    writer: Writer,
    files: Arc<OpenFiles>,
    _lock: Lock,
}

impl Sqlite {
    /// Opens the store at `path`, or creates one with mode 0600.
    ///
    /// Blocks: for the start of a process, not for a request.
    ///
    /// # Errors
    /// Another process has it open; there was a store and it is missing; the file is not a store, or has a newer schema
    /// (it is left unchanged); or an I/O error.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let file::Opened {
            files,
            lock,
            connection,
        } = file::open(path.as_ref())?;
        let files = Arc::new(files);
        let writer = Writer::start(connection, Arc::clone(&files))
            .map_err(|error| OpenError::io(files.store(), error))?;
        Ok(Self {
            readers: Readers::new(Arc::clone(&files)),
            writer,
            files,
            _lock: lock,
        })
    }

    /// Counters since the store was opened.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.writer.figures()
    }
}

impl Store for Sqlite {
    fn get(&self, keys: &[Key]) -> StoreCall<'_, Vec<Option<Row>>> {
        let keys = keys.to_vec();
        async move {
            admit_keys(&keys)?;
            self.readers
                .read(|connection| reader::get(connection, &keys))
        }
        .boxed()
    }

    fn list(&self, index: &Index, after: Option<&Key>, limit: usize) -> StoreCall<'_, Vec<Row>> {
        let (index, first) = (index.clone(), first_after(after));
        async move {
            self.readers
                .read(|connection| reader::list(connection, &index, first, limit))
        }
        .boxed()
    }

    fn commit(&self, now: Timestamp, id: Version, writes: Vec<Write>) -> StoreCall<'_, Committed> {
        async move {
            admit_writes(&writes)?;
            self.writer.commit(now, id, writes).await
        }
        .boxed()
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreCall<'_, usize> {
        self.writer.sweep(now, limit).boxed()
    }

    fn check(&self, _now: Timestamp) -> StoreCall<'_, Health> {
        async move {
            self.writer.check()?;
            let schema = self.readers.read(file::schema)?;
            if schema != file::SCHEMA {
                return Err(StoreError::Corrupt(format!(
                    "its schema is now version {schema}, it was opened as {}",
                    file::SCHEMA
                )));
            }
            // The file has no clock.
            Ok(Health {
                schema,
                clock_skew: Duration::ZERO,
            })
        }
        .boxed()
    }
}

/// Maps SQLite's errors.
fn store_error(error: rusqlite::Error) -> StoreError {
    let damaged = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase
            )
        }
        // A column has a value that we never write.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => true,
        _ => false,
    };
    let text = error.to_string();
    if damaged {
        StoreError::Corrupt(text)
    } else {
        StoreError::Unavailable(text)
    }
}

/// A time as SQLite's signed integer; saturates.
fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
