//! A store that is damaged or gone is told in a sentence, and is not made worse.

#![expect(clippy::expect_used, reason = "a part of tests")]

#[path = "durability/folder.rs"]
mod folder;

use std::fs;
use std::path::{Path, PathBuf};

use grantor_core::base::row::{Committed, Key, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::sqlite::{OpenError, Sqlite};
use grantor_store::{Store, StoreError};
use tempfile::TempDir;

const ROWS: u64 = 100;
const PAGE: usize = 4096;

#[tokio::test]
async fn a_truncated_store_is_refused_and_left_alone() {
    let (_folder, path, whole) = closed_store().await;
    for (length, why) in [
        (2, "file is not a database"),
        (99, "database disk image is malformed"),
        (512, "database disk image is malformed"),
        (PAGE, "database disk image is malformed"),
        (PAGE + 1, "database disk image is malformed"),
        (whole.len() / 2, "database disk image is malformed"),
        (whole.len() - PAGE, "database disk image is malformed"),
    ] {
        assert_eq!(
            refused(&path, &whole[..length]),
            format!(
                "{} is not a Grantor store, or is damaged ({why}); it was left as it is",
                path.display()
            ),
            "cut to {length} bytes"
        );
    }
}

#[tokio::test]
async fn an_emptied_store_is_not_taken_for_a_new_one() {
    let (_folder, path, _) = closed_store().await;
    // SQLite takes one byte for none.
    for rest in [&b""[..], b"S"] {
        assert_eq!(refused(&path, rest), gone(&path, ".lock"));
    }
}

#[tokio::test]
async fn a_flipped_byte_of_the_header_never_gives_a_wrong_row() {
    let (_folder, path, whole) = closed_store().await;
    let mut told = 0;
    for at in 0..100 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        told += usize::from(is_told(&path, &damaged).await);
    }
    // The others are counters, and hints that a reader does not need.
    assert!(told >= 30, "{told} of 100 were told");
}

#[tokio::test]
async fn a_flipped_page_never_gives_a_wrong_row() {
    let (_folder, path, whole) = closed_store().await;
    for page in 0..whole.len() / PAGE {
        let mut damaged = whole.clone();
        for byte in &mut damaged[page * PAGE..(page + 1) * PAGE] {
            *byte ^= 0xff;
        }
        // An empty index has a page that no row needs.
        let needed = is_told(&path, &damaged).await;
        assert!(needed || page != 0, "page {page}");
    }
}

/// Opens a damaged store and reads it: each row is right or is said to be damaged, and the file
/// stays as it is. Whether anything was said.
async fn is_told(path: &Path, damaged: &[u8]) -> bool {
    fs::write(path, damaged).expect("it can be written");
    let mut told = false;
    match Sqlite::open(path) {
        Err(OpenError::NotAStore { .. } | OpenError::Newer { .. } | OpenError::Refused { .. }) => {
            told = true;
        }
        Err(other) => panic!("{other}"),
        Ok(store) => {
            for n in 0..ROWS {
                match store.get(&[key(n)]).await {
                    Ok(rows) => {
                        let row = rows[0].as_ref().expect("a row is not simply missing");
                        assert_eq!((row.version, &*row.value), (version(n), &*value(n)));
                    }
                    Err(StoreError::Corrupt(_)) => told = true,
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }
    assert!(
        fs::read(path).expect("it is there") == damaged,
        "the file was changed"
    );
    told
}

#[tokio::test]
async fn a_store_that_is_gone_is_not_begun_anew() {
    let (folder, path, whole) = closed_store().await;
    let away = folder.path().join("away.db");
    fs::rename(&path, &away).unwrap();
    assert_eq!(
        Sqlite::open(&path).unwrap_err().to_string(),
        gone(&path, ".lock")
    );
    // And again: the first refusal has taken nothing away that tells.
    assert_eq!(
        Sqlite::open(&path).unwrap_err().to_string(),
        gone(&path, ".lock")
    );
    assert_eq!(names(folder.path()), ["a.db.lock", "away.db"]);

    fs::rename(&away, &path).unwrap();
    drop(Sqlite::open(&path).unwrap());
    assert!(fs::read(&path).unwrap() == whole, "it is back as it was");

    fs::remove_file(&path).unwrap();
    fs::remove_file(beside(&path, ".lock")).unwrap();
    Sqlite::open(&path).expect("a new one, as the refusal said");
}

#[tokio::test]
async fn a_log_without_its_store_is_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = filled(&path).await;
    // What a process that was killed leaves, but for the lock.
    let crashed = TempDir::new().unwrap();
    let left = crashed.path().join("a.db");
    for suffix in ["", "-wal"] {
        fs::copy(beside(&path, suffix), beside(&left, suffix)).unwrap();
    }
    drop(store);

    let away = crashed.path().join("away.db");
    fs::rename(&left, &away).unwrap();
    assert_eq!(
        Sqlite::open(&left).unwrap_err().to_string(),
        gone(&left, "-wal")
    );
    fs::write(&left, b"").unwrap();
    assert_eq!(
        Sqlite::open(&left).unwrap_err().to_string(),
        gone(&left, "-wal")
    );
    fs::rename(&away, &left).unwrap();
    assert_whole(&Sqlite::open(&left).unwrap()).await;
}

#[tokio::test]
async fn a_store_that_is_deleted_while_open_answers_nothing_more() {
    for suffix in ["", "-wal"] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("a.db");
        let store = filled(&path).await;
        fs::remove_file(beside(&path, suffix)).unwrap();
        assert_refuses_all(&store, &path).await;
    }
}

#[tokio::test]
async fn a_store_that_is_moved_while_open_goes_on_when_it_is_back() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = filled(&path).await;
    let away = folder.path().join("away.db");
    fs::rename(&path, &away).unwrap();
    assert_refuses_all(&store, &path).await;
    fs::rename(&away, &path).unwrap();
    assert!(store.check(Timestamp::default()).await.is_ok());
    assert_eq!(commit(&store, ROWS).await, Ok(Committed::Done));
    assert_whole(&store).await;

    // Closed while it is away, its log waits for it.
    fs::rename(&path, &away).unwrap();
    drop(store);
    assert_eq!(
        Sqlite::open(&path).unwrap_err().to_string(),
        gone(&path, ".lock")
    );
    fs::rename(&away, &path).unwrap();
    assert_whole(&Sqlite::open(&path).unwrap()).await;
}

#[tokio::test]
async fn what_takes_the_place_of_an_open_store_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = filled(&path).await;
    let away = folder.path().join("away.db");
    for suffix in ["", "-wal"] {
        fs::rename(beside(&path, suffix), beside(&away, suffix)).unwrap();
        fs::write(beside(&path, suffix), "of somebody else").unwrap();
    }
    assert_refuses_all(&store, &path).await;
    drop(store);
    for suffix in ["", "-wal"] {
        let there = fs::read(beside(&path, suffix)).expect("it was not deleted");
        assert_eq!(there, b"of somebody else");
    }
    assert_whole(&Sqlite::open(&away).unwrap()).await;
}

async fn assert_refuses_all(store: &Sqlite, path: &Path) {
    let text = format!(
        "the store is unavailable: {} or its log was moved, replaced or deleted while it was open: \
         bring it back",
        path.display()
    );
    let said = |error: StoreError| error.to_string();
    assert_eq!(
        commit(store, ROWS).await.map_err(said),
        Err(text.clone()),
        "commit"
    );
    assert_eq!(
        store.get(&[key(0)]).await.map_err(said),
        Err(text.clone()),
        "get"
    );
    assert_eq!(
        store
            .sweep(Timestamp::from_secs(1000), 10)
            .await
            .map_err(said),
        Err(text.clone()),
        "sweep"
    );
    let health = store.check(Timestamp::default()).await;
    assert_eq!(health.map_err(said), Err(text), "check");
}

async fn assert_whole(store: &Sqlite) {
    for n in 0..ROWS {
        let rows = store.get(&[key(n)]).await.expect("it can be read");
        assert_eq!(
            rows[0].as_ref().map(|row| row.version),
            Some(version(n)),
            "commit {n} was answered"
        );
    }
}

/// A store with rows, closed, and what is in its file.
async fn closed_store() -> (TempDir, PathBuf, Vec<u8>) {
    let folder = folder::in_memory();
    let path = folder.path().join("a.db");
    drop(filled(&path).await);
    let whole = fs::read(&path).expect("it is there");
    assert!(whole.len() > 10 * PAGE);
    (folder, path, whole)
}

async fn filled(path: &Path) -> Sqlite {
    let store = Sqlite::open(path).expect("it can be made");
    for n in 0..ROWS {
        assert_eq!(commit(&store, n).await, Ok(Committed::Done));
    }
    store
}

/// Opens what must be refused, and must not be touched by it.
fn refused(path: &Path, contents: &[u8]) -> String {
    fs::write(path, contents).expect("it can be written");
    let Err(error) = Sqlite::open(path) else {
        panic!("{} bytes of it were opened", contents.len());
    };
    assert!(
        fs::read(path).expect("it is there") == contents,
        "the file was changed"
    );
    error.to_string()
}

fn gone(path: &Path, left: &str) -> String {
    format!(
        "the store {} is gone or empty, and {} tells that it was here: bring the store back, or \
         remove the latter to begin a new store",
        path.display(),
        beside(path, left).display()
    )
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("it is there")
        .map(|file| {
            let file = file.expect("it can be read");
            file.file_name().into_string().expect("it is ours")
        })
        .collect();
    names.sort();
    names
}

async fn commit(store: &Sqlite, n: u64) -> Result<Committed, StoreError> {
    let row = NewRow {
        key: key(n),
        expires_at: None,
        value: value(n).into(),
        indexes: Vec::new(),
    };
    store
        .commit(Timestamp::default(), version(n), vec![Write::Insert(row)])
        .await
}

fn key(n: u64) -> Key {
    Key::new("default", "grant", &n.to_string())
}

fn version(n: u64) -> Version {
    Version::from_bytes(u128::from(n).to_be_bytes())
}

fn value(n: u64) -> Vec<u8> {
    format!("{n} ").repeat(100).into_bytes()
}
