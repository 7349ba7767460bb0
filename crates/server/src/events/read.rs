//! Pages of events, newest first, across the day files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::base::time::Timestamp;
use grantor_web::{EventFilter, EventLogError, EventPage, EventQuery};
use jiff::Span;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use rusqlite::types::ValueRef;
use rusqlite::{ErrorCode, Row, params_from_iter};
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use super::day_file::{self, DayFileError, first_id};
use super::journal::{SUFFIX, date_of};
use crate::cause::Causes;

/// How many rows a page looks at, whatever it finds.
pub(super) const MAX_ROWS: usize = 10_000;
/// As how many rows the opening of a file counts.
const FILE_ROWS: usize = 100;
/// Pages that are read at the same time: more would only take the processor from requests.
const MAX_READERS: usize = 2;

/// The folder of day files, for reading.
#[derive(Debug)]
pub(super) struct DayFiles {
    folder: PathBuf,
    readers: Semaphore,
}

/// A page, and what it cost.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) events: Vec<Json>,
    /// All ids from this one on were looked at. `None` at the end.
    pub(super) next: Option<i64>,
    pub(super) rows: usize,
}

impl DayFiles {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            readers: Semaphore::new(MAX_READERS),
        }
    }

    /// Runs `read` on a thread that may block.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T, EventLogError> + Send + 'static,
    ) -> Result<T, EventLogError> {
        let _reader = self.readers.acquire().await;
        let files = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || read(&files)).await;
        done.unwrap_or_else(|error| Err(EventLogError::Unavailable(error.to_string())))
    }

    pub(super) fn page(&self, query: &EventQuery) -> Result<EventPage, EventLogError> {
        let after = query.after.as_deref();
        let before =
            after.map(|cursor| open_cursor(&query.filter, cursor).ok_or(EventLogError::Cursor));
        let found = self.find(&query.filter, before.transpose()?, query.limit)?;
        Ok(EventPage {
            events: found.events,
            next: found.next.map(|next| cursor(&query.filter, next)),
        })
    }

    /// Looks at the events with ids below `before`.
    pub(super) fn find(
        &self,
        filter: &EventFilter,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Found, EventLogError> {
        let mut found = Found::default();
        let until = filter.until.map_or(i64::MAX, first_id);
        let before = before.map_or(until, |before| before.min(until));
        let since = filter.since.map_or(0, first_id);
        for (date, file) in self.newest_first()? {
            let end = before.min(first_id(midnight(date.saturating_add(Span::new().days(1)))));
            let start = first_id(midnight(date)).max(since);
            if start >= before {
                continue;
            }
            if end <= start {
                break;
            }
            if found.rows + FILE_ROWS > MAX_ROWS {
                found.next = Some(end);
                break;
            }
            found.rows += FILE_ROWS;
            match find_in(&file, filter, start..end, limit, &mut found) {
                Ok(()) => {}
                Err(error) if is_passed_over(&error) => {
                    tracing::warn!(file = %file.display(), error = %Causes(&error), "a file of events cannot be read");
                }
                Err(error) => return Err(EventLogError::Unavailable(Causes(&error).to_string())),
            }
            if found.next.is_some() {
                break;
            }
        }
        Ok(found)
    }

    fn newest_first(&self) -> Result<Vec<(Date, PathBuf)>, EventLogError> {
        let failed = |error: std::io::Error| EventLogError::Unavailable(error.to_string());
        let files = fs::read_dir(&self.folder).map_err(failed)?;
        let dated = files.flatten().filter_map(|file| {
            let date = date_of(file.file_name().to_str()?, SUFFIX)?;
            Some((date, file.path()))
        });
        let mut days: Vec<_> = dated.collect();
        days.sort_by_key(|(date, _)| std::cmp::Reverse(*date));
        Ok(days)
    }
}

/// Adds what a file has. Sets `next` where the page is full, or has cost what it may.
fn find_in(
    file: &Path,
    filter: &EventFilter,
    ids: std::ops::Range<i64>,
    limit: usize,
    found: &mut Found,
) -> Result<(), DayFileError> {
    let connection = day_file::connect(file)?;
    connection.pragma_update(None, "query_only", true)?;
    let user = filter.user.map(|user| user.to_string());
    let kind = filter.kind.map(|kind| kind.to_string());
    let outcome = filter.outcome.map(|outcome| outcome.to_string());
    // In the order of the columns. The first four have an index.
    let conditions = [
        ("trace_id", filter.trace_id.as_deref()),
        ("user", user.as_deref()),
        ("client", filter.client.as_deref()),
        ("organization", filter.organization.as_deref()),
        ("kind", kind.as_deref()),
        ("outcome", outcome.as_deref()),
    ];
    let indexed = conditions[..4].iter().find_map(|(column, value)| {
        let index = column.trim_end_matches("_id");
        Some((*column, index, (*value)?))
    });
    let (by, and) = match indexed {
        Some((column, index, _)) => (
            format!("INDEXED BY events_by_{index}"),
            format!("AND {column} = ?3"),
        ),
        None => ("NOT INDEXED".to_owned(), String::new()),
    };
    let mut select = connection.prepare(&format!(
        "SELECT trace_id, user, client, organization, kind, outcome, line, id FROM events {by}
         WHERE id >= ?1 AND id < ?2 {and} ORDER BY id DESC"
    ))?;
    let bounds = [ids.start.into(), ids.end.into()];
    let value = indexed.map(|(_, _, value)| rusqlite::types::Value::from(value.to_owned()));
    let mut rows = select.query(params_from_iter(bounds.into_iter().chain(value)))?;
    while let Some(row) = rows.next()? {
        found.rows += 1;
        let id = row.get(7)?;
        if matches(row, &conditions.map(|(_, value)| value))?
            && let Ok(event) = serde_json::from_str(row.get_ref(6)?.as_str().unwrap_or_default())
        {
            found.events.push(event);
        }
        if found.events.len() >= limit || found.rows >= MAX_ROWS {
            found.next = Some(id);
            break;
        }
    }
    Ok(())
}

fn matches(row: &Row<'_>, values: &[Option<&str>]) -> rusqlite::Result<bool> {
    for (column, value) in values.iter().enumerate() {
        if let Some(value) = value
            && row.get_ref(column)? != ValueRef::Text(value.as_bytes())
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the other days are read nevertheless: it is damaged or not ours, was deleted meanwhile, or has no table yet.
fn is_passed_over(error: &DayFileError) -> bool {
    match error {
        DayFileError::Foreign | DayFileError::Damaged(_) => true,
        DayFileError::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        DayFileError::Sqlite(error) => error.sqlite_error_code() == Some(ErrorCode::Unknown),
    }
}

fn midnight(date: Date) -> Timestamp {
    let midnight = TimeZone::UTC.to_timestamp(date.to_datetime(Time::midnight()));
    let millis = midnight.ok().map(|at| at.as_millisecond());
    let millis = millis.and_then(|millis| u64::try_from(millis).ok());
    Timestamp::from_millis(millis.unwrap_or_default())
}

/// An id, and a hash that binds it to the filter: another list's cursor is refused, instead of passing over events. It
/// gives no rights, so it needs no key.
fn cursor(filter: &EventFilter, before: i64) -> String {
    let mut bytes = before.to_be_bytes().to_vec();
    bytes.extend(binding(filter, before));
    URL_SAFE_NO_PAD.encode(bytes)
}

fn open_cursor(filter: &EventFilter, text: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (before, bound) = bytes.split_first_chunk()?;
    let before = i64::from_be_bytes(*before);
    (bound == binding(filter, before)).then_some(before)
}

fn binding(filter: &EventFilter, before: i64) -> [u8; 8] {
    // Our own types always serialise.
    let text = serde_json::to_vec(&("events", filter, before)).unwrap_or_default();
    let hash = digest::digest(&digest::SHA256, &text);
    let mut bound = [0; 8];
    bound.copy_from_slice(&hash.as_ref()[..8]);
    bound
}
