//! Read-only connections, used on the caller's thread.
//!
//! A point read takes about ten microseconds, less than the handover to another thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grantor_core::base::row::{Index, Key, Row, Version};
use grantor_core::base::time::Timestamp;
use rusqlite::{CachedStatement, Connection, OpenFlags, OptionalExtension as _, params};

use super::open_files::OpenFiles;
use super::store_error;
use crate::contract::{StoreError, kind_bounds};

/// The most idle connections that are kept. If more threads read at once, more are opened and closed again.
const MAX_IDLE: usize = 16;

/// The realm of read-only connections.
#[derive(Debug)]
pub(super) struct Readers {
    files: Arc<OpenFiles>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) const fn new(files: Arc<OpenFiles>) -> Self {
        Self {
            files,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Reads with an idle connection or a new one. A connection that failed is not used again.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        // The writer checks at each batch, which is often enough: without writes, the opened file stays current.
        self.files.last_check()?;
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| self.connect(), Ok)?;
        let found = read(&connection).map_err(store_error)?;
        let mut idle = self.idle();
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
        Ok(found)
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        self.files.check()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(self.files.store(), flags).map_err(store_error)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows with these keys, from one snapshot.
pub(super) fn get(connection: &Connection, keys: &[Key]) -> rusqlite::Result<Vec<Option<Row>>> {
    // One statement is its own transaction.
    let _snapshot = if keys.len() > 1 {
        Some(connection.unchecked_transaction()?)
    } else {
        None
    };
    let mut select =
        connection.prepare_cached("SELECT version, expires_at, value FROM rows WHERE key = ?1")?;
    keys.iter().map(|key| get_one(&mut select, key)).collect()
}

fn get_one(select: &mut CachedStatement<'_>, key: &Key) -> rusqlite::Result<Option<Row>> {
    select
        .query_row([key.as_str()], |row| read_row(row, key.clone()))
        .optional()
}

/// The rows of an index from the key `first` on.
pub(super) fn list(
    connection: &Connection,
    index: &Index,
    first: String,
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let to_row =
        |row: &rusqlite::Row<'_>| read_row(row, Key::from_stored(row.get_ref(3)?.as_str()?));
    match index {
        Index::Kind { realm, kind } => {
            let (low, end) = kind_bounds(realm, kind);
            connection
                .prepare_cached(
                    "SELECT version, expires_at, value, key FROM rows
                     WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3",
                )?
                .query_map(params![low.max(first), end, limit], to_row)?
                .collect()
        }
        Index::Named(name) => connection
            .prepare_cached(
                "SELECT version, expires_at, value, key FROM listings JOIN rows USING (key)
                 WHERE name = ?1 AND key >= ?2 ORDER BY key LIMIT ?3",
            )?
            .query_map(params![name.as_str(), first, limit], to_row)?
            .collect(),
    }
}

/// Reads the columns `version, expires_at, value`.
fn read_row(row: &rusqlite::Row<'_>, key: Key) -> rusqlite::Result<Row> {
    Ok(Row {
        key,
        version: Version::from_bytes(row.get(0)?),
        expires_at: read_timestamp(row, 1)?,
        value: row.get_ref(2)?.as_blob()?.into(),
    })
}

/// Reads a column of milliseconds or null.
pub(super) fn read_timestamp(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<Timestamp>> {
    let Some(millis) = row.get::<_, Option<i64>>(column)? else {
        return Ok(None);
    };
    let millis = u64::try_from(millis)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, millis))?;
    Ok(Some(Timestamp::from_millis(millis)))
}
