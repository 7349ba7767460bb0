//! Day files: `YYYY-MM-DD.db` of limited size, written by one thread, kept for 30 days.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use super::day_file::{DayFile, DayFileError, cost};
use super::fold::{Folds, Source};
use super::{event_line, folded_line};
use crate::cause::Causes;
use crate::files::{folder_of, foreign_owner};
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::{Event, EventClass, EventKind};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp as Moment};

/// An event is on the disk after twice this long at most.
const SYNC_EVERY: Duration = Duration::from_millis(500);
/// How long the thread collects events after the first one: to wake it for each would cost a request more than the event
/// itself.
const GATHERED: Duration = Duration::from_millis(50);
/// After so long without an event, the folded ones are written.
const MINUTE: Duration = Duration::from_secs(60);
/// How many days before an event's own its folder goes back.
const KEPT_DAYS: i32 = 30;
pub(super) const SUFFIX: &str = ".db";
/// Lines of one transaction.
const MAX_LINES: usize = 512;
/// What follows the date in the names of our files. Earlier versions wrote `.jsonl`.
const SUFFIXES: [&str; 5] = [SUFFIX, ".db-wal", ".db-shm", ".db.damaged", ".jsonl"];

/// A message to the thread.
#[derive(Debug)]
pub(super) enum Message {
    Event(Box<Entry>),
    /// Answers when all before it is written.
    Flush(SyncSender<()>),
    End,
}

/// An event, as it came.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) trace_id: String,
    pub(super) event: Event,
}

/// A line of a day's file.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) kind: EventKind,
    pub(super) source: Source,
    pub(super) trace_id: Option<String>,
    pub(super) client: Option<String>,
    pub(super) user: Option<String>,
    pub(super) organization: Option<Box<str>>,
    /// JSON.
    pub(super) text: String,
}

/// What was dropped or waits, seen by the thread and by those who send to it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) waiting: AtomicU64,
    pub(super) dropped: AtomicU64,
}

/// The writer of a folder of day files.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    /// The most bytes of a day's file.
    pub(super) max_bytes: u64,
    pub(super) today: Option<Today>,
    folds: Folds,
    synced_at: Timestamp,
    queue: Arc<Queue>,
}

/// The file that is written, and what it holds.
#[derive(Debug)]
pub(super) struct Today {
    date: Date,
    pub(super) file: DayFile,
    /// What the file has at most.
    pub(super) bytes: u64,
    /// The bytes of each protected kind in the last quarter of the file.
    reserved: HashMap<EventKind, u64>,
    /// The same of each user and client; each has a line there, so the file bounds them.
    reserved_of: HashMap<Source, u64>,
    /// The classes of which an event had no room, which is logged once.
    full: Vec<EventClass>,
}

impl Today {
    fn new(date: Date, file: DayFile) -> Result<Self, DayFileError> {
        Ok(Self {
            date,
            bytes: file.bytes()?,
            file,
            reserved: HashMap::new(),
            reserved_of: HashMap::new(),
            full: Vec::new(),
        })
    }

    /// Whether a line has room: within the share of its class; of the last quarter, no kind takes more than half, and no
    /// user or client more than a 64th.
    fn admits(&mut self, line: &Line, max_bytes: u64) -> bool {
        let (class, length) = (line.kind.class(), cost(line));
        let end = self.bytes + length;
        if end > class.share(max_bytes) {
            return false;
        }
        if end > EventClass::Frequent.share(max_bytes) {
            let of_kind = self.reserved.entry(line.kind).or_default();
            let of_source = self.reserved_of.get(&line.source).unwrap_or(&0) + length;
            let is_over = of_source > max_bytes / 256 && line.source != Source::Other;
            if *of_kind + length > max_bytes / 8 || is_over {
                return false;
            }
            *of_kind += length;
            self.reserved_of.insert(line.source.clone(), of_source);
        }
        self.bytes = end;
        true
    }
}

impl Journal {
    pub(super) fn new(folder: &Path, max_bytes: u64, queue: Arc<Queue>) -> io::Result<Self> {
        open_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            max_bytes,
            today: None,
            folds: Folds::default(),
            synced_at: Timestamp::default(),
            queue,
        })
    }

    /// Writes events in batches, until [`Message::End`].
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        let mut unsynced = false;
        loop {
            let first = if unsynced {
                messages.recv_timeout(SYNC_EVERY)
            } else if self.folds.is_empty() {
                messages.recv().map_err(RecvTimeoutError::from)
            } else {
                messages.recv_timeout(MINUTE)
            };
            let mut batch = match first {
                Ok(Message::Event(entry)) => {
                    thread::sleep(GATHERED);
                    vec![*entry]
                }
                Ok(Message::Flush(done)) => {
                    // Nothing waits, and whoever asked may have gone.
                    done.try_send(()).ok();
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {
                    if unsynced {
                        self.sync();
                        unsynced = false;
                    } else {
                        self.end_minute(Timestamp::default());
                        unsynced = true;
                    }
                    continue;
                }
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => {
                    self.end_minute(Timestamp::default());
                    return self.sync();
                }
            };
            let mut ended = false;
            let mut flushed = Vec::new();
            for message in messages.try_iter() {
                match message {
                    Message::Event(entry) => batch.push(*entry),
                    Message::Flush(done) => flushed.push(done),
                    Message::End => ended = true,
                }
            }
            let taken = batch.len() as u64;
            self.queue.waiting.fetch_sub(taken, Ordering::Relaxed);
            let last = batch.last().map(|entry| entry.at);
            self.take(batch);
            for done in flushed {
                done.try_send(()).ok();
            }
            unsynced = true;
            if ended {
                self.end_minute(Timestamp::default());
                return self.sync();
            }
            // A steady stream never lets the wait above run out.
            if let Some(last) = last
                && !self.synced_at.is_within(SYNC_EVERY, last)
            {
                self.sync();
                (self.synced_at, unsynced) = (last, false);
            }
        }
    }

    /// Writes events, but for those that are folded.
    fn take(&mut self, batch: Vec<Entry>) {
        let mut lines = Vec::new();
        for entry in batch {
            if self.folds.is_over(entry.at) {
                lines.extend(self.folded(entry.at));
            }
            if !self.folds.fold(&entry) {
                lines.extend(event_line(entry));
            }
        }
        self.write(&lines);
    }

    fn end_minute(&mut self, next: Timestamp) {
        let lines: Vec<Line> = self.folded(next).collect();
        self.write(&lines);
    }

    fn folded(&mut self, next: Timestamp) -> impl Iterator<Item = Line> + use<> {
        let folded = self.folds.end(next).into_iter();
        folded.filter_map(folded_line)
    }

    pub(super) fn write(&mut self, batch: &[Line]) {
        let days = batch.chunk_by(|a, b| day(a.at) == day(b.at));
        for lines in days.flat_map(|of_a_day| of_a_day.chunks(MAX_LINES)) {
            if let Err(error) = self.write_day(lines) {
                tracing::error!(folder = %self.folder.display(), error = %Causes(&error), "events cannot be written");
                self.today = None;
                let dropped = lines.len() as u64;
                self.queue.dropped.fetch_add(dropped, Ordering::Relaxed);
                if let DayFileError::Damaged(_) = error {
                    self.set_aside(day(lines[0].at));
                }
            }
        }
        let dropped = self.queue.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(
                dropped,
                "events were dropped: they came faster than they could be written"
            );
        }
    }

    fn write_day(&mut self, lines: &[Line]) -> Result<(), DayFileError> {
        let max_bytes = self.max_bytes;
        let today = self.today(day(lines[0].at))?;
        let mut admitted = Vec::new();
        let mut full = Vec::new();
        for line in lines {
            let class = line.kind.class();
            if today.admits(line, max_bytes) {
                admitted.push(line);
            } else if !today.full.contains(&class) {
                today.full.push(class);
                full.push(class);
            }
        }
        let written = today.file.write(&admitted);
        for class in full {
            tracing::warn!(
                folder = %self.folder.display(),
                max_bytes,
                ?class,
                "the day's file of events is full for this class of events: further ones are not written (events_max)"
            );
        }
        Ok(written?)
    }

    fn today(&mut self, date: Date) -> Result<&mut Today, DayFileError> {
        let today = match self.today.take() {
            Some(today) if today.date == date => today,
            before => {
                // A past day gets no more events.
                if let Some(before) = before {
                    self.logged(before.file.close());
                }
                let path = self.folder.join(format!("{date}{SUFFIX}"));
                let file = DayFile::open(&path, self.max_bytes)?;
                self.forget_before(date);
                Today::new(date, file)?
            }
        };
        Ok(self.today.insert(today))
    }

    fn sync(&self) {
        if let Some(today) = &self.today {
            self.logged(today.file.sync().map_err(DayFileError::from));
        }
    }

    fn logged(&self, synced: Result<(), DayFileError>) {
        if let Err(error) = synced {
            tracing::error!(folder = %self.folder.display(), error = %Causes(&error), "events may not be on the disk");
        }
    }

    /// Renames a file that cannot be written, so that the next events have one.
    fn set_aside(&self, date: Date) {
        let path = |suffix: &str| self.folder.join(format!("{date}{suffix}"));
        let (file, aside) = (path(SUFFIX), path(".db.damaged"));
        match fs::rename(&file, &aside) {
            // What is left of it would be taken for the log of the next file.
            Ok(()) => [".db-wal", ".db-shm"].map(path).iter().for_each(|left| {
                fs::remove_file(left).ok();
            }),
            Err(error) => {
                tracing::error!(file = %file.display(), error = %Causes(&error), "a damaged file of events cannot be renamed");
            }
        }
    }

    /// Deletes the files that are older than they are kept.
    fn forget_before(&self, day: Date) {
        let oldest = day.saturating_sub(Span::new().days(KEPT_DAYS));
        let Ok(files) = fs::read_dir(&self.folder) else {
            return;
        };
        for file in files.flatten() {
            let name = file.file_name();
            let name = name.to_str().unwrap_or_default();
            let of_day = |suffix: &&str| date_of(name, suffix);
            if SUFFIXES
                .iter()
                .find_map(of_day)
                .is_some_and(|date| date < oldest)
                && let Err(error) = fs::remove_file(file.path())
            {
                tracing::warn!(file = %file.path().display(), error = %Causes(&error), "an old file of events cannot be deleted");
            }
        }
    }
}

/// Creates the folder, or takes one in which no one else can put a file or a link in the way. Only its group may read it.
fn open_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let found = fs::symlink_metadata(folder)?;
    let mode = found.permissions().mode() & 0o777;
    let why = if found.is_symlink() {
        "it is a link; let it be a folder".to_owned()
    } else if let Some(owner) = foreign_owner(&found, folder_of(folder)) {
        format!("it belongs to another user (id {owner})")
    } else if mode & 0o022 != 0 {
        format!("others can write to it (mode {mode:o}): chmod 700 it")
    } else if mode & 0o007 != 0 {
        return fs::set_permissions(folder, Permissions::from_mode(mode & !0o007));
    } else {
        return Ok(());
    };
    Err(io::Error::other(why))
}

/// The day of a file of this name.
pub(super) fn date_of(name: &str, suffix: &str) -> Option<Date> {
    name.strip_suffix(suffix)?.parse().ok()
}

/// A timestamp as RFC 3339 shows it.
pub(super) fn moment(at: Timestamp) -> Moment {
    let millis = i64::try_from(at.as_millis()).ok();
    millis
        .and_then(|millis| Moment::from_millisecond(millis).ok())
        .unwrap_or(Moment::MAX)
}

pub(super) fn day(at: Timestamp) -> Date {
    moment(at).to_zoned_datetime(TimeZone::UTC).date()
}
