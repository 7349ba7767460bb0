//! The statements of one commit and of one sweep.

use std::str;

use grantor_core::base::row::{IndexName, Key, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::{millis, reader};

/// Carries out one write; false, with nothing written, if the row is not as the write expects.
pub(super) fn apply(
    connection: &Connection,
    now: Timestamp,
    id: Version,
    write: &Write,
) -> Result<bool> {
    match write {
        Write::Insert(row) => insert(connection, now, id, row),
        Write::Update { row, expect } => update(connection, id, row, *expect),
        Write::Delete { key, expect } => delete(connection, key, *expect),
        Write::Check { key, expect } => connection
            .prepare_cached("SELECT 1 FROM rows WHERE key = ?1 AND version = ?2")?
            .exists(params![key.as_str(), expect.as_bytes()]),
    }
}

/// Deletes at most `limit` rows that expired at `until` or earlier; returns their number.
pub(super) fn sweep(connection: &Connection, until: Timestamp, limit: usize) -> Result<usize> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut delete = connection.prepare_cached(
        "DELETE FROM rows
         WHERE id IN (SELECT id FROM rows WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
         RETURNING key, indexes",
    )?;
    let mut gone = delete.query(params![millis(until), limit])?;
    let mut count = 0;
    while let Some(row) = gone.next()? {
        update_listings(
            connection,
            row.get_ref(0)?.as_str()?,
            row.get_ref(1)?.as_blob()?,
            &[],
        )?;
        count += 1;
    }
    Ok(count)
}

fn insert(connection: &Connection, now: Timestamp, id: Version, new: &NewRow) -> Result<bool> {
    let indexes = pack(&new.indexes);
    let inserted = connection
        .prepare_cached(
            "INSERT INTO rows (key, version, expires_at, value, indexes) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (key) DO NOTHING",
        )?
        .execute(params![new.key.as_str(), id.as_bytes(), new.expires_at.map(millis), &*new.value, indexes])?;
    if inserted == 1 {
        update_listings(connection, new.key.as_str(), &[], &indexes)?;
        return Ok(true);
    }
    match find(connection, &new.key)? {
        Some(old) if old.expires_at.is_some_and(|at| at.is_past(now)) => {
            replace(connection, id, new, &old.indexes, &indexes)
        }
        _ => Ok(false),
    }
}

fn update(connection: &Connection, id: Version, new: &NewRow, expect: Version) -> Result<bool> {
    let indexes = pack(&new.indexes);
    // Nearly every update keeps the indexes and needs only this statement.
    let updated = connection
        .prepare_cached(
            "UPDATE rows SET version = ?2, expires_at = ?3, value = ?4
             WHERE key = ?1 AND version = ?5 AND indexes = ?6",
        )?
        .execute(params![
            new.key.as_str(),
            id.as_bytes(),
            new.expires_at.map(millis),
            &*new.value,
            expect.as_bytes(),
            indexes
        ])?;
    if updated == 1 {
        return Ok(true);
    }
    match find(connection, &new.key)? {
        Some(old) if old.version == expect => replace(connection, id, new, &old.indexes, &indexes),
        _ => Ok(false),
    }
}

fn delete(connection: &Connection, key: &Key, expect: Version) -> Result<bool> {
    let deleted: Option<Vec<u8>> = connection
        .prepare_cached("DELETE FROM rows WHERE key = ?1 AND version = ?2 RETURNING indexes")?
        .query_row(params![key.as_str(), expect.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(indexes) = deleted else {
        return Ok(false);
    };
    update_listings(connection, key.as_str(), &indexes, &[])?;
    Ok(true)
}

/// The columns of an existing row that a write may need.
struct ExistingRow {
    version: Version,
    expires_at: Option<Timestamp>,
    indexes: Vec<u8>,
}

fn find(connection: &Connection, key: &Key) -> Result<Option<ExistingRow>> {
    connection
        .prepare_cached("SELECT version, expires_at, indexes FROM rows WHERE key = ?1")?
        .query_row([key.as_str()], |row| {
            Ok(ExistingRow {
                version: Version::from_bytes(row.get(0)?),
                expires_at: reader::read_timestamp(row, 1)?,
                indexes: row.get(2)?,
            })
        })
        .optional()
}

fn replace(
    connection: &Connection,
    id: Version,
    new: &NewRow,
    old_indexes: &[u8],
    indexes: &[u8],
) -> Result<bool> {
    connection
        .prepare_cached("UPDATE rows SET version = ?2, expires_at = ?3, value = ?4, indexes = ?5 WHERE key = ?1")?
        .execute(params![new.key.as_str(), id.as_bytes(), new.expires_at.map(millis), &*new.value, indexes])?;
    update_listings(connection, new.key.as_str(), old_indexes, indexes)?;
    Ok(true)
}

/// Removes a row from the indexes that it is no longer in, and adds it to the new ones.
fn update_listings(connection: &Connection, key: &str, old: &[u8], new: &[u8]) -> Result<()> {
    let (old, new) = (unpack(old)?, unpack(new)?);
    for name in old.iter().filter(|name| !new.contains(name)) {
        connection
            .prepare_cached("DELETE FROM listings WHERE name = ?1 AND key = ?2")?
            .execute([name, key])?;
    }
    for name in new.iter().filter(|name| !old.contains(name)) {
        connection
            .prepare_cached("INSERT INTO listings (name, key) VALUES (?1, ?2)")?
            .execute([name, key])?;
    }
    Ok(())
}

/// A byte that no UTF-8 text contains.
const SEPARATOR: u8 = 0xff;

/// The names as one value; equal sets have equal values.
fn pack(names: &[IndexName]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = names.iter().map(|name| name.as_str().as_bytes()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(&SEPARATOR)
}

fn unpack(packed: &[u8]) -> Result<Vec<&str>> {
    if packed.is_empty() {
        return Ok(Vec::new());
    }
    packed
        .split(|byte| *byte == SEPARATOR)
        .map(|name| str::from_utf8(name).map_err(|error| rusqlite::Error::Utf8Error(0, error)))
        .collect()
}
