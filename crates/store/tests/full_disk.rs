//! A full disk is reported, loses no answered commit, and commits work again once there is room.

#![expect(clippy::expect_used, reason = "a part of tests")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use grantor_core::base::row::{Committed, Key, NewRow, Row, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::sqlite::Sqlite;
use grantor_store::{Store, StoreError};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// The environment variable with the path of the store, for the process with the small disk.
const STORE: &str = "GRANTOR_TEST_FULL_DISK_STORE";

#[tokio::test]
async fn a_full_disk_loses_no_answered_commit() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    // No file may grow beyond 10 MB; a write beyond it fails instead of killing the process.
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 20000; exec "$0" "$@""#])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "with_a_small_disk", "--ignored", "--nocapture"])
        .env(STORE, &path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let last: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix("answered up to ")?.parse().ok())
        .expect("it says what it wrote");

    let store = Sqlite::open(&path).unwrap();
    for n in 0..=last {
        assert_eq!(
            read(&store, n).await.unwrap().version,
            version(n),
            "commit {n} was answered"
        );
    }
}

#[tokio::test]
#[ignore = "started by the test above, with a small disk"]
async fn with_a_small_disk() {
    #[expect(clippy::disallowed_methods, reason = "set by the parent test")]
    let Some(path) = std::env::var_os(STORE).map(PathBuf::from) else {
        return;
    };
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(commit(&store, 0).await, Ok(Committed::Done));

    // While a reader holds an old snapshot, the log cannot be reset: it grows up to the limit.
    let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM rows")
        .unwrap();
    let mut n = 0;
    let failed = loop {
        n += 1;
        match commit(&store, n).await {
            Ok(Committed::Done) => assert!(n < 1000, "the disk is not small"),
            failed => break failed,
        }
    };
    println!("at {n}: {failed:?}");
    assert!(matches!(
        failed,
        Ok(Committed::Unknown) | Err(StoreError::Unavailable(_))
    ));
    for m in 0..n {
        assert!(read(&store, m).await.is_some(), "commit {m} was answered");
    }
    assert!(
        read(&store, n).await.is_none(),
        "it is not visible, so it may be retried"
    );

    reader.execute_batch("COMMIT").unwrap();
    drop(reader);
    for m in n..n + 10 {
        assert_eq!(commit(&store, m).await, Ok(Committed::Done), "{m}");
    }
    println!("answered up to {}", n + 9);
}

async fn commit(store: &Sqlite, n: u64) -> Result<Committed, StoreError> {
    let value = vec![b'x'; 64 * 1024].into();
    let row = NewRow {
        key: key(n),
        expires_at: None,
        value,
        indexes: Vec::new(),
    };
    store
        .commit(Timestamp::default(), version(n), vec![Write::Insert(row)])
        .await
}

async fn read(store: &Sqlite, n: u64) -> Option<Row> {
    store
        .get(&[key(n)])
        .await
        .expect("it can be read")
        .remove(0)
}

fn key(n: u64) -> Key {
    Key::new("default", "grant", &n.to_string())
}

fn version(n: u64) -> Version {
    Version::from_bytes(u128::from(n).to_be_bytes())
}
