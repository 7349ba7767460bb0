//! A damaged or missing store is reported, and not changed.

use std::fs;
use std::path::{Path, PathBuf};

use grantor_core::base::row::{Committed, Key, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::sqlite::{OpenError, Sqlite};
use grantor_store::{Store, StoreError};
use tempfile::TempDir;

use crate::folder;

const ROWS: u64 = 100;
const PAGE: usize = 4096;

#[tokio::test]
async fn a_truncated_store_is_refused_and_not_changed() {
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
                "{} is not a Grantor store, or is damaged ({why}); it was not changed",
                path.display()
            ),
            "cut to {length} bytes"
        );
    }
}

#[tokio::test]
async fn an_emptied_store_is_not_opened_as_a_new_one() {
    let (_folder, path, _) = closed_store().await;
    // SQLite treats a single byte as an empty file.
    for rest in [&b""[..], b"S"] {
        assert_eq!(refused(&path, rest), missing(&path, ".lock"));
    }
}

#[tokio::test]
async fn a_flipped_byte_of_the_header_never_gives_a_wrong_row() {
    let (_folder, path, whole) = closed_store().await;
    let mut reported = 0;
    for at in 0..100 {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        reported += usize::from(is_reported(&path, &damaged).await);
    }
    // The others are counters, and hints that a reader does not need.
    assert!(reported >= 30, "{reported} of 100 were reported");
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
        let needed = is_reported(&path, &damaged).await;
        assert!(needed || page != 0, "page {page}");
    }
}

/// Opens a damaged store and reads it: each row is correct or reported as damaged, and the file is not changed. Returns
/// whether damage was reported.
async fn is_reported(path: &Path, damaged: &[u8]) -> bool {
    fs::write(path, damaged).expect("it can be written");
    let mut reported = false;
    match Sqlite::open(path) {
        Err(OpenError::NotAStore { .. } | OpenError::Newer { .. } | OpenError::Failed { .. }) => {
            reported = true;
        }
        Err(other) => panic!("{other}"),
        Ok(store) => {
            for n in 0..ROWS {
                match store.get(&[key(n)]).await {
                    Ok(rows) => {
                        let row = rows[0].as_ref().expect("a row is not simply missing");
                        assert_eq!((row.version, &*row.value), (version(n), &*value(n)));
                    }
                    Err(StoreError::Corrupt(_)) => reported = true,
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }
    assert!(
        fs::read(path).expect("it is there") == damaged,
        "the file was changed"
    );
    reported
}

#[tokio::test]
async fn a_missing_store_is_not_replaced_by_a_new_one() {
    let (folder, path, whole) = closed_store().await;
    let away = folder.path().join("away.db");
    fs::rename(&path, &away).unwrap();
    assert_eq!(
        Sqlite::open(&path).unwrap_err().to_string(),
        missing(&path, ".lock")
    );
    // And again: the first attempt must not remove the sign that there was a store.
    assert_eq!(
        Sqlite::open(&path).unwrap_err().to_string(),
        missing(&path, ".lock")
    );
    assert_eq!(names(folder.path()), ["a.db.lock", "away.db"]);

    fs::rename(&away, &path).unwrap();
    drop(Sqlite::open(&path).unwrap());
    assert!(fs::read(&path).unwrap() == whole, "it is back as it was");

    fs::remove_file(&path).unwrap();
    fs::remove_file(with_suffix(&path, ".lock")).unwrap();
    Sqlite::open(&path).expect("a new store can be created, as the error message says");
}

#[tokio::test]
async fn a_log_without_its_store_is_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = filled(&path).await;
    // The files that a killed process leaves, except the lock.
    let crashed = TempDir::new().unwrap();
    let left = crashed.path().join("a.db");
    for suffix in ["", "-wal"] {
        fs::copy(with_suffix(&path, suffix), with_suffix(&left, suffix)).unwrap();
    }
    drop(store);

    let away = crashed.path().join("away.db");
    fs::rename(&left, &away).unwrap();
    assert_eq!(
        Sqlite::open(&left).unwrap_err().to_string(),
        missing(&left, "-wal")
    );
    fs::write(&left, b"").unwrap();
    assert_eq!(
        Sqlite::open(&left).unwrap_err().to_string(),
        missing(&left, "-wal")
    );
    fs::rename(&away, &left).unwrap();
    assert_whole(&Sqlite::open(&left).unwrap()).await;
}

#[tokio::test]
async fn a_store_that_is_deleted_while_open_refuses_every_call() {
    for suffix in ["", "-wal"] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("a.db");
        let store = filled(&path).await;
        fs::remove_file(with_suffix(&path, suffix)).unwrap();
        assert_refuses_all(&store, &path).await;
    }
}

#[tokio::test]
async fn a_store_that_is_moved_while_open_works_again_once_it_is_back() {
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

    // If it is closed while it is away, its log stays.
    fs::rename(&path, &away).unwrap();
    drop(store);
    assert_eq!(
        Sqlite::open(&path).unwrap_err().to_string(),
        missing(&path, ".lock")
    );
    fs::rename(&away, &path).unwrap();
    assert_whole(&Sqlite::open(&path).unwrap()).await;
}

#[tokio::test]
async fn files_that_replace_an_open_store_are_not_changed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = filled(&path).await;
    let away = folder.path().join("away.db");
    for suffix in ["", "-wal"] {
        fs::rename(with_suffix(&path, suffix), with_suffix(&away, suffix)).unwrap();
        fs::write(with_suffix(&path, suffix), "of another program").unwrap();
    }
    assert_refuses_all(&store, &path).await;
    drop(store);
    for suffix in ["", "-wal"] {
        let there = fs::read(with_suffix(&path, suffix)).expect("it was not deleted");
        assert_eq!(there, b"of another program");
    }
    assert_whole(&Sqlite::open(&away).unwrap()).await;
}

async fn assert_refuses_all(store: &Sqlite, path: &Path) {
    let text = format!(
        "the store is unavailable: {} or its log was moved, replaced or deleted while it was open: \
         bring it back",
        path.display()
    );
    let message = |error: StoreError| error.to_string();
    assert_eq!(
        commit(store, ROWS).await.map_err(message),
        Err(text.clone()),
        "commit"
    );
    assert_eq!(
        store.get(&[key(0)]).await.map_err(message),
        Err(text.clone()),
        "get"
    );
    assert_eq!(
        store
            .sweep(Timestamp::from_secs(1000), 10)
            .await
            .map_err(message),
        Err(text.clone()),
        "sweep"
    );
    let health = store.check(Timestamp::default()).await;
    assert_eq!(health.map_err(message), Err(text), "check");
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

/// A closed store with rows, and the content of its file.
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

/// Writes and opens a file that must be refused and not changed.
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

fn missing(path: &Path, left: &str) -> String {
    format!(
        "the store {} is missing or empty, but {} shows that there was one: restore it, or remove \
         the latter file to create a new store",
        path.display(),
        with_suffix(path, left).display()
    )
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
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
