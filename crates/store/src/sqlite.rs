//! The embedded store: one SQLite file, durable at every answer.
//!
//! One thread writes. It takes all commits that wait, at most 256, into one transaction with a
//! savepoint each, so that one fsync serves them all and a conflict undoes its own commit only.
//! Readers have connections of their own and see every commit that was answered.
//!
//! A process owns its store: `FILE.lock` keeps a second one out, and stays behind to tell that a
//! store was here. While it is open its files may not be moved: it then neither reads nor writes.

mod backup;
mod change;
mod file;
mod place;
mod reader;
mod restore;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use grantor_core::base::row::{Committed, Index, Key, Row, Version, Write};
use grantor_core::base::time::Timestamp;
use rusqlite::ErrorCode;

use crate::contract::{Health, Store, StoreError, admit_keys, admit_writes, first_after};

pub use backup::{BackupError, Progress};
use file::Lock;
pub use file::OpenError;
use place::Place;
use reader::Readers;
pub use restore::{Restore, RestoreError, Restored};
pub use writer::Figures;
use writer::Writer;

/// A store in one SQLite file, with its `-wal`, `-shm` and `.lock` beside it.
///
/// Dropping it carries out what is queued, then closes the file: its log is folded in and removed.
#[derive(Debug)]
pub struct Sqlite {
    // Dropped from top to bottom: the last connection to close must be the one that can write,
    // and the next process may come only after it.
    readers: Readers,
    writer: Writer,
    place: Arc<Place>,
    _lock: Lock,
}

impl Sqlite {
    /// Opens the store at `path`; where there is none, makes one, with mode 0600.
    ///
    /// Blocks while the file is prepared: for the start of a process, not for a request.
    ///
    /// # Errors
    /// When another process has it open; when a store was here and is gone; when the file is no
    /// store of ours, or one of a later version (it is then left as it was); or when the system
    /// refuses.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let file::Opened {
            place,
            lock,
            connection,
        } = file::open(path.as_ref())?;
        let place = Arc::new(place);
        let writer = Writer::start(connection, Arc::clone(&place))
            .map_err(|error| OpenError::io(place.store(), error))?;
        Ok(Self {
            readers: Readers::new(Arc::clone(&place)),
            writer,
            place,
            _lock: lock,
        })
    }
}

impl Sqlite {
    /// What it has done since it was opened.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.writer.figures()
    }
}

impl Store for Sqlite {
    fn get(&self, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Row>>, StoreError>> {
        let keys = keys.to_vec();
        async move {
            admit_keys(&keys)?;
            self.readers
                .read(|connection| reader::get(connection, &keys))
        }
        .boxed()
    }

    fn list(
        &self,
        index: &Index,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        let (index, first) = (index.clone(), first_after(after));
        async move {
            self.readers
                .read(|connection| reader::list(connection, &index, first, limit))
        }
        .boxed()
    }

    fn commit(
        &self,
        now: Timestamp,
        id: Version,
        writes: Vec<Write>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        async move {
            admit_writes(&writes)?;
            self.writer.commit(now, id, writes).await
        }
        .boxed()
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        self.writer.sweep(now, limit).boxed()
    }

    fn check(&self, _now: Timestamp) -> BoxFuture<'_, Result<Health, StoreError>> {
        async move {
            self.writer.check()?;
            let schema = self.readers.read(file::schema)?;
            if schema != file::SCHEMA {
                return Err(StoreError::Corrupt(format!(
                    "its schema is now version {schema}, it was opened as {}",
                    file::SCHEMA
                )));
            }
            // The file has no clock but this machine's.
            Ok(Health {
                schema,
                clock_skew: Duration::ZERO,
            })
        }
        .boxed()
    }
}

/// Sorts SQLite's errors into ours.
fn store_error(error: rusqlite::Error) -> StoreError {
    let damaged = match &error {
        rusqlite::Error::SqliteFailure(failure, _) => {
            matches!(
                failure.code,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase
            )
        }
        // A column is not what we write into it.
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

/// A moment as SQLite's signed integer; the last 292 million years of `Timestamp` are one.
fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
