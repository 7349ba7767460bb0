//! The day files: what they hold, who may read them, and what damages them.

use super::*;

#[test]
fn an_event_is_a_line_of_its_day_in_utc() {
    let folder = TempDir::new().unwrap();
    record(&folder, [evening(), evening() + Duration::from_millis(500)]);
    assert_eq!(
        lines(&folder, "2026-11-21.db"),
        [serde_json::json!({
            "at": "2026-11-21T23:59:59.500Z", "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "outcome": "done", "kind": "device_approved", "check": "user_decision", "client": "tv", "grant": "07".repeat(16),
            "peer": { "address": "192.0.2.1", "agent": "curl/8\"quoted\"" },
        })]
    );
    assert_eq!(
        lines(&folder, "2026-11-22.db")[0]["at"],
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
    assert_eq!(mode("events/2026-11-21.db"), 0o600);
}

#[test]
fn another_start_appends() {
    let folder = TempDir::new().unwrap();
    record(&folder, [evening()]);
    record(&folder, [evening()]);
    assert_eq!(lines(&folder, "2026-11-21.db").len(), 2);
}

/// A process that was killed leaves the file with its log, as a copy of both has them.
#[test]
fn what_is_left_of_a_killed_process_is_read_and_written_on() {
    let folder = TempDir::new().unwrap();
    let events = folder.path().join("events");
    let (sink, writer) = Events::kept(&events, MAX_BYTES).unwrap();
    sink.record(evening(), TRACE, &event());
    sink.flushed().recv().unwrap();
    let left = TempDir::new().unwrap();
    fs::create_dir(left.path().join("events")).unwrap();
    for name in ["2026-11-21.db", "2026-11-21.db-wal"] {
        let to = left.path().join("events").join(name);
        fs::write(to, fs::read(events.join(name)).unwrap()).unwrap();
    }
    writer.finish();
    record(&left, [evening()]);
    assert_eq!(lines(&left, "2026-11-21.db").len(), 2);
}

#[test]
fn a_file_that_is_damaged_is_set_aside_and_the_next_events_are_written() {
    for damage in ["text", "middle"] {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("events/2026-11-21.db");
        record_all(&folder, MAX_BYTES, floods(1000));
        if damage == "text" {
            fs::write(&file, "a letter, and no database at all").unwrap();
        } else {
            let mut bytes = fs::read(&file).unwrap();
            bytes[4096..].fill(0xff);
            fs::write(&file, bytes).unwrap();
        }
        record(&folder, [evening()]);
        // The first batch is lost with the file.
        record(&folder, [evening()]);
        assert_eq!(lines(&folder, "2026-11-21.db").len(), 1, "{damage}");
        assert!(file.with_extension("db.damaged").exists());
    }
}

/// Protected events of many users, none of which is folded.
fn floods(count: usize) -> impl Iterator<Item = (Timestamp, Event)> {
    (0..count).map(|n| {
        let event = Event::new(EventKind::GrantRevoked).user(user(n));
        (evening(), event)
    })
}

/// SQLite reports a file that may not grow as it reports a full disk.
#[test]
fn a_full_disk_costs_the_events_that_have_no_room_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let mut journal = Journal::new(folder.path(), 40 * 4096, Arc::default()).unwrap();
    let fill = |journal: &mut Journal| {
        let line = |_| line(evening(), EventKind::UserDisabled, Source::Other);
        let lines: Vec<_> = (0..100).map(line).collect();
        journal.write(&lines);
    };
    fill(&mut journal);
    journal.max_bytes = u64::MAX;
    let mut fills = 0;
    while journal.today.is_some() {
        fill(&mut journal);
        fills += 1;
    }
    let file = folder.path().join("2026-11-21.db");
    let before = read(&file).len();
    assert_eq!(before, 100 * fills, "the last one had no room");
    // The disk has room again.
    fill(&mut journal);
    assert_eq!(read(&file).len(), before + 100);
}

#[test]
fn what_a_line_is_charged_is_what_it_takes_at_least() {
    let folder = TempDir::new().unwrap();
    let mut journal = Journal::new(folder.path(), 1 << 30, Arc::default()).unwrap();
    for (round, length) in [0, 300, 3000, 20_000].into_iter().enumerate() {
        let lines: Vec<_> = (0..500_u128)
            .map(|n| {
                let random = n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
                let mut line = line(evening(), EventKind::UserDisabled, Source::Other);
                line.trace_id = Some(format!("{random:032x}"));
                line.user = Some(UserId::from_bytes(random.to_be_bytes()).to_string());
                line.client = Some(format!("{random:064x}"));
                line.organization = Some(format!("{random:x}").into());
                line.text = "x".repeat(length);
                line
            })
            .collect();
        journal.write(&lines);
        let today = journal.today.as_ref().unwrap();
        let (charged, taken) = (today.bytes, today.file.bytes().unwrap());
        assert!(
            taken <= charged && charged <= 2 * taken,
            "{round}: {taken} {charged}"
        );
    }
}

#[test]
fn files_of_more_than_30_days_ago_are_deleted_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let events = folder.path().join("events");
    fs::create_dir(&events).unwrap();
    for name in [
        "2026-10-21.db",
        "2026-10-21.db-wal",
        "2026-10-21.jsonl",
        "2026-10-22.db",
        "2026-10-22.jsonl",
        "notes.db",
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
            "2026-10-22.db",
            "2026-10-22.jsonl",
            "2026-11-21.db",
            "notes.db"
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
    record_all(&folder, 8 * MAX_BYTES, (0..5000).map(revoked));
    let count = |file| lines(&folder, file).len();
    assert_eq!(
        [count("2026-11-21.db"), count("2026-11-22.db")],
        [2500, 2500]
    );
}

/// Of a day that is over, the file alone has all: it needs no log, and no one has it open.
#[test]
fn the_lines_of_a_day_that_is_over_are_brought_to_the_disk() {
    let folder = TempDir::new().unwrap();
    let mut journal = Journal::new(folder.path(), MAX_BYTES, Arc::default()).unwrap();
    let at = [evening(), evening() + DAY];
    journal.write(&at.map(|at| line(at, EventKind::GrantRevoked, Source::Other)));
    let logs = ["2026-11-21.db-wal", "2026-11-22.db-wal"];
    let logs = logs.map(|log| folder.path().join(log).exists());
    assert_eq!(logs, [false, true]);
    assert_eq!(read(&folder.path().join("2026-11-21.db")).len(), 1);
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
    assert_eq!(lines(&folder, "2026-11-21.db").len(), 2);
    assert!(logged.contains("device_approved") && logged.contains("tokens_issued"));
    assert!(!logged.contains("tokens_refreshed"), "{logged}");
}

#[test]
fn a_full_queue_drops_and_counts_and_never_waits() {
    let (sender, receiver) = sync_channel(1);
    let sink = Events {
        journal: Some(sender),
        queue: Arc::default(),
        files: None,
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
        let (target, day) = (folder.path().join(kind), events.join("2026-11-21.db"));
        fs::write(&target, "").unwrap();
        let mut journal = Journal::new(&events, MAX_BYTES, Arc::default()).unwrap();
        match kind {
            "soft" => std::os::unix::fs::symlink(&target, &day).unwrap(),
            _ => fs::hard_link(&target, &day).unwrap(),
        }
        journal.write(&[line(evening(), EventKind::GrantRevoked, Source::Other)]);
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
        files: None,
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
