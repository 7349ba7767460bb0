//! Pages: what they find, what they cost, and whose cursors they take.

use std::collections::BTreeSet;

use grantor_core::engine::event::EventOutcome;
use grantor_web::EventFilter;

use super::*;
use crate::events::read::{Found, MAX_ROWS};

fn files(folder: &TempDir) -> DayFiles {
    DayFiles::new(&folder.path().join("events"))
}

/// The pages from the newest to the end.
fn pages(files: &DayFiles, filter: &EventFilter, limit: usize) -> Vec<Found> {
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = files.find(filter, before, limit).unwrap();
        before = page.next;
        pages.push(page);
        if before.is_none() {
            return pages;
        }
    }
}

/// Each client by number, a minute apart, over three days; every tenth event is a denial, every hundredth of Bob's.
fn of_three_days(folder: &TempDir) -> usize {
    let count = 2 * 24 * 60;
    let minute = Duration::from_secs(60);
    let events = (0..count).map(|n| {
        let kind = match n % 10 {
            0 => EventKind::DeviceDenied,
            _ => EventKind::DeviceApproved,
        };
        let client = format!("client-{n}").parse().unwrap();
        let mut event = Event::new(kind)
            .client(&client)
            .user(user(n as usize % 100));
        event.organization = (n % 50 == 0).then(|| "acme".into());
        (evening() + minute * n, event)
    });
    record_all(folder, 64 * MAX_BYTES, events);
    count as usize
}

#[test]
fn pages_have_each_event_once_newest_first_across_days_whatever_the_filter() {
    let folder = TempDir::new().unwrap();
    let count = of_three_days(&folder);
    let files = files(&folder);
    let filters = [
        (EventFilter::default(), count),
        (
            EventFilter {
                trace_id: Some(TRACE.to_owned()),
                ..EventFilter::default()
            },
            count,
        ),
        (
            EventFilter {
                user: Some(user(7)),
                ..EventFilter::default()
            },
            count / 100 + 1,
        ),
        (
            EventFilter {
                client: Some("client-8".to_owned()),
                ..EventFilter::default()
            },
            1,
        ),
        (
            EventFilter {
                kind: Some(EventKind::DeviceDenied),
                ..EventFilter::default()
            },
            count / 10,
        ),
        (
            EventFilter {
                outcome: Some(EventOutcome::Refused),
                user: Some(user(10)),
                ..EventFilter::default()
            },
            count / 100 + 1,
        ),
        (
            EventFilter {
                outcome: Some(EventOutcome::Refused),
                user: Some(user(11)),
                ..EventFilter::default()
            },
            0,
        ),
        (
            EventFilter {
                organization: Some("acme".to_owned()),
                ..EventFilter::default()
            },
            count.div_ceil(50),
        ),
        // By the index of the trace, the others' events are passed over.
        (
            EventFilter {
                trace_id: Some(TRACE.to_owned()),
                organization: Some("acme".to_owned()),
                ..EventFilter::default()
            },
            count.div_ceil(50),
        ),
        (
            EventFilter {
                since: Some(evening() + Duration::from_secs(60 * 1000)),
                until: Some(evening() + Duration::from_secs(60 * 2000)),
                ..EventFilter::default()
            },
            1000,
        ),
    ];
    for (filter, expected) in filters {
        for limit in [37, 1000] {
            let pages = pages(&files, &filter, limit);
            let times = pages.iter().flat_map(|page| &page.events);
            let times: Vec<_> = times.map(|event| event["at"].as_str().unwrap()).collect();
            assert_eq!(times.len(), expected, "{filter:?}");
            assert!(times.is_sorted_by(|a, b| a > b), "{filter:?}");
            assert!(pages.iter().all(|page| page.events.len() <= limit));
        }
    }
}

/// Of what has no index a page finds nothing, and goes on where it stopped.
#[test]
fn a_page_looks_at_a_bounded_number_of_rows_at_the_end_as_at_the_beginning() {
    let folder = TempDir::new().unwrap();
    let mut journal = Journal::new(&folder.path().join("events"), 1 << 30, Arc::default()).unwrap();
    let count = 3 * MAX_ROWS;
    let lines: Vec<_> = (0..count)
        .map(|n| {
            let kind = match n {
                0 => EventKind::UserAdded,
                _ => EventKind::UserDisabled,
            };
            let mut line = line(evening(), kind, Source::Other);
            line.user = Some(user(n % 100).to_string());
            line.trace_id = Some(format!("{n:032x}"));
            line
        })
        .collect();
    journal.write(&lines);
    let files = files(&folder);

    let of_kind = EventFilter {
        kind: Some(EventKind::UserAdded),
        ..EventFilter::default()
    };
    let found = pages(&files, &of_kind, 10);
    let events = found.iter().map(|page| page.events.len());
    assert_eq!(events.collect::<Vec<_>>(), [0, 0, 0, 1]);
    assert!(found.iter().all(|page| page.rows <= MAX_ROWS));

    for n in [0, count / 2, count - 1] {
        let of_trace = EventFilter {
            trace_id: Some(format!("{n:032x}")),
            ..EventFilter::default()
        };
        let found = pages(&files, &of_trace, 10);
        assert_eq!((found.len(), found[0].rows), (1, 101));
    }
    let of_user = EventFilter {
        user: Some(user(3)),
        ..EventFilter::default()
    };
    let found = pages(&files, &of_user, 10);
    assert_eq!(found.len(), count / 100 / 10 + 1);
    assert!(found.iter().all(|page| page.rows <= 110));
}

#[tokio::test]
async fn a_cursor_is_taken_of_its_own_list_only_and_what_was_recorded_just_now_is_found() {
    let folder = TempDir::new().unwrap();
    let (sink, writer) = Events::kept(&folder.path().join("events"), MAX_BYTES).unwrap();
    let mut event = event();
    event.organization = Some("acme".into());
    for n in 0..3 {
        sink.record(evening() + Duration::from_secs(n), TRACE, &event);
    }
    let ask = async |filter: &EventFilter, after: Option<&str>| {
        let query = EventQuery {
            filter: filter.clone(),
            after: after.map(ToOwned::to_owned),
            limit: 1,
        };
        sink.page(query).await
    };
    let of = |organization: &str| EventFilter {
        organization: Some(organization.to_owned()),
        ..EventFilter::default()
    };
    let (acme, other) = (of("acme"), of("other"));
    assert!(ask(&other, None).await.unwrap().events.is_empty());
    let first = ask(&acme, None).await.unwrap();
    let cursor = first.next.unwrap();
    let second = ask(&acme, Some(&cursor)).await.unwrap();
    let times: BTreeSet<_> = [&first.events[0]["at"], &second.events[0]["at"]]
        .map(ToString::to_string)
        .into();
    assert_eq!(times.len(), 2);
    for filter in [&other, &EventFilter::default()] {
        let refused = ask(filter, Some(&cursor)).await;
        assert!(matches!(refused, Err(EventLogError::Cursor)), "{refused:?}");
    }
    let longer = format!("{cursor}AA");
    for made_up in ["", "AAAA", &cursor[1..], &longer, &"A".repeat(22), "ä"] {
        let refused = ask(&acme, Some(made_up)).await;
        assert!(matches!(refused, Err(EventLogError::Cursor)), "{made_up}");
    }
    writer.finish();
}

#[test]
fn a_file_that_is_damaged_or_not_ours_hides_no_other_day() {
    let folder = TempDir::new().unwrap();
    record(&folder, [evening(), evening() + DAY, evening() + DAY * 2]);
    let day = |name: &str| folder.path().join("events").join(name);
    fs::write(day("2026-11-22.db"), "a letter, and no database at all").unwrap();
    fs::rename(day("2026-11-23.db"), folder.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), day("2026-11-23.db")).unwrap();
    let found = pages(&files(&folder), &EventFilter::default(), 10);
    assert_eq!(found[0].events.len(), 1);
    assert_eq!(found[0].events[0]["at"], "2026-11-21T23:59:59.500Z");
}

/// Nor does a reader leave files behind.
#[test]
fn a_day_that_is_over_is_read_without_changing_it() {
    let folder = TempDir::new().unwrap();
    record(&folder, [evening()]);
    let names = || fs::read_dir(folder.path().join("events")).unwrap().count();
    let file = folder.path().join("events/2026-11-21.db");
    let before = (names(), fs::read(&file).unwrap());
    assert_eq!(
        pages(&files(&folder), &EventFilter::default(), 10)[0]
            .events
            .len(),
        1
    );
    assert_eq!(before, (names(), fs::read(&file).unwrap()));
}
