//! Concurrent commits: the single use of codes and tokens depends on these properties.

use std::sync::Arc;

use grantor_core::base::row::{Committed, Key, NewRow, Row, Write};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::kit::{
    NOW, check, commit, done, found, get, insert, insert_ending, key, names, new_id, row, update,
};
use crate::contract::{SWEEP_GRACE, Store};

/// Runs `count` tasks that start at the same time; returns their results in any order.
async fn together<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let begin = Arc::new(Barrier::new(count));
    let mut tasks = JoinSet::new();
    for n in 0..count {
        let (begin, work) = (Arc::clone(&begin), task(n));
        tasks.spawn(async move {
            begin.wait().await;
            work.await
        });
    }
    tasks.join_all().await
}

async fn one_of_64_wins(store: &Arc<dyn Store>, write: impl Fn(usize) -> Write) {
    let answers = together(64, |n| {
        let (store, write) = (Arc::clone(store), write(n));
        async move {
            let id = new_id();
            (id, store.commit(NOW, id, vec![write]).await)
        }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|(_, answer)| *answer == Ok(Committed::Done));
    assert_eq!(won.len(), 1, "one winner");
    let conflict = Ok(Committed::Conflict(key("one")));
    assert!(lost.iter().all(|(_, answer)| *answer == conflict));
    let version = found(store, "one").await.version;
    assert_eq!(version, won[0].0, "and the row is the winner's");
}

pub(super) async fn of_64_inserts_one_wins(store: Arc<dyn Store>) {
    one_of_64_wins(&store, |n| Write::Insert(row("one", &n.to_string()))).await;
}

pub(super) async fn of_64_updates_one_wins(store: Arc<dyn Store>) {
    let mut version = done(&store, [insert("one")]).await;
    for _ in 0..5 {
        one_of_64_wins(&store, |_| update("one", version)).await;
        version = found(&store, "one").await.version;
    }
}

/// Adds one to each of these rows, in this order, until it succeeds.
async fn increment(store: &dyn Store, names: &[&str]) {
    let keys: Vec<Key> = names.iter().map(|name| key(name)).collect();
    loop {
        let rows = store.get(&keys).await.expect("the store answers");
        let raised = |old: Row| {
            let row = row(
                old.key.as_str().rsplit('/').next().unwrap_or_default(),
                &(count(&old) + 1).to_string(),
            );
            Write::Update {
                row,
                expect: old.version,
            }
        };
        if commit(store, rows.into_iter().flatten().map(raised).collect()).await == Committed::Done
        {
            return;
        }
    }
}

fn count(row: &Row) -> u64 {
    std::str::from_utf8(&row.value)
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("a counter")
}

pub(super) async fn counters_lose_no_increment(store: Arc<dyn Store>) {
    done(&store, [Write::Insert(row("counter", "0"))]).await;
    together(16, |_| {
        let store = Arc::clone(&store);
        async move {
            for _ in 0..50 {
                increment(&store, &["counter"]).await;
            }
        }
    })
    .await;
    assert_eq!(count(&found(&store, "counter").await), 16 * 50);
}

pub(super) async fn checks_prevent_write_skew(store: Arc<dyn Store>) {
    for round in 0..100 {
        let names: Vec<String> = (0..8).map(|n| format!("{round}-{n}")).collect();
        let version = done(&store, names.iter().map(|name| insert(name))).await;
        // Each changes its own row only if the others are unchanged: at most one can succeed.
        let answers = together(names.len(), |own| {
            let write = |(n, name): (usize, &String)| {
                if n == own {
                    update(name, version)
                } else {
                    check(name, version)
                }
            };
            let (store, writes) = (
                Arc::clone(&store),
                names.iter().enumerate().map(write).collect(),
            );
            async move { commit(&store, writes).await }
        })
        .await;
        let won = answers
            .iter()
            .filter(|answer| **answer == Committed::Done)
            .count();
        assert!(won <= 1, "{won} were done");
    }
}

pub(super) async fn opposite_orders_do_not_deadlock(store: Arc<dyn Store>) {
    done(
        &store,
        [Write::Insert(row("a", "0")), Write::Insert(row("b", "0"))],
    )
    .await;
    together(8, |n| {
        let store = Arc::clone(&store);
        async move {
            let order = if n % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
            for _ in 0..25 {
                increment(&store, &order).await;
            }
        }
    })
    .await;
    let counts = (
        count(&found(&store, "a").await),
        count(&found(&store, "b").await),
    );
    assert_eq!(counts, (200, 200), "every commit raised both");
}

pub(super) async fn an_answered_commit_is_seen_by_every_reader(store: Arc<dyn Store>) {
    let mut version = done(&store, [insert("one")]).await;
    for _ in 0..50 {
        version = done(&store, [update("one", version)]).await;
        let seen = together(8, |_| {
            let store = Arc::clone(&store);
            async move { found(&store, "one").await.version }
        })
        .await;
        assert!(
            seen.iter().all(|seen| *seen == version),
            "a reader does not see the commit"
        );
    }
}

pub(super) async fn a_row_never_mixes_two_commits(store: Arc<dyn Store>) {
    done(&store, [insert("one")]).await;
    together(8, |n| {
        let store = Arc::clone(&store);
        async move {
            for _ in 0..100 {
                let row = found(&store, "one").await;
                if n < 2 {
                    let id = new_id();
                    // The value names the commit that wrote it, and is longer than a page of the file.
                    let value = id.as_bytes().repeat(1000).into();
                    let expect = row.version;
                    let row = NewRow {
                        value,
                        ..super::kit::row("one", "")
                    };
                    let writes = vec![Write::Update { row, expect }];
                    store.commit(NOW, id, writes).await.expect("it answers");
                } else if &*row.value != b"inserted" {
                    assert_eq!(*row.value, *row.version.as_bytes().repeat(1000));
                }
            }
        }
    })
    .await;
}

pub(super) async fn commits_and_sweeps_do_not_disturb_each_other(store: Arc<dyn Store>) {
    let swept = together(8, |n| {
        let store = Arc::clone(&store);
        async move {
            let mut swept = 0;
            for round in 0..25 {
                if n == 0 {
                    swept += store.sweep(NOW, 10).await.expect("the store answers");
                } else {
                    let name = format!("{n}-{round}");
                    let over = insert_ending(&format!("{name}-over"), NOW - SWEEP_GRACE);
                    done(&store, [insert(&name), over]).await;
                }
            }
            swept
        }
    })
    .await;
    let rest = store.sweep(NOW, 1000).await.expect("the store answers");
    assert_eq!(
        swept.iter().sum::<usize>() + rest,
        7 * 25,
        "each was swept once"
    );
    assert_eq!(names(&store).await.len(), 7 * 25);
    assert!(get(&store, "1-0").await.is_some());
}
