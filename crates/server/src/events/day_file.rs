//! A day's file: an SQLite database with a row for each event, indexed by trace, user, client and organization.
//!
//! Other processes may have it open, and SQLite's locks on it go when any handle of this process to it is closed: so it is
//! never opened but by SQLite, once it is there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use grantor_core::base::time::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, params};

use super::journal::Line;
use crate::files::{folder_of, foreign_owner};

/// "Grne", stored as `PRAGMA application_id`.
const APPLICATION_ID: i32 = 0x4772_6e65;
/// Stored as `PRAGMA user_version`.
const SCHEMA: i32 = 1;
const TABLES: &str = "
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        trace_id TEXT,
        kind TEXT NOT NULL,
        outcome TEXT NOT NULL,
        client TEXT,
        user TEXT,
        organization TEXT,
        line TEXT NOT NULL
    ) STRICT;
    CREATE INDEX events_by_trace ON events (trace_id) WHERE trace_id IS NOT NULL;
    CREATE INDEX events_by_user ON events (user) WHERE user IS NOT NULL;
    CREATE INDEX events_by_client ON events (client) WHERE client IS NOT NULL;
    CREATE INDEX events_by_organization ON events (organization) WHERE organization IS NOT NULL;
";
const PAGE_BYTES: u64 = 4096;
/// Checkpoint after so many pages of the log, 4 MiB.
const LOG_PAGES: u32 = 1024;
/// An id is the time in milliseconds and a number below this, so that rows are in the order of time.
const IDS_OF_A_MILLISECOND: i64 = 1 << 20;
/// How long a connection waits for another one, which is as good as never.
const BUSY: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub(super) enum DayFileError {
    /// A link, another kind of file, or one with another owner or another name.
    #[error("the file of the day is not one of this server")]
    Foreign,
    /// It is damaged, or not a file of events.
    #[error("the file of the day is damaged, or of another program or version")]
    Damaged(#[source] Option<rusqlite::Error>),
    #[error("SQLite failed")]
    Sqlite(#[source] rusqlite::Error),
    #[error("I/O error")]
    Io(#[from] io::Error),
}

impl From<rusqlite::Error> for DayFileError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(Some(error))
            }
            _ => Self::Sqlite(error),
        }
    }
}

/// The file that is written.
#[derive(Debug)]
pub(super) struct DayFile {
    connection: Connection,
    /// The write-ahead log, for [`Self::sync`]; a file system without shared memory has none.
    log: Option<File>,
    last_id: i64,
}

impl DayFile {
    /// Opens the file, or creates it with mode 0600. Only a file of ours with no other name is taken. It does not grow
    /// beyond `max_bytes`.
    pub(super) fn open(path: &Path, max_bytes: u64) -> Result<Self, DayFileError> {
        let create = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        match create {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
        let connection = connect(path)?;
        let application: i32 = pragma(&connection, "application_id")?;
        let schema: i32 = pragma(&connection, "user_version")?;
        let objects: u32 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let is_new = (application, schema, objects) == (0, 0, 0);
        if !is_new && (application, schema) != (APPLICATION_ID, SCHEMA) {
            return Err(DayFileError::Damaged(None));
        }
        // In this mode the log is not synced by each commit: the thread does that, and a crash leaves a file that is whole.
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
        let max_pages = i64::try_from(max_bytes / PAGE_BYTES).unwrap_or(i64::MAX);
        let max_pages = max_pages.min(i64::from(u32::MAX) - 1);
        connection.pragma_update_and_check(None, "max_page_count", max_pages, |_| Ok(()))?;
        if is_new {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {TABLES}
                 PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA}; COMMIT;"
            ))?;
        }
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self {
            connection,
            // SQLite locks another file.
            log: File::open(PathBuf::from(log)).ok(),
            last_id: 0,
        })
    }

    pub(super) fn bytes(&self) -> rusqlite::Result<u64> {
        let pages: u32 = pragma(&self.connection, "page_count")?;
        Ok(u64::from(pages) * PAGE_BYTES)
    }

    /// Writes all lines or none.
    pub(super) fn write(&mut self, lines: &[&Line]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for line in lines {
            let (first, end) = (first_id(line.at), first_id(line.at) + IDS_OF_A_MILLISECOND);
            let mut id = match self.last_id + 1 {
                next if (first..end).contains(&next) => next,
                _ => first,
            };
            while !insert(&transaction, id, line)? {
                let taken = "SELECT max(id) FROM events WHERE id >= ?1 AND id < ?2";
                let mut taken = transaction.prepare_cached(taken)?;
                let last: Option<i64> = taken.query_row([first, end], |row| row.get(0))?;
                id = last.unwrap_or(first) + 1;
            }
            self.last_id = id;
        }
        transaction.commit()
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.log.as_ref().map_or(Ok(()), File::sync_data)
    }

    /// Brings the log into the file, and both to the disk.
    pub(super) fn close(self) -> Result<(), DayFileError> {
        self.sync()?;
        let checkpoint = "PRAGMA wal_checkpoint(truncate)";
        self.connection.query_row(checkpoint, [], |_| Ok(()))?;
        Ok(self.connection.close().map_err(|(_, error)| error)?)
    }
}

/// Whether the id was free.
fn insert(connection: &Connection, id: i64, line: &Line) -> rusqlite::Result<bool> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO events (id, at, trace_id, kind, outcome, client, user, organization, line)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING",
    )?;
    let inserted = insert.execute(params![
        id,
        millis(line.at),
        line.trace_id,
        line.kind.to_string(),
        line.kind.outcome().to_string(),
        line.client,
        line.user,
        line.organization,
        line.text,
    ])?;
    Ok(inserted == 1)
}

/// The most that a line adds to the file: rows come in the order of their ids, entries of indexes at random, so that their
/// pages are half full at times.
pub(super) fn cost(line: &Line) -> u64 {
    let indexed = [&line.trace_id, &line.client, &line.user].map(Option::as_deref);
    let indexed = indexed.into_iter().chain([line.organization.as_deref()]);
    let (mut names, mut entries) = (0, 0);
    for name in indexed.flatten() {
        let length = name.len() as u64;
        names += length;
        entries += 2 * (length + 16);
    }
    let row = line.text.len() as u64 + names + 80;
    // A row that is longer than a page has pages of its own.
    let pages = if row > PAGE_BYTES / 2 { PAGE_BYTES } else { 0 };
    row + row / 4 + entries + pages
}

/// Opens a file that is there.
pub(super) fn connect(path: &Path) -> Result<Connection, DayFileError> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_file()
        || found.nlink() != 1
        || foreign_owner(&found, folder_of(folder_of(path))).is_some()
    {
        return Err(DayFileError::Foreign);
    }
    // Absolute, or SQLite would read a name that begins with `file:` as a URI.
    let path = std::path::absolute(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

fn pragma<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<T> {
    connection.pragma_query_value(None, name, |row| row.get(0))
}

/// The first id of a moment.
pub(super) fn first_id(at: Timestamp) -> i64 {
    millis(at) * IDS_OF_A_MILLISECOND
}

fn millis(at: Timestamp) -> i64 {
    const MAX: i64 = i64::MAX / IDS_OF_A_MILLISECOND - 1;
    i64::try_from(at.as_millis()).map_or(MAX, |millis| millis.min(MAX))
}
