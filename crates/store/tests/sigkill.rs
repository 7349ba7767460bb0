//! A process that is killed while it writes loses no answered commit, and redeems no ticket twice after a restart.

#![expect(clippy::expect_used, reason = "a part of tests")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use grantor_core::base::row::{Committed, Key, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::Store;
use grantor_store::sqlite::Sqlite;
use tempfile::TempDir;

/// The environment variable with the number of kills, instead of `ROUNDS`.
const ROUNDS_WANTED: &str = "GRANTOR_TEST_SIGKILL_ROUNDS";
const ROUNDS: usize = 20;
/// The environment variable with the path of the victim's store.
const STORE: &str = "GRANTOR_TEST_VICTIM_STORE";
const WRITERS: u64 = 16;
/// The number of redemptions before the kill, which interrupts others.
const ANSWERS: usize = 200;
/// The tasks that redeem a ticket, both at the same time.
const RACERS: [u64; 2] = [1, 2];

/// The tickets that the victims reported as issued and as redeemed.
#[derive(Default)]
struct Answered {
    issued: HashSet<u64>,
    redeemed: HashSet<u64>,
}

#[tokio::test]
async fn sigkill_loses_no_answered_commit_and_redeems_nothing_twice() {
    #[expect(clippy::disallowed_methods, reason = "an option of this test")]
    let rounds = std::env::var(ROUNDS_WANTED)
        .map_or(ROUNDS, |rounds| rounds.parse().expect("it is a number"));
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let mut answered = Answered::default();
    for round in 0..rounds {
        kill_one(&path, &mut answered);
        let store = Sqlite::open(&path).unwrap();
        // A commit that was interrupted by the kill is complete or absent.
        let last = answered.issued.iter().max().unwrap() + 1000;
        for n in 0..last {
            let ticket = Ticket::read(&store, n).await;
            let least = match n {
                n if answered.redeemed.contains(&n) => Ticket::Redeemed,
                n if answered.issued.contains(&n) => Ticket::Issued,
                _ => Ticket::None,
            };
            assert!(
                ticket >= least,
                "round {round}: ticket {n} is {ticket:?}, and was answered to be {least:?}"
            );
        }
    }
    assert!(answered.redeemed.len() >= ANSWERS * rounds);
    println!(
        "{rounds} kills, {} tickets redeemed",
        answered.redeemed.len()
    );
}

/// Starts a victim, kills it while it writes, and records what it reported.
fn kill_one(store: &Path, answered: &mut Answered) {
    let mut victim = Victim::start(store);
    let mut lines = BufReader::new(victim.0.stdout.take().expect("it is piped"));
    let enough = answered.redeemed.len() + ANSWERS;
    let mut line = String::new();
    while answered.redeemed.len() < enough {
        line.clear();
        assert_ne!(
            lines.read_line(&mut line).expect("it can be read"),
            0,
            "the victim ended by itself"
        );
        answered.hear(&line);
    }
    victim.0.kill().expect("it runs");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("it can be read");
    for line in rest.split_inclusive('\n') {
        answered.hear(line);
    }
}

impl Answered {
    /// Reads a line from the victim; the kill may truncate the last one.
    fn hear(&mut self, line: &str) {
        let Some((what, n)) = line
            .strip_suffix('\n')
            .and_then(|line| line.split_once(' '))
        else {
            return;
        };
        match (what, n.parse()) {
            ("issued", Ok(n)) => assert!(self.issued.insert(n), "ticket {n} was issued twice"),
            ("redeemed", Ok(n)) => {
                assert!(self.redeemed.insert(n), "ticket {n} was redeemed twice");
            }
            // A line of the test harness.
            _ => {}
        }
    }
}

struct Victim(Child);

impl Victim {
    /// This test binary, running only the test below.
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
    // Ends the line that the test harness has begun.
    println!();
    let mut first = 0;
    loop {
        match Ticket::read(&store, first).await {
            Ticket::None => break,
            // Redeemed or not by an earlier victim that did not report it.
            Ticket::Issued => redeem(&store, first).await,
            Ticket::Redeemed => {}
        }
        first += 1;
    }
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for n in (first + writer..).step_by(16) {
                issue(&store, n).await;
                redeem(&store, n).await;
            }
        });
    }
    writers.join_all().await;
}

/// The state of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ticket {
    None,
    Issued,
    Redeemed,
}

impl Ticket {
    /// Reads the ticket, and checks that no commit is there in part.
    async fn read(store: &Sqlite, n: u64) -> Self {
        let keys = ["ticket", "number", "receipt"].map(|kind| key(kind, n));
        let rows = store.get(&keys).await.expect("it can be read");
        let versions: Vec<_> = rows
            .iter()
            .map(|row| row.as_ref().map(|r| r.version))
            .collect();
        let issued = Some(version(n, 0));
        if versions == [None; 3] {
            return Self::None;
        }
        if versions == [issued, issued, None] {
            return Self::Issued;
        }
        let by = |racer| versions == [Some(version(n, racer)), issued, Some(version(n, racer))];
        assert!(
            RACERS.into_iter().any(by),
            "ticket {n} is half: {versions:?}"
        );
        Self::Redeemed
    }
}

async fn issue(store: &Sqlite, n: u64) {
    let rows = ["ticket", "number"].map(|kind| Write::Insert(row(key(kind, n))));
    // The ticket may exist from a commit that an earlier kill interrupted.
    if commit(store, version(n, 0), rows.into()).await == Committed::Done {
        println!("issued {n}");
    }
}

/// Redeems a ticket in two concurrent tasks; at most one succeeds.
async fn redeem(store: &Sqlite, n: u64) {
    let race = RACERS.map(|racer| async move {
        let update = Write::Update {
            row: row(key("ticket", n)),
            expect: version(n, 0),
        };
        let writes = vec![update, Write::Insert(row(key("receipt", n)))];
        if commit(store, version(n, racer), writes).await == Committed::Done {
            println!("redeemed {n}");
        }
    });
    futures_util::future::join_all(race).await;
}

async fn commit(store: &Sqlite, id: Version, writes: Vec<Write>) -> Committed {
    store
        .commit(Timestamp::default(), id, writes)
        .await
        .expect("it can be written")
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

/// The version that is written by the ticket's issue (0) or by one of the two tasks.
fn version(n: u64, by: u64) -> Version {
    Version::from_bytes((u128::from(n) << 64 | u128::from(by)).to_be_bytes())
}
