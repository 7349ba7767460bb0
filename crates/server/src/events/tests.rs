use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use grantor_core::base::peer::Peer;
use grantor_core::engine::event::EventKind;
use grantor_core::model::ids::{GrantId, UserId};
use tempfile::TempDir;

use super::day_file::cost;
use super::*;

const DAY: Duration = Duration::from_secs(86400);

/// 2026-11-21T23:59:59.500Z.
fn evening() -> Timestamp {
    Timestamp::from_millis(1_795_305_599_500)
}

fn event() -> Event {
    Event::new(EventKind::DeviceApproved)
        .client(&"tv".parse().unwrap())
        .grant(GrantId::from_bytes([7; 16]))
        .peer(&Peer::new(
            "192.0.2.1".parse().unwrap(),
            "curl/8\n\"quoted\"",
        ))
}

/// What a file of the folder `events` holds.
fn lines(folder: &TempDir, file: &str) -> Vec<serde_json::Value> {
    read(&folder.path().join("events").join(file))
}

/// By SQLite, as an operator would.
fn read(file: &std::path::Path) -> Vec<serde_json::Value> {
    let connection = rusqlite::Connection::open(file).unwrap();
    let mut select = connection
        .prepare("SELECT line FROM events ORDER BY id")
        .unwrap();
    let lines = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
    lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

fn line(at: Timestamp, kind: EventKind, source: Source) -> Line {
    let (client, user) = (None, None);
    Line {
        at,
        kind,
        source,
        trace_id: Some(TRACE.to_owned()),
        client,
        user,
        organization: None,
        text: format!("{{\"x\":\"{}\"}}", "x".repeat(100)),
    }
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const MAX_BYTES: u64 = 1 << 20;

fn record(folder: &TempDir, events: impl IntoIterator<Item = Timestamp>) {
    let events = events.into_iter().map(|at| (at, event()));
    record_all(folder, MAX_BYTES, events);
}

fn record_all(
    folder: &TempDir,
    max_bytes: u64,
    events: impl IntoIterator<Item = (Timestamp, Event)>,
) {
    let (sink, writer) = Events::kept(&folder.path().join("events"), max_bytes).unwrap();
    for (at, event) in events {
        // Not faster than the thread takes them.
        while sink.queue.waiting.load(Ordering::Relaxed) > MAX_QUEUED as u64 / 4 {
            std::thread::yield_now();
        }
        sink.record(at, TRACE, &event);
    }
    writer.finish();
}

fn from(address: &str, kind: EventKind) -> Event {
    Event::new(kind).peer(&Peer::new(address.parse().unwrap(), "curl/8"))
}

fn user(n: usize) -> UserId {
    UserId::from_username("test", &n.to_string())
}

#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

mod files;
mod floods;
mod reading;
