//! Floods: what is folded, and what has room in a full day.

use super::*;

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
    let lines = lines(&folder, "2026-11-21.db");
    assert_eq!(lines.len(), 9);
    let user = |n: u32| {
        grantor_core::model::ids::UserId::from_username("test", &n.to_string()).to_string()
    };
    assert_eq!(
        lines[8],
        serde_json::json!({
            "at": "2026-11-21T23:59:29.519Z", "outcome": "refused", "kind": "tries_used_up", "network": "192.0.2.0/24",
            "count": 20_000 - 8, "subjects": (8..16).map(user).collect::<Vec<_>>(),
        })
    );
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
    let lines = lines(&folder, "2026-11-21.db");
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
fn refusals_of_other_clients_and_codes_in_a_network_are_lines_of_their_own() {
    let folder = TempDir::new().unwrap();
    let refused = |client: &str, error: &'static str| {
        let event = Event::new(EventKind::Refused).request("token", error, "Refused.");
        let mut event = event.peer(&grantor_core::base::peer::Peer::new(
            "192.0.2.1".parse().unwrap(),
            "",
        ));
        event.client = Some(client.parse().unwrap());
        (evening() - Duration::from_secs(30), event)
    };
    let mut events: Vec<_> = (0..100).map(|_| refused("loud", "invalid_grant")).collect();
    events.push(refused("quiet", "invalid_grant"));
    events.push(refused("loud", "invalid_scope"));
    // Nobody gets more lines by naming many.
    events.extend((0..100).map(|n| refused(&format!("c{n}"), "invalid_grant")));
    record_all(&folder, MAX_BYTES, events);
    let lines = lines(&folder, "2026-11-21.db");
    let of = |client: &str| lines.iter().filter(|line| line["client"] == client).count();
    assert_eq!((of("loud"), of("quiet")), (8 + 1, 1));
    assert_eq!(lines.len(), 8 + 7 + 1, "and one with the count");
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
    assert_eq!(lines(&folder, "2026-11-21.db").len(), 1000 + 1);
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
    let lines = lines(&folder, "2026-11-21.db");
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
        journal.write(&[line(evening(), kind, Source::User(user(of)))]);
        journal.today.as_ref().unwrap().bytes
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
    let each = cost(&line(evening(), EventKind::UserDisabled, Source::Other));
    assert_eq!(write(EventKind::UserDisabled, 2), before + 3 * each);
}

/// Of the last quarter no kind takes more than half, of however many users.
#[test]
fn a_full_day_stops_routine_events_first_and_keeps_its_last_quarter_for_what_matters() {
    let folder = TempDir::new().unwrap();
    let log = Log::default();
    let to = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || to.clone());
    let mut sizes = Vec::new();
    tracing::subscriber::with_default(subscriber.finish(), || {
        let mut journal = Journal::new(folder.path(), MAX_BYTES, Arc::default()).unwrap();
        for kind in [
            EventKind::TokensIssued,
            EventKind::TriesUsedUp,
            EventKind::GrantRevoked,
            EventKind::UserDisabled,
        ] {
            let lines: Vec<_> = (0..20_000)
                .map(|n| line(evening(), kind, Source::User(user(n))))
                .collect();
            journal.write(&lines);
            let bytes = journal.today.as_ref().unwrap().bytes;
            sizes.push((bytes * 8 + MAX_BYTES / 2) / MAX_BYTES);
        }
        // The next day begins with an empty file.
        let kind = EventKind::TokensIssued;
        journal.write(&[line(evening() + DAY, kind, Source::Other)]);
    });
    let file = folder.path().join("2026-11-21.db");
    assert!(fs::metadata(file).unwrap().len() <= MAX_BYTES);
    assert_eq!(sizes, [4, 6, 7, 8], "eighths of the file");
    assert_eq!(read(&folder.path().join("2026-11-22.db")).len(), 1);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(logged.lines().count(), 3, "once for each class: {logged}");
}
