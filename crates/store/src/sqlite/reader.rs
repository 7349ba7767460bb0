//! Reading: connections that cannot write, used where the caller is.
//!
//! A point read takes some ten microseconds, less than handing it to another thread would.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grantor_core::base::row::{Index, Key, Row, Version};
use grantor_core::base::time::Timestamp;
use rusqlite::{CachedStatement, Connection, OpenFlags, OptionalExtension as _, params};

use super::place::Place;
use super::store_error;
use crate::contract::{StoreError, kind_bounds};

/// So many connections are kept; more are opened, and closed again, when more threads read at once.
const IDLE: usize = 16;

/// The reading connections.
#[derive(Debug)]
pub(super) struct Readers {
    place: Arc<Place>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) const fn new(place: Arc<Place>) -> Self {
        Self {
            place,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Reads with a connection that nobody else uses meanwhile; one that failed is not used again.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        // The writer looks at each batch, which is often enough: where nothing is written, what
        // was opened stays right.
        self.place.last_check()?;
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| self.connect(), Ok)?;
        let found = read(&connection).map_err(store_error)?;
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        Ok(found)
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        self.place.check()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(self.place.store(), flags).map_err(store_error)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows of these keys, all as they were at one moment.
pub(super) fn get(connection: &Connection, keys: &[Key]) -> rusqlite::Result<Vec<Option<Row>>> {
    // One statement is its own transaction.
    let _moment = if keys.len() > 1 {
        Some(connection.unchecked_transaction()?)
    } else {
        None
    };
    let mut select =
        connection.prepare_cached("SELECT version, expires_at, value FROM rows WHERE key = ?1")?;
    keys.iter().map(|key| one(&mut select, key)).collect()
}

fn one(select: &mut CachedStatement<'_>, key: &Key) -> rusqlite::Result<Option<Row>> {
    select
        .query_row([key.as_str()], |row| read_row(row, key.clone()))
        .optional()
}

/// The rows that an index lists from the key `first` on.
pub(super) fn list(
    connection: &Connection,
    index: &Index,
    first: String,
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let give = |row: &rusqlite::Row<'_>| read_row(row, Key::from_stored(row.get_ref(3)?.as_str()?));
    match index {
        Index::Kind { realm, kind } => {
            let (low, end) = kind_bounds(realm, kind);
            connection
                .prepare_cached(
                    "SELECT version, expires_at, value, key FROM rows
                     WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3",
                )?
                .query_map(params![low.max(first), end, limit], give)?
                .collect()
        }
        Index::Named(name) => connection
            .prepare_cached(
                "SELECT version, expires_at, value, key FROM listings JOIN rows USING (key)
                 WHERE name = ?1 AND key >= ?2 ORDER BY key LIMIT ?3",
            )?
            .query_map(params![name.as_str(), first, limit], give)?
            .collect(),
    }
}

/// Reads the columns `version, expires_at, value`.
fn read_row(row: &rusqlite::Row<'_>, key: Key) -> rusqlite::Result<Row> {
    Ok(Row {
        key,
        version: Version::from_bytes(row.get(0)?),
        expires_at: moment(row, 1)?,
        value: row.get_ref(2)?.as_blob()?.into(),
    })
}

/// Reads a column that holds milliseconds or nothing.
pub(super) fn moment(
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
