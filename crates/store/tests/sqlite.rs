//! The SQLite store is a store, and treats files with care.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use futures_util::FutureExt;
use futures_util::future::join_all;
use grantor_core::base::row::{Committed, Index, Key, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::sqlite::{OpenError, Sqlite};
use grantor_store::{Store, StoreError, conformance};
use rusqlite::Connection;
use tempfile::TempDir;

fn insert(n: u32) -> (Version, Write) {
    let key = Key::new("default", "grant", &n.to_string());
    let row = NewRow {
        key,
        expires_at: None,
        value: b"{}"[..].into(),
        indexes: Vec::new(),
    };
    (
        Version::from_bytes(u128::from(n).to_be_bytes()),
        Write::Insert(row),
    )
}

async fn put(store: &Sqlite, n: u32) {
    let (id, write) = insert(n);
    assert_eq!(
        store.commit(Timestamp::default(), id, vec![write]).await,
        Ok(Committed::Done)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_conforms() {
    let folder = TempDir::new().unwrap();
    let number = Cell::new(0);
    conformance::run(|| async {
        number.set(number.get() + 1);
        Sqlite::open(folder.path().join(format!("{}.db", number.get()))).unwrap()
    })
    .await;
}

#[tokio::test]
async fn sqlite_survives_reopening() {
    let folder = TempDir::new().unwrap();
    conformance::survives_reopening(|| async { Sqlite::open(folder.path().join("a.db")).unwrap() })
        .await;
}

#[test]
fn the_files_are_for_their_owner_only() {
    let folder = TempDir::new().unwrap();
    let store = Sqlite::open(folder.path().join("a.db")).unwrap();
    let mut names = Vec::new();
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{file:?}"
        );
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["a.db", "a.db-shm", "a.db-wal", "a.db.lock"]);
    drop(store);
}

#[tokio::test]
async fn a_clean_close_leaves_one_complete_file() {
    let folder = TempDir::new().unwrap();
    let store = Sqlite::open(folder.path().join("a.db")).unwrap();
    put(&store, 1).await;
    store
        .get(&[Key::new("default", "grant", "1")])
        .await
        .unwrap();
    drop(store);
    assert!(
        !folder.path().join("a.db-wal").exists(),
        "the log was folded in"
    );
    let copy = folder.path().join("copy.db");
    fs::copy(folder.path().join("a.db"), &copy).unwrap();
    let kind = Index::Kind {
        realm: "default".to_owned(),
        kind: "grant".to_owned(),
    };
    assert_eq!(
        Sqlite::open(copy)
            .unwrap()
            .list(&kind, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_close_carries_out_what_was_queued() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = Sqlite::open(&path).unwrap();
    for n in 0..1000 {
        let (id, write) = insert(n);
        // Asked, and not waited for.
        let _ = store
            .commit(Timestamp::default(), id, vec![write])
            .now_or_never();
    }
    drop(store);
    let kind = Index::Kind {
        realm: "default".to_owned(),
        kind: "grant".to_owned(),
    };
    assert_eq!(
        Sqlite::open(&path)
            .unwrap()
            .list(&kind, None, 2000)
            .await
            .unwrap()
            .len(),
        1000
    );
}

#[test]
fn a_second_opener_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = Sqlite::open(&path).unwrap();
    let refused = Sqlite::open(&path).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }));
    let text = refused.to_string();
    assert!(
        text.contains(&format!("in use by process {}", std::process::id())),
        "{text}"
    );
    drop(store);
    Sqlite::open(&path).unwrap();
}

/// Opens a file that must be refused.
#[expect(clippy::unwrap_used, reason = "a part of tests")]
fn refused(path: &Path) -> OpenError {
    let before = fs::read(path).unwrap();
    let error = Sqlite::open(path).unwrap_err();
    assert_eq!(fs::read(path).unwrap(), before, "the file was changed");
    error
}

#[test]
fn a_file_that_is_not_a_store_is_refused_and_not_changed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let foreign = [
        &b"hello"[..],
        &[0; 4096],
        &[0xff; 10_000],
        b"SQLite format 3\0 and no more",
    ];
    for contents in foreign {
        fs::write(&path, contents).unwrap();
        let error = refused(&path);
        assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    }
    assert!(
        refused(&path)
            .to_string()
            .contains("is not a Grantor store")
    );
}

#[test]
fn a_damaged_store_is_refused_and_not_changed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    drop(Sqlite::open(&path).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4096].fill(0xee);
    fs::write(&path, bytes).unwrap();
    let error = refused(&path);
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
}

#[tokio::test]
async fn damage_found_while_reading_is_reported_as_damage() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = Sqlite::open(&path).unwrap();
    for n in 0..100 {
        put(&store, n).await;
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xee);
    fs::write(&path, bytes).unwrap();
    let store = Sqlite::open(&path).unwrap();
    let read = store.get(&[Key::new("default", "grant", "1")]).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    let (id, write) = insert(1000);
    let written = store.commit(Timestamp::default(), id, vec![write]).await;
    assert!(
        matches!(written, Err(StoreError::Corrupt(_))),
        "{written:?}"
    );
}

#[test]
fn the_database_of_another_application_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (a)")
        .unwrap();
    let error = refused(&path);
    assert!(error.to_string().contains("another application"), "{error}");
}

#[test]
fn a_newer_schema_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    drop(Sqlite::open(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 7)
        .unwrap();
    let error = refused(&path);
    assert!(
        matches!(error, OpenError::Newer { found: 7, .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("schema version 7, but this Grantor supports versions up to 1"),
        "{error}"
    );
}

#[test]
fn a_missing_folder_is_named() {
    let folder = TempDir::new().unwrap();
    let error = Sqlite::open(folder.path().join("absent/a.db")).unwrap_err();
    assert!(error.to_string().contains("absent/a.db"), "{error}");
}

#[tokio::test]
async fn a_schema_that_changes_while_open_is_not_healthy() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.check(Timestamp::default()).await.unwrap().schema, 1);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 2)
        .unwrap();
    assert!(matches!(
        store.check(Timestamp::default()).await,
        Err(StoreError::Corrupt(_))
    ));
}

#[tokio::test]
async fn a_full_queue_refuses_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = Sqlite::open(&path).unwrap();
    // The writer waits while another connection writes.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut waiting = Vec::new();
    let refused = loop {
        let n = u32::try_from(waiting.len()).unwrap();
        let (id, write) = insert(n);
        let mut commit = store.commit(Timestamp::default(), id, vec![write]);
        match (&mut commit).now_or_never() {
            None => waiting.push(commit),
            Some(answer) => break answer,
        }
    };
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(waiting.len() >= 4096, "{} waited", waiting.len());
    other.execute_batch("ROLLBACK").unwrap();
    let answers = join_all(waiting).await;
    assert!(answers.iter().all(|answer| *answer == Ok(Committed::Done)));
}

#[tokio::test]
async fn an_update_that_moves_no_index_writes_no_index_row() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = Sqlite::open(&path).unwrap();
    let (id, Write::Insert(mut row)) = insert(1) else {
        unreachable!()
    };
    row.indexes = ["b", "a"]
        .map(|value| grantor_core::base::row::IndexName::new("default", "grants_of", value))
        .into();
    assert_eq!(
        store
            .commit(Timestamp::default(), id, vec![Write::Insert(row.clone())])
            .await,
        Ok(Committed::Done)
    );
    let other = Connection::open(&path).unwrap();
    let abort = "CREATE TRIGGER no_insert BEFORE INSERT ON listings BEGIN SELECT raise(ABORT, 'written'); END;
                 CREATE TRIGGER no_delete BEFORE DELETE ON listings BEGIN SELECT raise(ABORT, 'written'); END;";
    other.execute_batch(abort).unwrap();

    row.indexes.reverse();
    let update = |row: &NewRow, expect| {
        vec![Write::Update {
            row: row.clone(),
            expect,
        }]
    };
    let next = Version::from_bytes([2; 16]);
    assert_eq!(
        store
            .commit(Timestamp::default(), next, update(&row, id))
            .await,
        Ok(Committed::Done)
    );
    // The triggers work; and a commit that SQLite refuses does not affect others of its batch.
    row.indexes.pop();
    let third = Version::from_bytes([3; 16]);
    let (other_id, other_write) = insert(2);
    let (moved, other) = tokio::join!(
        store.commit(Timestamp::default(), third, update(&row, next)),
        store.commit(Timestamp::default(), other_id, vec![other_write]),
    );
    assert!(
        matches!(moved, Err(StoreError::Unavailable(_))),
        "{moved:?}"
    );
    assert_eq!(other, Ok(Committed::Done));
}
