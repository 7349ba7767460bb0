//! Commits whose loss, in whole or in part, can be detected.
//!
//! Each writer's commits form a chain: commit k updates the writer's head, expecting that of k - 1, inserts step k and
//! deletes step k - 3. So the number of commits of each writer determines the content of the store.

use std::path::Path;

use futures_util::future::join_all;
use grantor_core::base::row::{Committed, Index, IndexName, Key, NewRow, Row, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::Store;
use grantor_store::sqlite::Sqlite;
use rusqlite::{Connection, OpenFlags};

pub(crate) const WRITERS: usize = 6;
/// The number of steps of a writer that are kept.
const STEPS: usize = 3;

/// The number of commits of each writer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger([usize; WRITERS]);

impl Ledger {
    pub(crate) fn commits(&self) -> usize {
        self.0.iter().sum()
    }

    /// Reads the content of a store; the error describes a commit in part.
    pub(crate) async fn read(store: &Sqlite) -> Result<Self, String> {
        let mut ledger = Self::default();
        for (writer, commits) in ledger.0.iter_mut().enumerate() {
            let failed = |error| format!("writer {writer}: {error}");
            let head = store.get(&[head(writer)]).await.map_err(failed)?.remove(0);
            let mut want: Vec<Row> = Vec::new();
            if let Some(head) = head {
                let last = number(head.version);
                *commits = last + 1;
                if head.value != value(writer, last) {
                    return Err(format!(
                        "writer {writer}: the value of head {last} is another"
                    ));
                }
                want.extend(((last + 1).saturating_sub(STEPS)..=last).map(|k| stored(writer, k)));
            }
            let listed = Index::Named(index(writer));
            let listed = store.list(&listed, None, 1000).await.map_err(failed)?;
            let kind = Index::Kind {
                realm: "default".to_owned(),
                kind: kind(writer),
            };
            let there = store.list(&kind, None, 1000).await.map_err(failed)?;
            for (what, found) in [("listed", listed), ("there", there)] {
                if found != want {
                    let keys = |rows: &[Row]| {
                        format!("{:?}", rows.iter().map(|row| &row.key).collect::<Vec<_>>())
                    };
                    return Err(format!(
                        "writer {writer}: {commits} commits, and these steps are {what}: {}, not {}",
                        keys(&found),
                        keys(&want)
                    ));
                }
            }
        }
        Ok(ledger)
    }

    /// The error describes what is missing of `least`, or what is not in `most`.
    pub(crate) fn is_between(&self, least: &Self, most: &Self) -> Result<(), String> {
        for writer in 0..WRITERS {
            let (found, least, most) = (self.0[writer], least.0[writer], most.0[writer]);
            if found < least {
                return Err(format!(
                    "commit {found} of writer {writer} was answered and is lost, and {} after it",
                    least - found - 1
                ));
            }
            if found > most {
                return Err(format!(
                    "writer {writer} has {found} commits, and asked for {most}"
                ));
            }
        }
        Ok(())
    }
}

/// The answered commits, with their positions in a trace.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    before: Ledger,
    since: Vec<(u64, usize)>,
}

impl From<Ledger> for Answered {
    fn from(before: Ledger) -> Self {
        let since = Vec::new();
        Self { before, since }
    }
}

impl Answered {
    /// The commits that were answered before this position.
    pub(crate) fn until(&self, position: u64) -> Ledger {
        let mut ledger = self.before.clone();
        for (_, writer) in self.since.iter().filter(|(at, _)| *at <= position) {
            ledger.0[*writer] += 1;
        }
        ledger
    }

    pub(crate) fn all(&self) -> Ledger {
        self.until(u64::MAX)
    }

    /// Each writer commits once more, all at the same time.
    pub(crate) async fn write(&mut self, store: &Sqlite, position: impl Fn() -> u64) {
        let next = self.all();
        let commits = next.0.into_iter().enumerate().map(|(writer, k)| {
            let position = &position;
            async move {
                let commit = store.commit(Timestamp::default(), version(k), writes(writer, k));
                assert_eq!(commit.await, Ok(Committed::Done), "writer {writer}, {k}");
                (position(), writer)
            }
        });
        self.since.extend(join_all(commits).await);
    }
}

/// SQLite's integrity check.
pub(crate) fn check_integrity(path: &Path) -> Result<(), String> {
    let read = |error: rusqlite::Error| error.to_string();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(path, flags).map_err(read)?;
    let said: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .map_err(read)?;
    if said == "ok" { Ok(()) } else { Err(said) }
}

fn writes(writer: usize, k: usize) -> Vec<Write> {
    let row = NewRow {
        key: head(writer),
        expires_at: None,
        value: value(writer, k),
        indexes: Vec::new(),
    };
    let mut writes = vec![
        match k.checked_sub(1) {
            None => Write::Insert(row),
            Some(last) => Write::Update {
                row,
                expect: version(last),
            },
        },
        Write::Insert(NewRow {
            key: step(writer, k),
            expires_at: Some(Timestamp::from_secs(k as u64)),
            value: value(writer, k),
            indexes: vec![index(writer)],
        }),
    ];
    if let Some(old) = k.checked_sub(STEPS) {
        writes.push(Write::Delete {
            key: step(writer, old),
            expect: version(old),
        });
    }
    writes
}

fn stored(writer: usize, k: usize) -> Row {
    Row {
        key: step(writer, k),
        version: version(k),
        expires_at: Some(Timestamp::from_secs(k as u64)),
        value: value(writer, k),
    }
}

/// Values of many lengths, some longer than a page.
fn value(writer: usize, k: usize) -> std::sync::Arc<[u8]> {
    let length = 200 + (k * 7919 + writer * 104_729) % 20_000;
    vec![b'a' + u8::try_from(writer).expect("there are few"); length].into()
}

fn head(writer: usize) -> Key {
    Key::new("default", "head", &writer.to_string())
}

fn kind(writer: usize) -> String {
    format!("step{writer}")
}

/// Keys in the order of their numbers.
fn step(writer: usize, k: usize) -> Key {
    Key::new("default", &kind(writer), &format!("{k:06}"))
}

fn index(writer: usize) -> IndexName {
    IndexName::new("default", "steps_of", &writer.to_string())
}

fn version(k: usize) -> Version {
    Version::from_bytes((k as u128).to_be_bytes())
}

fn number(version: Version) -> usize {
    usize::try_from(u128::from_be_bytes(*version.as_bytes())).expect("it is one of ours")
}
