//! How many durable inserts the SQLite store takes: `cargo run --release -p grantor-store --example throughput [FOLDER]`.
//!
//! Each insert is a commit of its own, of one row as large as a grant. Give a folder on the disk
//! that is meant: the temporary one may be in memory.

#![expect(clippy::expect_used, reason = "a part of a measurement")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grantor_core::base::row::{Committed, Key, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::Store;
use grantor_store::sqlite::Sqlite;
use tokio::task::JoinSet;

const LASTS: Duration = Duration::from_secs(3);
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

#[tokio::main]
async fn main() {
    let within = std::env::args_os()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(within).expect("the folder can be written");
    for writers in [1, 16, 64] {
        let path = folder.path().join(format!("{writers}.db"));
        let store = Arc::new(Sqlite::open(path).expect("the store opens"));
        insert(&store, writers).await;
        if writers == 64 {
            read(&store).await;
        }
    }
}

async fn insert(store: &Arc<Sqlite>, writers: u128) {
    let begin = now();
    let mut tasks = JoinSet::new();
    for writer in 0..writers {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            let mut waits = Vec::new();
            while begin.elapsed() < LASTS {
                let n = waits.len() as u128 * writers + writer;
                let asked = now();
                let id = Version::from_bytes(n.to_be_bytes());
                let committed = store.commit(NOW, id, vec![Write::Insert(row(n))]).await;
                assert_eq!(committed, Ok(Committed::Done));
                waits.push(asked.elapsed());
            }
            waits
        });
    }
    let mut waits = tasks.join_all().await.concat();
    let rate = waits.len() as f64 / begin.elapsed().as_secs_f64();
    waits.sort_unstable();
    let (median, slow) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    println!("{writers:>2} writers: {rate:>6.0} inserts/s, p50 {median:?}, p99 {slow:?}");
}

async fn read(store: &Sqlite) {
    let (begin, count) = (now(), 100_000);
    for n in 0..count {
        // A stride, so that reads do not go along the file.
        let row = store.get(&[key(n * 7919 % 10_000)]).await;
        assert!(row.is_ok_and(|rows| rows[0].is_some()));
    }
    println!("point read: {:?}", begin.elapsed() / count as u32);
}

fn row(n: u128) -> NewRow {
    let expires_at = Some(NOW + Duration::from_millis(n as u64));
    NewRow {
        key: key(n),
        expires_at,
        value: [b'x'; 371][..].into(),
        indexes: Vec::new(),
    }
}

fn key(n: u128) -> Key {
    // Scattered, as random ids are.
    Key::new(
        "default",
        "grant",
        &format!(
            "{:032x}",
            n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        ),
    )
}

#[expect(clippy::disallowed_methods, reason = "a measurement is of real time")]
fn now() -> Instant {
    Instant::now()
}
