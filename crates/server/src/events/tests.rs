use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use grantor_core::base::peer::Peer;
use grantor_core::engine::event::EventKind;
use grantor_core::model::ids::GrantId;
use tempfile::TempDir;

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

fn lines(folder: &TempDir, file: &str) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(folder.path().join("events").join(file)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn record(folder: &TempDir, events: impl IntoIterator<Item = Timestamp>) {
    let (sink, writer) = Events::kept(&folder.path().join("events")).unwrap();
    for at in events {
        sink.record(at, "0af7651916cd43dd8448eb211c80319c", &event());
    }
    writer.finish();
}

#[test]
fn an_event_is_a_line_of_its_day_in_utc() {
    let folder = TempDir::new().unwrap();
    record(&folder, [evening(), evening() + Duration::from_millis(500)]);
    assert_eq!(
        lines(&folder, "2026-11-21.jsonl"),
        [serde_json::json!({
            "at": "2026-11-21T23:59:59.500Z", "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "kind": "device_approved", "client": "tv", "grant": "07".repeat(16),
            "peer": { "address": "192.0.2.1", "agent": "curl/8\"quoted\"" },
        })]
    );
    assert_eq!(
        lines(&folder, "2026-11-22.jsonl")[0]["at"],
        "2026-11-22T00:00:00.000Z"
    );
}

#[test]
fn only_the_owner_reads_events() {
    let folder = TempDir::new().unwrap();
    record(&folder, [evening()]);
    let mode = |path: &str| {
        fs::metadata(folder.path().join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("events"), 0o700);
    assert_eq!(mode("events/2026-11-21.jsonl"), 0o600);
}

#[test]
fn another_start_appends_and_ends_a_line_that_a_crash_cut() {
    let folder = TempDir::new().unwrap();
    record(&folder, [evening()]);
    let file = folder.path().join("events/2026-11-21.jsonl");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 5]).unwrap();
    record(&folder, [evening()]);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, format!("{}\n{whole}", &whole[..whole.len() - 5]));
}

#[test]
fn files_of_more_than_30_days_ago_are_deleted_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let events = folder.path().join("events");
    fs::create_dir(&events).unwrap();
    for name in [
        "2026-10-21.jsonl",
        "2026-10-22.jsonl",
        "notes.jsonl",
        "2020-01-01.txt",
    ] {
        fs::write(events.join(name), "").unwrap();
    }
    record(&folder, [evening()]);
    let mut left: Vec<_> = fs::read_dir(&events)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        [
            "2020-01-01.txt",
            "2026-10-22.jsonl",
            "2026-11-21.jsonl",
            "notes.jsonl"
        ]
    );
}

#[test]
fn all_that_was_taken_is_written_before_the_end() {
    let folder = TempDir::new().unwrap();
    record(&folder, (0..5000).map(|n| evening() + DAY * (n / 2500)));
    let count = |file| lines(&folder, file).len();
    assert_eq!(
        [count("2026-11-21.jsonl"), count("2026-11-22.jsonl")],
        [2500, 2500]
    );
}

/// What cannot be synced tells that it was tried.
#[test]
fn the_lines_of_a_day_that_is_over_are_brought_to_the_disk() {
    let folder = TempDir::new().unwrap();
    let mut journal = Journal::new(folder.path(), Arc::default()).unwrap();
    let unsyncable = fs::File::options().write(true).open("/dev/null").unwrap();
    journal.today = Some(("2026-11-21".parse().unwrap(), unsyncable));
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || to.clone());
    tracing::subscriber::with_default(subscriber.finish(), || {
        journal.write(&[evening(), evening() + DAY].map(|at| Entry {
            at,
            line: b"{}\n".to_vec(),
        }));
    });
    let logged = log.0.lock().unwrap().clone();
    let logged = String::from_utf8(logged).unwrap();
    assert!(logged.contains("may not be on the disk"), "{logged}");
}

#[test]
fn the_log_leaves_routine_events_to_the_day_files_where_there_are_any() {
    let folder = TempDir::new().unwrap();
    let (log, id) = (Log::default(), "0af7651916cd43dd8448eb211c80319c");
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || to.clone());
    tracing::subscriber::with_default(subscriber.finish(), || {
        let (sink, writer) = Events::kept(&folder.path().join("events")).unwrap();
        for kind in [EventKind::TokensRefreshed, EventKind::DeviceApproved] {
            sink.record(evening(), id, &Event::new(kind));
        }
        writer.finish();
        Events::logged().record(evening(), id, &Event::new(EventKind::TokensIssued));
    });
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(lines(&folder, "2026-11-21.jsonl").len(), 2);
    assert!(logged.contains("device_approved") && logged.contains("tokens_issued"));
    assert!(!logged.contains("tokens_refreshed"), "{logged}");
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

#[test]
fn a_full_queue_drops_and_counts_and_never_waits() {
    let (sender, receiver) = sync_channel(1);
    let sink = Events {
        journal: Some(sender),
        dropped: Arc::default(),
    };
    for _ in 0..3 {
        sink.record(evening(), "0af7651916cd43dd8448eb211c80319c", &event());
    }
    assert_eq!(sink.dropped.load(Ordering::Relaxed), 2);
    assert_eq!(receiver.try_iter().count(), 1);
}

#[test]
fn a_day_file_that_is_a_link_is_not_written_through() {
    let folder = TempDir::new().unwrap();
    let events = folder.path().join("events");
    for kind in ["soft", "hard"] {
        let (target, day) = (folder.path().join(kind), events.join("2026-11-21.jsonl"));
        fs::write(&target, "").unwrap();
        let dropped = Arc::default();
        let mut journal = Journal::new(&events, Arc::clone(&dropped)).unwrap();
        match kind {
            "soft" => std::os::unix::fs::symlink(&target, &day).unwrap(),
            _ => fs::hard_link(&target, &day).unwrap(),
        }
        let line = b"{}\n".to_vec();
        journal.write(&[Entry {
            at: evening(),
            line,
        }]);
        assert_eq!(fs::read_to_string(&target).unwrap(), "", "{kind}");
        fs::remove_file(&day).unwrap();
    }
}
