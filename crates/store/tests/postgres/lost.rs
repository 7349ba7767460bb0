//! Connections that are lost during commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use grantor_core::base::row::{Committed, Index, Key, NewRow, Row, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::Store as _;
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;
use tokio_postgres::{Client, Config};

use crate::server::Server;
use crate::store::Postgres;
use crate::{open, with};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
/// The time limit of a test.
const LONG: Duration = Duration::from_secs(120);

fn new_id() -> Version {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let last = LAST.fetch_add(1, Ordering::Relaxed);
    Version::from_bytes(u128::from(last).to_be_bytes())
}

fn key(name: &str) -> Key {
    Key::new("default", "grant", name)
}

fn row(name: &str, value: &str) -> NewRow {
    NewRow {
        key: key(name),
        expires_at: None,
        value: value.as_bytes().into(),
        indexes: Vec::new(),
    }
}

fn update(name: &str, expect: Version) -> Write {
    Write::Update {
        row: row(name, "updated"),
        expect,
    }
}

async fn inserted(store: &Postgres, name: &str) -> Version {
    let (id, insert) = (new_id(), Write::Insert(row(name, "0")));
    let done = store.commit(NOW, id, vec![insert]).await;
    assert_eq!(done, Ok(Committed::Done));
    id
}

async fn version(store: &Postgres, name: &str) -> Option<Version> {
    let rows = store.get(&[key(name)]).await.expect("the store answers");
    rows.into_iter().flatten().map(|row| row.version).next()
}

/// The server process of this store that waits for `event`.
async fn waiting(admin: &Client, config: &Config, event: &str) -> i32 {
    let store = config.get_application_name();
    let find = "SELECT pid FROM pg_stat_activity
                WHERE application_name = $1 AND $2 IN (wait_event_type, wait_event)";
    loop {
        let found = admin.query(find, &[&store, &event]).await;
        if let [process] = &found.expect("PostgreSQL answers")[..] {
            return process.get(0);
        }
        yield_now().await;
    }
}

async fn terminate(admin: &Client, process: i32) {
    let terminate = "SELECT pg_terminate_backend($1)";
    let done = admin.execute(terminate, &[&process]).await;
    done.expect("PostgreSQL answers");
}

/// Locks the row `name` until the client commits.
async fn lock(config: &Config, name: &str) -> Client {
    let client = crate::connect(config).await.expect("PostgreSQL answers");
    client.batch_execute("BEGIN").await.expect("it begins");
    let lock = "SELECT FROM rows WHERE key = $1 FOR UPDATE";
    let key = key(name);
    let locked = client.execute(lock, &[&key.as_str().as_bytes()]).await;
    assert_eq!(locked.expect("PostgreSQL answers"), 1);
    client
}

#[tokio::test]
async fn a_commit_whose_connection_is_lost_is_unknown_and_was_not_written() {
    let config = Server::get().fresh().await;
    let (store, admin) = (open(config.clone()).await, Server::get().admin().await);
    let old = inserted(&store, "b").await;
    let holder = lock(&config, "b").await;
    // "a" is already written in the transaction when it waits for "b".
    let writes = vec![Write::Insert(row("a", "new")), update("b", old)];
    let (ended, ()) = timeout(LONG, async {
        tokio::join!(store.commit(NOW, new_id(), writes), async {
            terminate(&admin, waiting(&admin, &config, "Lock").await).await;
        })
    })
    .await
    .unwrap();
    assert_eq!(ended, Ok(Committed::Unknown));
    drop(holder);
    assert_eq!(version(&store, "a").await, None);
    assert_eq!(version(&store, "b").await, Some(old));
}

#[tokio::test]
async fn a_commit_whose_connection_is_lost_is_unknown_and_was_written() {
    let config = Server::get().fresh().await;
    let admin = Server::get().admin().await;
    let old = inserted(&open(config.clone()).await, "b").await;
    // Its commits are written, and then wait for a standby that does not exist.
    let store = open(with(config.clone(), "synchronous_commit=on")).await;
    let (id, writes) = (
        new_id(),
        vec![Write::Insert(row("a", "new")), update("b", old)],
    );
    let (ended, ()) = timeout(LONG, async {
        tokio::join!(store.commit(NOW, id, writes), async {
            terminate(&admin, waiting(&admin, &config, "SyncRep").await).await;
        })
    })
    .await
    .unwrap();
    assert_eq!(ended, Ok(Committed::Unknown));
    assert_eq!(version(&store, "a").await, Some(id));
    assert_eq!(version(&store, "b").await, Some(id));
}

/// The contract for dropped futures; the same may follow an `Unknown`.
#[tokio::test]
async fn a_dropped_commit_may_be_applied_after_a_read_that_did_not_see_it() {
    let config = Server::get().fresh().await;
    let (store, admin) = (open(config.clone()).await, Server::get().admin().await);
    let old = inserted(&store, "a").await;
    let holder = lock(&config, "a").await;
    let id = new_id();
    timeout(LONG, async {
        tokio::select! {
            ended = store.commit(NOW, id, vec![update("a", old)]) => panic!("{ended:?}"),
            _ = waiting(&admin, &config, "Lock") => {}
        }
        assert_eq!(
            version(&store, "a").await,
            Some(old),
            "a read does not wait"
        );
        holder.batch_execute("COMMIT").await.unwrap();
        while version(&store, "a").await != Some(id) {
            yield_now().await;
        }
        // A decision that was based on that read conflicts.
        let again = store.commit(NOW, new_id(), vec![update("a", old)]).await;
        assert_eq!(again, Ok(Committed::Conflict(key("a"))));
    })
    .await
    .unwrap();
}

/// The outcomes of a test's tasks.
struct Tally {
    stop: AtomicBool,
    unknown: AtomicU64,
    done: watch::Sender<u64>,
}

/// Increments the counter, and inserts a witness row: the counter's version soon belongs to another commit.
async fn raise(store: &Postgres, tally: &Tally) {
    let witness = format!("witness {:?}", new_id());
    loop {
        let Ok(rows) = store.get(&[key("counter"), key(&witness)]).await else {
            continue;
        };
        let [Some(counter), earlier] = &rows[..] else {
            panic!("the counter is missing")
        };
        if earlier.is_some() {
            break;
        }
        let writes = vec![
            Write::Update {
                row: row("counter", &(count(counter) + 1).to_string()),
                expect: counter.version,
            },
            Write::Insert(row(&witness, "")),
        ];
        match store.commit(NOW, new_id(), writes).await {
            Ok(Committed::Done) => break,
            Ok(Committed::Unknown) => tally.unknown.fetch_add(1, Ordering::Relaxed),
            Ok(Committed::Conflict(_)) | Err(_) => 0,
        };
    }
    tally.done.send_modify(|done| *done += 1);
}

fn count(row: &Row) -> u64 {
    let text = str::from_utf8(&row.value).ok();
    text.and_then(|text| text.parse().ok()).expect("a counter")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_killed_connections_nothing_is_lost_and_nothing_happens_twice() {
    let config = Server::get().fresh().await;
    let store = Arc::new(open(config.clone()).await);
    inserted(&store, "counter").await;
    let tally = Arc::new(Tally {
        stop: AtomicBool::new(false),
        unknown: AtomicU64::new(0),
        done: watch::Sender::new(0),
    });
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (store, tally) = (Arc::clone(&store), Arc::clone(&tally));
        tasks.spawn(async move {
            while !tally.stop.load(Ordering::Relaxed) {
                raise(&store, &tally).await;
            }
        });
    }
    timeout(LONG, async {
        let (admin, mut done) = (Server::get().admin().await, tally.done.subscribe());
        while tally.unknown.load(Ordering::Relaxed) < 50 {
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE application_name = $1";
            let name = config.get_application_name();
            admin.execute(kill, &[&name]).await.unwrap();
            let next = *done.borrow_and_update() + 10;
            done.wait_for(|done| *done >= next).await.unwrap();
        }
        tally.stop.store(true, Ordering::Relaxed);
        tasks.join_all().await;
    })
    .await
    .unwrap();

    let done = *tally.done.borrow();
    let kind = Index::Kind {
        realm: "default".to_owned(),
        kind: "grant".to_owned(),
    };
    let rows = store.list(&kind, None, usize::MAX).await.unwrap();
    assert_eq!(count(&rows[0]), done);
    assert_eq!(rows.len() as u64 - 1, done, "each has its witness");
}
