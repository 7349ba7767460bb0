//! Events: written to day files of JSON lines next to the store, and, unless they are routine, to the log.

mod journal;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::{io, path::Path};

use grantor_core::base::time::Timestamp;
use grantor_core::engine::event::Event;
use grantor_web::EventSink;
use serde::Serialize;
use tracing::field;

use journal::{Entry, Journal, Message};

/// How many events may wait for the disk. Further ones are dropped and counted: a request never waits for them.
const MAX_QUEUED: usize = 16 * 1024;

/// Writes events to the log, and to day files where there is a folder for them.
#[derive(Debug, Default)]
pub struct Events {
    journal: Option<SyncSender<Message>>,
    dropped: Arc<AtomicU64>,
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

    /// Events that also go to `folder/YYYY-MM-DD.jsonl`, by UTC. The folder is created if it does not exist.
    ///
    /// # Errors
    /// The folder or the thread cannot be created.
    pub fn kept(folder: &Path) -> io::Result<(Self, Writer)> {
        let dropped = Arc::new(AtomicU64::new(0));
        let journal = Journal::new(folder, Arc::clone(&dropped))?;
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
                dropped,
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
        let Some(journal) = &self.journal else {
            return log(trace_id, event);
        };
        if !event.kind.is_routine() {
            log(trace_id, event);
        }
        let kept = Line::new(at, trace_id, event)
            .is_some_and(|line| journal.try_send(Message::Event(Entry { at, line })).is_ok());
        if !kept {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn log(trace_id: &str, event: &Event) {
    tracing::info!(
        target: "event",
        kind = %event.kind,
        trace_id,
        client = event.client.as_ref().map(field::display),
        user = event.user.as_ref().map(field::display),
        username = event.username.as_deref(),
        reason = event.reason.as_ref().map(field::debug),
        grant = event.grant.as_ref().map(field::display),
        peer = event.peer.as_ref().map(field::display),
    );
}

/// An event as a line of a day file.
#[derive(Serialize)]
struct Line<'a> {
    at: String,
    trace_id: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

impl<'a> Line<'a> {
    #[expect(
        clippy::new_ret_no_self,
        reason = "a line is its text; the struct only shapes it"
    )]
    fn new(at: Timestamp, trace_id: &'a str, event: &'a Event) -> Option<Vec<u8>> {
        // Always three digits, so that lines sort as text.
        let at = format!("{:.3}", journal::moment(at));
        let mut line = serde_json::to_vec(&Self {
            at,
            trace_id,
            event,
        })
        .ok()?;
        line.push(b'\n');
        Some(line)
    }
}

#[cfg(test)]
mod tests;
