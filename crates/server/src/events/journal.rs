//! Day files: `YYYY-MM-DD.jsonl`, written by one thread, kept for 30 days.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::cause::Causes;
use crate::files::{folder_of, foreign_owner};
use grantor_core::base::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp as Moment};
use rustix::fs::OFlags;

/// An event is on the disk after twice this long at most.
const SYNC_EVERY: Duration = Duration::from_millis(500);
/// How long the thread collects events after the first one: to wake it for each would cost a request more than the event
/// itself.
const GATHERED: Duration = Duration::from_millis(50);
/// How many days before an event's own its folder goes back.
const KEPT_DAYS: i32 = 30;
const SUFFIX: &str = ".jsonl";

/// A message to the thread.
#[derive(Debug)]
pub(super) enum Message {
    Event(Entry),
    End,
}

/// An event, ready to be written.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    /// The line, with its end.
    pub(super) line: Vec<u8>,
}

/// The writer of a folder of day files.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    pub(super) today: Option<(Date, File)>,
    synced_at: Timestamp,
    dropped: Arc<AtomicU64>,
}

impl Journal {
    pub(super) fn new(folder: &Path, dropped: Arc<AtomicU64>) -> io::Result<Self> {
        open_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            today: None,
            synced_at: Timestamp::default(),
            dropped,
        })
    }

    /// Writes events in batches, until [`Message::End`].
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        let mut unsynced = false;
        loop {
            let first = if unsynced {
                messages.recv_timeout(SYNC_EVERY)
            } else {
                messages.recv().map_err(RecvTimeoutError::from)
            };
            let mut batch = match first {
                Ok(Message::Event(entry)) => {
                    thread::sleep(GATHERED);
                    vec![entry]
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.sync();
                    unsynced = false;
                    continue;
                }
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => return self.sync(),
            };
            let mut ended = false;
            for message in messages.try_iter() {
                match message {
                    Message::Event(entry) => batch.push(entry),
                    Message::End => ended = true,
                }
            }
            self.write(&batch);
            unsynced = true;
            if ended {
                return self.sync();
            }
            // A steady stream never lets the wait above run out.
            if let Some(last) = batch.last()
                && last.at.since(self.synced_at) >= SYNC_EVERY
            {
                self.sync();
                (self.synced_at, unsynced) = (last.at, false);
            }
        }
    }

    pub(super) fn write(&mut self, batch: &[Entry]) {
        for of_a_day in batch.chunk_by(|a, b| day(a.at) == day(b.at)) {
            let lines: Vec<u8> = of_a_day
                .iter()
                .flat_map(|entry| &entry.line)
                .copied()
                .collect();
            let written = self
                .file(day(of_a_day[0].at))
                .and_then(|mut file| file.write_all(&lines));
            if let Err(error) = written {
                tracing::error!(folder = %self.folder.display(), error = %Causes(&error), "events cannot be written");
                self.today = None;
                self.dropped
                    .fetch_add(of_a_day.len() as u64, Ordering::Relaxed);
            }
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::warn!(
                dropped,
                "events were dropped: they came faster than they could be written"
            );
        }
    }

    fn file(&mut self, day: Date) -> io::Result<&File> {
        let open = match self.today.take() {
            Some((open, file)) if open == day => file,
            before => {
                // A past day gets no more events.
                if let Some((_, file)) = before {
                    self.sync_file(&file);
                }
                let file = append(&self.folder.join(format!("{day}{SUFFIX}")))?;
                self.forget_before(day);
                file
            }
        };
        Ok(&self.today.insert((day, open)).1)
    }

    fn sync(&self) {
        if let Some((_, file)) = &self.today {
            self.sync_file(file);
        }
    }

    fn sync_file(&self, file: &File) {
        if let Err(error) = file.sync_data() {
            tracing::error!(folder = %self.folder.display(), error = %Causes(&error), "events may not be on the disk");
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
            let date = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            if date
                .and_then(|date| date.parse::<Date>().ok())
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

/// Opens a file to append lines, and ends a line that a crash cut short. Only a file of ours with no other name is taken.
fn append(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file()
        || found.nlink() != 1
        || foreign_owner(&found, folder_of(folder_of(path))).is_some()
    {
        return Err(io::Error::other(
            "the file of the day is not one of this server",
        ));
    }
    let length = found.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// A timestamp as RFC 3339 shows it.
pub(super) fn moment(at: Timestamp) -> Moment {
    let millis = i64::try_from(at.as_millis()).ok();
    millis
        .and_then(|millis| Moment::from_millisecond(millis).ok())
        .unwrap_or(Moment::MAX)
}

fn day(at: Timestamp) -> Date {
    moment(at).to_zoned_datetime(TimeZone::UTC).date()
}
