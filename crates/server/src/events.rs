//! Events: written to day files next to the store, from which they are read, and, unless they are routine, to the log.
//!
//! Nobody can fill the disk with them: what comes often is folded, and a day's file has a size. Neither can anybody hide
//! what matters behind what is frequent: reuse, revocation and changes have a reserved share of the queue and of the file.

mod day_file;
mod fold;
mod journal;
mod read;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{io, path::Path};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::base::error::Cause;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::{Event, EventClass, EventOutcome};
use grantor_web::{EventLog, EventLogError, EventPage, EventQuery, EventSink};
use serde::Serialize;
use tracing::field;

use fold::{Folded, Source};
use journal::{Entry, Journal, Line, Message, Queue};
use read::DayFiles;

/// How many events may wait for the disk, of each class its share. Further ones are dropped and counted: a request never
/// waits for them.
const MAX_QUEUED: usize = 16 * 1024;

/// How long a reader waits for what was recorded just now.
const FLUSHED_WITHIN: Duration = Duration::from_secs(1);

/// Writes events to the log, and to day files where there is a folder for them.
#[derive(Debug, Default)]
pub struct Events {
    journal: Option<SyncSender<Message>>,
    queue: Arc<Queue>,
    files: Option<Arc<DayFiles>>,
}

/// The thread that writes day files.
#[derive(Debug)]
pub struct Writer {
    journal: SyncSender<Message>,
    thread: JoinHandle<()>,
}

impl Events {
    /// Events that go to the log only.
    #[must_use]
    pub fn logged() -> Self {
        Self::default()
    }

    /// Events that also go to `folder/YYYY-MM-DD.db`, by UTC, of at most `max_bytes` each. The folder is created if it
    /// does not exist.
    ///
    /// # Errors
    /// The folder or the thread cannot be created.
    pub fn kept(folder: &Path, max_bytes: u64) -> io::Result<(Self, Writer)> {
        let queue = Arc::new(Queue::default());
        let journal = Journal::new(folder, max_bytes, Arc::clone(&queue))?;
        let (sender, receiver) = sync_channel(MAX_QUEUED);
        let thread = thread::Builder::new()
            .name("events".to_owned())
            .spawn(move || journal.run(&receiver))?;
        let writer = Writer {
            journal: sender.clone(),
            thread,
        };
        Ok((
            Self {
                journal: Some(sender),
                queue,
                files: Some(Arc::new(DayFiles::new(folder))),
            },
            writer,
        ))
    }
}

impl Writer {
    /// Writes what is queued, and ends.
    pub fn finish(self) {
        // Both fail only after a panic of the thread, which was logged then.
        self.journal.send(Message::End).ok();
        self.thread.join().ok();
    }
}

impl EventSink for Events {
    fn record(&self, at: Timestamp, trace_id: &str, event: &Event) {
        if event.kind.is_logged() || self.journal.is_none() && event.kind.is_routine() {
            log(trace_id, event);
        }
        let Some(journal) = &self.journal else {
            return;
        };
        let entry = Entry {
            at,
            trace_id: trace_id.to_owned(),
            event: event.clone(),
        };
        if !self.send(journal, entry) {
            self.queue.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn log(&self) -> Option<&dyn EventLog> {
        let kept = self.files.as_ref();
        kept.map(|_| self as &dyn EventLog)
    }
}

impl Events {
    /// Asks the thread to say when it has written what was recorded.
    fn flushed(&self) -> Receiver<()> {
        let (done, written) = sync_channel(1);
        if let Some(journal) = &self.journal {
            // A queue that is full does not wait for readers.
            journal.try_send(Message::Flush(done)).ok();
        }
        written
    }

    fn send(&self, journal: &SyncSender<Message>, entry: Entry) -> bool {
        let share = entry.event.kind.class().share(MAX_QUEUED as u64);
        if self.queue.waiting.fetch_add(1, Ordering::Relaxed) < share
            && journal.try_send(Message::Event(Box::new(entry))).is_ok()
        {
            return true;
        }
        self.queue.waiting.fetch_sub(1, Ordering::Relaxed);
        false
    }
}

impl EventLog for Events {
    fn page(&self, query: EventQuery) -> BoxFuture<'_, Result<EventPage, EventLogError>> {
        async move {
            let Some(files) = &self.files else {
                return Ok(EventPage::default());
            };
            let written = self.flushed();
            files
                .read(move |files| {
                    // After that, what is written is read.
                    written.recv_timeout(FLUSHED_WITHIN).ok();
                    files.page(&query)
                })
                .await
        }
        .boxed()
    }
}

/// The name of lines of protected events, which no output shows: the log limits them for each user and client.
pub const PROTECTED_EVENT: &str = "protected event";

fn log(trace_id: &str, event: &Event) {
    macro_rules! line {
        ($name:expr) => {
            tracing::info!(
                name: $name,
                target: "event",
                kind = %event.kind,
                trace_id,
                client = event.client.as_ref().map(field::display),
                user = event.user.as_ref().map(field::display),
                username = event.username.as_deref(),
                reason = event.reason.and_then(|reason| name(&reason)),
                grant = event.grant.as_ref().map(field::display),
                left_out = event.left_out.as_deref(),
                peer = event.peer.as_ref().map(field::display),
            )
        };
    }
    match event.kind.class() {
        EventClass::Protected => line!(PROTECTED_EVENT),
        _ => line!("event"),
    }
}

/// The name of a cause, as the day's file has it.
fn name(cause: &Cause) -> Option<String> {
    let name = serde_json::to_value(cause).ok()?;
    name.as_str().map(str::to_owned)
}

/// What a line of a day's file holds.
#[derive(Serialize)]
struct Content<'a, T> {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    outcome: EventOutcome,
    #[serde(flatten)]
    event: &'a T,
}

fn event_line(entry: Entry) -> Option<Line> {
    let Entry {
        at,
        trace_id,
        event,
    } = entry;
    let text = line_text(at, Some(&trace_id), event.kind.outcome(), &event)?;
    Some(Line {
        at,
        kind: event.kind,
        source: Source::of(&event),
        trace_id: Some(trace_id),
        client: event.client.map(String::from),
        user: event.user.map(|user| user.to_string()),
        organization: event.organization,
        text,
    })
}

fn folded_line(folded: Folded) -> Option<Line> {
    let (kind, source) = (folded.events.kind, folded.source);
    let text = line_text(folded.at, None, kind.outcome(), &folded.events)?;
    let (client, user) = match &source {
        Source::Client(client) => (Some(client.to_string()), None),
        Source::User(user) => (None, Some(user.to_string())),
        Source::Network(_) | Source::Other => (None, None),
    };
    Some(Line {
        at: folded.at,
        kind,
        source,
        trace_id: None,
        client,
        user,
        organization: None,
        text,
    })
}

fn line_text(
    at: Timestamp,
    trace_id: Option<&str>,
    outcome: EventOutcome,
    event: &impl Serialize,
) -> Option<String> {
    // Always three digits, so that lines sort as text.
    let at = format!("{:.3}", journal::moment(at));
    let content = Content {
        at,
        trace_id,
        outcome,
        event,
    };
    serde_json::to_string(&content).ok()
}

#[cfg(test)]
mod tests;
