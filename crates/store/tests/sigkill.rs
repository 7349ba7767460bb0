//! A process that is killed while it writes has lost nothing that it answered.

#![expect(clippy::expect_used, reason = "a part of tests")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use grantor_core::row::{Committed, Key, NewRow, Version, Write};
use grantor_core::time::Timestamp;
use grantor_store::Store;
use grantor_store::sqlite::Sqlite;
use tempfile::TempDir;

/// Where the victim finds its store; without it there is nothing to do.
const STORE: &str = "GRANTOR_TEST_VICTIM_STORE";
const ROUNDS: u64 = 5;
const WRITERS: u64 = 16;
/// So many answers are waited for; the kill comes in the middle of more.
const ANSWERS: usize = 500;

#[tokio::test]
async fn sigkill_loses_nothing_that_was_answered() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let mut answered = Vec::new();
    for round in 0..ROUNDS {
        answered.extend(kill_one(&path));
        let store = Sqlite::open(&path).unwrap();
        for n in &answered {
            let rows = store.get(&[key("a", *n), key("b", *n)]).await.unwrap();
            let versions: Vec<_> = rows.into_iter().flatten().map(|row| row.version).collect();
            assert_eq!(
                versions,
                [version(*n); 2],
                "round {round}: commit {n} was answered"
            );
        }
        // What was under way when the kill came happened as a whole or not at all.
        for n in 0..*answered.iter().max().unwrap() + 1000 {
            let rows = store.get(&[key("a", n), key("b", n)]).await.unwrap();
            assert_eq!(
                rows[0].is_some(),
                rows[1].is_some(),
                "round {round}: commit {n} is half"
            );
        }
    }
    assert!(answered.len() >= ANSWERS * 5);
}

/// Starts a victim, kills it while it writes, and gives the commits that it had answers to.
fn kill_one(store: &Path) -> Vec<u64> {
    let mut victim = Victim::start(store);
    let mut lines = BufReader::new(victim.0.stdout.take().expect("it is piped"));
    let mut answered = Vec::new();
    let mut line = String::new();
    while answered.len() < ANSWERS {
        line.clear();
        assert_ne!(
            lines.read_line(&mut line).expect("it can be read"),
            0,
            "the victim ended by itself"
        );
        answered.extend(parse(&line));
    }
    victim.0.kill().expect("it runs");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("it can be read");
    // The last line may be cut off by the kill.
    answered.extend(rest.split_inclusive('\n').filter_map(parse));
    answered
}

fn parse(line: &str) -> Option<u64> {
    line.strip_suffix('\n')?
        .strip_prefix("answered ")?
        .parse()
        .ok()
}

struct Victim(Child);

impl Victim {
    /// This very test binary, told to run the test below only.
    fn start(store: &Path) -> Self {
        let victim = Command::new(std::env::current_exe().expect("the test runs"))
            .args(["--exact", "victim", "--ignored", "--nocapture"])
            .env(STORE, store)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        Self(victim)
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "the process that the test above kills; by itself it does nothing"]
async fn victim() {
    #[expect(clippy::disallowed_methods, reason = "what the parent test hands over")]
    let Some(path) = std::env::var_os(STORE).map(PathBuf::from) else {
        return;
    };
    let store = Arc::new(Sqlite::open(path).unwrap());
    let mut first = 0;
    while store.get(&[key("a", first)]).await.unwrap()[0].is_some() {
        first += 1;
    }
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for n in (first + writer..).step_by(16) {
                let writes = ["a", "b"].map(|kind| Write::Insert(row(key(kind, n))));
                // One that was under way at an earlier kill may be there already.
                let committed = store
                    .commit(Timestamp::default(), version(n), writes.into())
                    .await;
                if committed == Ok(Committed::Done) {
                    println!("answered {n}");
                }
            }
        });
    }
    writers.join_all().await;
}

fn row(key: Key) -> NewRow {
    NewRow {
        key,
        expires_at: None,
        value: [b'x'; 400][..].into(),
        indexes: Vec::new(),
    }
}

fn key(kind: &str, n: u64) -> Key {
    Key::new("default", kind, &n.to_string())
}

fn version(n: u64) -> Version {
    Version::from_bytes(u128::from(n).to_be_bytes())
}
