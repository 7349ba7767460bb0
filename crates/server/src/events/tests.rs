use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use grantor_core::base::peer::Peer;
use grantor_core::engine::event::EventKind;
use grantor_core::model::ids::{GrantId, UserId};
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

fn bytes(folder: &TempDir, file: &str) -> u64 {
    fs::metadata(folder.path().join("events").join(file))
        .unwrap()
        .len()
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
    let revoked = |n: u32| {
        (
            evening() + DAY * (n / 2500),
            Event::new(EventKind::GrantRevoked).user(user(n as usize)),
        )
    };
    record_all(&folder, MAX_BYTES, (0..5000).map(revoked));
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
    let mut journal = Journal::new(folder.path(), MAX_BYTES, Arc::default()).unwrap();
    let unsyncable = fs::File::options().write(true).open("/dev/null").unwrap();
    journal.today =
        Some(super::journal::Today::new("2026-11-21".parse().unwrap(), unsyncable).unwrap());
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || to.clone());
    tracing::subscriber::with_default(subscriber.finish(), || {
        journal.write(&[evening(), evening() + DAY].map(|at| Line {
            at,
            kind: EventKind::GrantRevoked,
            source: Source::Other,
            text: b"{}\n".to_vec(),
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
        let (sink, writer) = Events::kept(&folder.path().join("events"), MAX_BYTES).unwrap();
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
        queue: Arc::default(),
    };
    for _ in 0..3 {
        sink.record(evening(), TRACE, &event());
    }
    assert_eq!(sink.queue.dropped.load(Ordering::Relaxed), 2);
    assert_eq!(receiver.try_iter().count(), 1);
}

#[test]
fn a_day_file_that_is_a_link_is_not_written_through() {
    let folder = TempDir::new().unwrap();
    let events = folder.path().join("events");
    for kind in ["soft", "hard"] {
        let (target, day) = (folder.path().join(kind), events.join("2026-11-21.jsonl"));
        fs::write(&target, "").unwrap();
        let mut journal = Journal::new(&events, MAX_BYTES, Arc::default()).unwrap();
        match kind {
            "soft" => std::os::unix::fs::symlink(&target, &day).unwrap(),
            _ => fs::hard_link(&target, &day).unwrap(),
        }
        journal.write(&[Line {
            at: evening(),
            kind: EventKind::GrantRevoked,
            source: Source::Other,
            text: b"{}\n".to_vec(),
        }]);
        assert_eq!(fs::read_to_string(&target).unwrap(), "", "{kind}");
        fs::remove_file(&day).unwrap();
    }
}

#[test]
fn a_flood_of_other_events_leaves_room_in_the_queue_for_a_reuse() {
    let (sender, receiver) = sync_channel(MAX_QUEUED);
    let sink = Events {
        journal: Some(sender),
        queue: Arc::default(),
    };
    for kind in [EventKind::TokensIssued, EventKind::TriesUsedUp] {
        for _ in 0..MAX_QUEUED {
            sink.record(evening(), TRACE, &Event::new(kind));
        }
    }
    sink.record(
        evening(),
        TRACE,
        &Event::new(EventKind::RefreshReusedGrantRevoked),
    );
    let messages: Vec<_> = receiver.try_iter().collect();
    let count = |kind| {
        let same =
            |message: &&Message| matches!(message, Message::Event(of) if of.event.kind == kind);
        messages.iter().filter(same).count()
    };
    assert_eq!(count(EventKind::TokensIssued), MAX_QUEUED / 2);
    assert_eq!(count(EventKind::TriesUsedUp), MAX_QUEUED / 4);
    assert_eq!(count(EventKind::RefreshReusedGrantRevoked), 1);
}

#[test]
fn refused_sign_ins_of_a_network_and_minute_are_eight_lines_and_one_with_their_count_and_subjects()
{
    let folder = TempDir::new().unwrap();
    let flood = (0..20_000_u32).map(|n| {
        let mut event = from(&format!("192.0.2.{}", n % 256), EventKind::TriesUsedUp);
        // Of the folded ones, the first has the ninth user.
        event.user = Some(grantor_core::model::ids::UserId::from_username(
            "test",
            &n.to_string(),
        ));
        (
            evening() - Duration::from_secs(30) + Duration::from_micros(u64::from(n)),
            event,
        )
    });
    record_all(&folder, MAX_BYTES, flood);
    let lines = lines(&folder, "2026-11-21.jsonl");
    assert_eq!(lines.len(), 9);
    let user = |n: u32| {
        grantor_core::model::ids::UserId::from_username("test", &n.to_string()).to_string()
    };
    assert_eq!(
        lines[8],
        serde_json::json!({
            "at": "2026-11-21T23:59:29.519Z", "kind": "tries_used_up", "network": "192.0.2.0/24",
            "count": 20_000 - 8, "subjects": (8..16).map(user).collect::<Vec<_>>(),
        })
    );
    let bytes = bytes(&folder, "2026-11-21.jsonl");
    println!("{bytes} bytes for 20,000 refused sign-ins");
    assert!(bytes < 3000, "{bytes}");
}

#[test]
fn events_of_other_kinds_networks_and_minutes_are_not_folded_together() {
    let folder = TempDir::new().unwrap();
    let one = Duration::from_secs(60);
    let at = evening() - one * 10;
    let mut events = Vec::new();
    for _ in 0..9 {
        events.push((at, from("192.0.2.1", EventKind::SignInFailed)));
        events.push((at, from("192.0.3.1", EventKind::SignInFailed)));
        events.push((at, from("2001:db8:1:2::1", EventKind::SignInFailed)));
        events.push((at, from("192.0.2.1", EventKind::WrongUserCode)));
        events.push((at, Event::new(EventKind::LogoutFailed)));
    }
    events.extend((0..9).map(|_| (at + one, from("192.0.2.1", EventKind::SignInFailed))));
    record_all(&folder, MAX_BYTES, events);
    let lines = lines(&folder, "2026-11-21.jsonl");
    let folded: Vec<_> = lines.iter().filter(|line| line["count"] == 1).collect();
    assert_eq!((lines.len(), folded.len()), (6 * 9, 6));
    let networks: std::collections::BTreeSet<_> = folded
        .iter()
        .map(|line| line["network"].as_str().unwrap_or("none"))
        .collect();
    let expected = ["192.0.2.0/24", "192.0.3.0/24", "2001:db8:1::/48", "none"];
    assert_eq!(networks.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_flood_from_countless_networks_is_folded_too() {
    let folder = TempDir::new().unwrap();
    let flood = (0..20_000_u32).map(|n| {
        let address = std::net::Ipv4Addr::from(n << 8).to_string();
        (evening(), from(&address, EventKind::TriesUsedUp))
    });
    record_all(&folder, 1 << 30, flood);
    // A thousand lines of their own, and one for all the others.
    assert_eq!(lines(&folder, "2026-11-21.jsonl").len(), 1000 + 1);
}

fn user(n: usize) -> UserId {
    UserId::from_username("test", &n.to_string())
}

/// Also where someone else, from the same address, causes them without end.
#[test]
fn the_first_eight_of_each_user_and_minute_of_reuse_revocation_and_changes_are_never_folded() {
    let folder = TempDir::new().unwrap();
    let kinds = [
        EventKind::RefreshReusedGrantRevoked,
        EventKind::CodeReusedGrantRevoked,
        EventKind::TokenRevoked,
        EventKind::GrantRevoked,
        EventKind::GrantRevokedByUser,
        EventKind::SignedOutEverywhere,
        EventKind::UserDisabled,
        EventKind::CertificateReplaced,
    ];
    let mut events = Vec::new();
    for (of, count) in [(0, 1000), (1, 8), (2, 1)] {
        for kind in kinds {
            let event = from("192.0.2.1", kind).user(user(of));
            events.extend((0..count).map(|_| (evening(), event.clone())));
        }
    }
    record_all(&folder, MAX_BYTES, events);
    let lines = lines(&folder, "2026-11-21.jsonl");
    for kind in kinds {
        let count = |of: usize| {
            let of = user(of).to_string();
            let same = |line: &&serde_json::Value| {
                line["kind"] == kind.to_string() && line["user"] == of.as_str()
            };
            lines.iter().filter(same).count()
        };
        assert_eq!([count(0), count(1), count(2)], [8, 8, 1], "{kind}");
    }
    let folded: Vec<_> = lines.iter().filter(|line| line["count"] == 992).collect();
    assert_eq!((lines.len(), folded.len()), (8 * 18, 8));
    assert_eq!(folded[0]["subjects"][0], user(0).to_string());
}

#[test]
fn nobody_alone_uses_up_what_a_full_day_reserves() {
    let folder = TempDir::new().unwrap();
    let mut journal = Journal::new(folder.path(), MAX_BYTES, Arc::default()).unwrap();
    let mut write = |kind, of| {
        let (text, source) = ([b'x'; 100].to_vec(), Source::User(user(of)));
        let at = evening();
        journal.write(&[Line {
            at,
            kind,
            source,
            text,
        }]);
        fs::metadata(folder.path().join("2026-11-21.jsonl"))
            .unwrap()
            .len()
    };
    for kind in [
        EventKind::TriesUsedUp,
        EventKind::GrantRevoked,
        EventKind::GrantRevokedByUser,
        EventKind::TokenRevoked,
    ] {
        for _ in 0..9000 {
            write(kind, 0);
        }
    }
    let before = write(EventKind::GrantRevoked, 0);
    for kind in [
        EventKind::RefreshReusedGrantRevoked,
        EventKind::GrantRevoked,
    ] {
        write(kind, 1);
    }
    assert_eq!(write(EventKind::UserDisabled, 2), before + 300);
}

/// Of the last quarter no kind takes more than half, of however many users.
#[test]
fn a_full_day_stops_routine_events_first_and_keeps_its_last_quarter_for_what_matters() {
    let folder = TempDir::new().unwrap();
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || to.clone());
    let size = |folder: &TempDir| {
        fs::metadata(folder.path().join("2026-11-21.jsonl"))
            .unwrap()
            .len()
    };
    let mut sizes = Vec::new();
    tracing::subscriber::with_default(subscriber.finish(), || {
        let mut journal = Journal::new(folder.path(), MAX_BYTES, Arc::default()).unwrap();
        for kind in [
            EventKind::TokensIssued,
            EventKind::TriesUsedUp,
            EventKind::GrantRevoked,
            EventKind::UserDisabled,
        ] {
            for n in 0..20_000 {
                let (at, source) = (evening(), Source::User(user(n)));
                let text = [b'x'; 100].to_vec();
                journal.write(&[Line {
                    at,
                    kind,
                    source,
                    text,
                }]);
            }
            sizes.push(size(&folder) * 8 / (MAX_BYTES - 400));
        }
        // The next day begins with an empty file.
        let (at, kind) = (evening() + DAY, EventKind::TokensIssued);
        journal.write(&[Line {
            at,
            kind,
            source: Source::Other,
            text: b"{}\n".to_vec(),
        }]);
    });
    assert!(size(&folder) <= MAX_BYTES);
    assert_eq!(sizes, [4, 6, 7, 8], "eighths of the file");
    assert_eq!(
        fs::read(folder.path().join("2026-11-22.jsonl")).unwrap(),
        b"{}\n"
    );
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(logged.lines().count(), 3, "once for each class: {logged}");
}
