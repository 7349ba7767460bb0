//! Backup and restore.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a part of tests")]

use std::fs;
use std::ops::ControlFlow::{Break, Continue};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use grantor_core::base::row::{Committed, Index, Key, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::Store;
use grantor_store::sqlite::{BackupError, OpenError, Restore, RestoreError, Sqlite};
use tempfile::TempDir;

/// The environment variable with the victim's folder.
const FOLDER: &str = "GRANTOR_TEST_BACKUP_FOLDER";

fn key(kind: &str, n: u64) -> Key {
    Key::new("default", kind, &format!("{n:08}"))
}

/// Inserts two rows in one commit, so that a copy must contain both or none.
async fn insert(store: &Sqlite, n: u64) {
    let row = |kind| {
        Write::Insert(NewRow {
            key: key(kind, n),
            expires_at: None,
            value: vec![b'x'; 900].into(),
            indexes: Vec::new(),
        })
    };
    let mut id = [1; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    let writes = vec![row("left"), row("right")];
    let committed = store
        .commit(Timestamp::from_secs(1), Version::from_bytes(id), writes)
        .await;
    assert_eq!(committed, Ok(Committed::Done));
}

async fn filled(path: &Path, pairs: u64) -> Sqlite {
    let store = Sqlite::open(path).unwrap();
    for n in 0..pairs {
        insert(&store, n).await;
    }
    store
}

/// The numbers of one kind of a store, in order.
async fn numbers(store: &Sqlite, kind: &str) -> Vec<u64> {
    let index = Index::Kind {
        realm: "default".to_owned(),
        kind: kind.to_owned(),
    };
    let rows = store.list(&index, None, 1_000_000).await.unwrap();
    let number = |key: &Key| key.as_str().rsplit('/').next().and_then(|n| n.parse().ok());
    rows.iter()
        .map(|row| number(&row.key).expect("a number"))
        .collect()
}

fn files(folder: &TempDir) -> Vec<String> {
    let files = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn keep_going(_: grantor_store::sqlite::Progress) -> std::ops::ControlFlow<()> {
    Continue(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_a_snapshot_with_every_commit_answered_before_it() {
    let folder = TempDir::new().unwrap();
    let [path, copy] = ["a.db", "copy"].map(|name| folder.path().join(name));
    let store = Arc::new(filled(&path, 1500).await);
    let (stop, answered) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(1500)),
    );
    let writing = tokio::spawn({
        let (store, stop, answered) =
            (Arc::clone(&store), Arc::clone(&stop), Arc::clone(&answered));
        async move {
            while !stop.load(Ordering::Relaxed) {
                let next = answered.load(Ordering::Relaxed);
                insert(&store, next).await;
                answered.store(next + 1, Ordering::Relaxed);
            }
        }
    });
    let (before, mut during) = (answered.load(Ordering::Relaxed), Vec::new());
    let bytes = tokio::task::block_in_place(|| {
        store.backup(&copy, false, |progress| {
            assert!(!copy.exists(), "it is renamed only when it is complete");
            // Commits continue between the steps.
            let seen = answered.load(Ordering::Relaxed);
            while answered.load(Ordering::Relaxed) == seen {
                std::thread::yield_now();
            }
            during.push(progress);
            Continue(())
        })
    });
    stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    assert_eq!(bytes.unwrap(), fs::metadata(&copy).unwrap().len());
    assert!(during.len() > 2, "in steps");
    assert_eq!(
        during.last().map(|last| last.done),
        during.last().map(|last| last.total)
    );
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(!files(&folder).iter().any(|name| name.contains(".part")));

    let copy = Sqlite::open(&copy).unwrap();
    let left = numbers(&copy, "left").await;
    assert_eq!(
        left,
        numbers(&copy, "right").await,
        "no commit is copied in part"
    );
    assert_eq!(
        left,
        (0..left.len() as u64).collect::<Vec<_>>(),
        "and none is missing"
    );
    assert!(left.len() as u64 >= before);
    let all = numbers(&store, "left").await.len();
    assert!(
        left.len() < all,
        "later commits are not in it: {} of {all}",
        left.len()
    );
}

#[tokio::test]
async fn a_backup_to_a_link_truncates_no_file() {
    let folder = TempDir::new().unwrap();
    let store = filled(&folder.path().join("grantor.db"), 3).await;
    let letter = folder.path().join("letter");
    fs::write(&letter, "Dear Grantor").unwrap();
    let to = folder.path().join("copy.db");
    let part = folder.path().join("copy.db.part");
    for lead in [std::os::unix::fs::symlink, fs::hard_link] {
        lead(&letter, &part).unwrap();
        let refused = store.backup(&to, false, keep_going).unwrap_err();
        assert!(matches!(refused, BackupError::NotReplaced(_)), "{refused}");
        assert_eq!(fs::read(&letter).unwrap(), b"Dear Grantor");
        fs::remove_file(&part).unwrap();
    }
    store.backup(&to, false, keep_going).unwrap();
}

#[tokio::test]
async fn only_an_earlier_backup_is_replaced_and_only_when_asked() {
    let folder = TempDir::new().unwrap();
    let [path, copy, letter] = ["a.db", "copy", "letter"].map(|name| folder.path().join(name));
    let store = filled(&path, 3).await;
    fs::write(&letter, "Dear Grantor").unwrap();
    store.backup(&copy, false, keep_going).unwrap();
    let refused = store.backup(&copy, false, keep_going);
    assert!(
        matches!(refused, Err(BackupError::Exists(_))),
        "{refused:?}"
    );
    insert(&store, 3).await;
    store.backup(&copy, true, keep_going).unwrap();
    for taken in [&letter, &path, &folder.path().to_owned()] {
        let refused = store.backup(taken, true, keep_going);
        assert!(
            matches!(refused, Err(BackupError::NotReplaced(_))),
            "{refused:?}"
        );
    }
    assert_eq!(fs::read(&letter).unwrap(), b"Dear Grantor");
    assert_eq!(
        numbers(&Sqlite::open(&copy).unwrap(), "left").await,
        [0, 1, 2, 3]
    );
    assert_eq!(numbers(&store, "left").await.len(), 4);
}

#[tokio::test]
async fn a_cancelled_or_failed_backup_leaves_no_file() {
    let folder = TempDir::new().unwrap();
    let store = filled(&folder.path().join("a.db"), 3).await;
    let before = files(&folder);
    let cancelled = store.backup(&folder.path().join("copy"), false, |_| Break(()));
    assert!(
        matches!(cancelled, Err(BackupError::Cancelled)),
        "{cancelled:?}"
    );
    let nowhere = store.backup(&folder.path().join("no/folder/copy"), false, keep_going);
    assert!(
        matches!(nowhere, Err(BackupError::Write { .. })),
        "{nowhere:?}"
    );
    assert_eq!(files(&folder), before);
}

#[test]
fn sigkill_leaves_no_incomplete_backup_and_the_next_backup_reuses_the_file() {
    let folder = TempDir::new().unwrap();
    let victim = Command::new(std::env::current_exe().expect("the test runs"))
        .args(["--exact", "victim", "--ignored"])
        .env(FOLDER, folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("it runs");
    assert_eq!(victim.code(), None, "it was killed");
    let copy = folder.path().join("copy");
    assert!(!copy.exists());
    assert!(
        folder.path().join("copy.part").exists(),
        "it was killed during the backup"
    );
    let store = Sqlite::open(folder.path().join("a.db")).unwrap();
    store.backup(&copy, false, keep_going).unwrap();
    assert!(!folder.path().join("copy.part").exists());
    Sqlite::open(&copy).unwrap();
}

/// Kills itself during a backup.
#[tokio::test]
#[ignore = "started by the test above"]
async fn victim() {
    #[expect(clippy::disallowed_methods, reason = "set by the test above")]
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let store = filled(&folder.join("a.db"), 1000).await;
    let die = |_| {
        let id = std::process::id().to_string();
        Command::new("kill")
            .args(["-s", "KILL", &id])
            .status()
            .expect("it runs");
        Continue(())
    };
    store.backup(&folder.join("copy"), false, die).unwrap();
}

fn restored(from: &Path, store: &Path) -> Vec<PathBuf> {
    Restore::prepare(from, store)
        .unwrap()
        .finish()
        .unwrap()
        .kept
}

#[tokio::test]
async fn a_restored_store_is_the_backup_and_the_old_one_is_kept() {
    let folder = TempDir::new().unwrap();
    let [path, copy] = ["a.db", "copy"].map(|name| folder.path().join(name));
    let store = filled(&path, 3).await;
    store.backup(&copy, false, keep_going).unwrap();
    insert(&store, 3).await;
    let in_use = Restore::prepare(&copy, &path).unwrap_err();
    assert!(
        matches!(in_use, RestoreError::Open(OpenError::InUse { .. })),
        "{in_use}"
    );
    drop(store);

    let kept = restored(&copy, &path);
    let aside = folder.path().join("a.db.before-restore");
    assert_eq!(kept, std::slice::from_ref(&aside));
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(numbers(&store, "left").await, [0, 1, 2]);
    drop(store);

    // And back, to a new name.
    assert_eq!(
        restored(&aside, &path),
        [folder.path().join("a.db.before-restore-2")]
    );
    assert_eq!(
        numbers(&Sqlite::open(&path).unwrap(), "left").await,
        [0, 1, 2, 3]
    );
    assert!(aside.exists() && copy.exists(), "the backup is kept");
}

#[tokio::test]
async fn the_log_of_a_killed_server_is_kept_with_its_store() {
    let folder = TempDir::new().unwrap();
    let [path, copy, killed] = ["a.db", "copy", "k.db"].map(|name| folder.path().join(name));
    let store = filled(&path, 3).await;
    store.backup(&copy, false, keep_going).unwrap();
    insert(&store, 3).await;
    // As after a kill: the last commits are only in the log.
    for suffix in ["", "-wal"] {
        let name = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        fs::copy(name(&path), name(&killed)).unwrap();
    }
    let kept = restored(&copy, &killed);
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert_eq!(
        numbers(&Sqlite::open(&killed).unwrap(), "left").await,
        [0, 1, 2]
    );
    restored(&kept[0], &killed);
    assert_eq!(
        numbers(&Sqlite::open(&killed).unwrap(), "left").await,
        [0, 1, 2, 3]
    );
}

#[tokio::test]
async fn a_missing_store_can_be_restored_but_not_opened() {
    let folder = TempDir::new().unwrap();
    let [path, copy] = ["a.db", "copy"].map(|name| folder.path().join(name));
    let store = filled(&path, 3).await;
    store.backup(&copy, false, keep_going).unwrap();
    drop(store);
    fs::remove_file(&path).unwrap();
    assert!(matches!(
        Sqlite::open(&path),
        Err(OpenError::Missing { .. })
    ));
    assert!(restored(&copy, &path).is_empty());
    assert_eq!(
        numbers(&Sqlite::open(&path).unwrap(), "left").await,
        [0, 1, 2]
    );

    let elsewhere = folder.path().join("new.db");
    restored(&copy, &elsewhere);
    fs::remove_file(&elsewhere).unwrap();
    assert!(matches!(
        Sqlite::open(&elsewhere),
        Err(OpenError::Missing { .. })
    ));
}

#[tokio::test]
async fn an_incomplete_backup_is_refused_by_name_and_nothing_is_changed() {
    let folder = TempDir::new().unwrap();
    let [path, copy] = ["a.db", "copy"].map(|name| folder.path().join(name));
    let store = filled(&path, 300).await;
    store.backup(&copy, false, keep_going).unwrap();
    drop(store);
    let whole = fs::read(&copy).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2..][..4096].fill(0x5a);
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&9_u32.to_be_bytes());
    let mut foreign = whole.clone();
    foreign[68..72].copy_from_slice(b"else");
    let (before, old) = (files(&folder), fs::read(&path).unwrap());
    for bad in [
        b"".as_slice(),
        b"a letter",
        &whole[..whole.len() / 2],
        &whole[..50],
        &damaged,
        &newer,
        &foreign,
    ] {
        fs::write(&copy, bad).unwrap();
        let error = Restore::prepare(&copy, &path).unwrap_err();
        assert!(
            matches!(
                error,
                RestoreError::Open(OpenError::NotAStore { .. } | OpenError::Newer { .. })
            ),
            "{error}"
        );
        assert!(
            error.to_string().contains("copy") && !error.to_string().contains("restoring"),
            "{error}"
        );
        assert_eq!(files(&folder), before);
        assert_eq!(fs::read(&path).unwrap(), old);
    }
    let itself = Restore::prepare(&path, &path).unwrap_err();
    assert!(matches!(itself, RestoreError::SameFile(_)), "{itself}");
    drop(Restore::prepare(&copy, Path::new("/no/such/folder/a.db")).unwrap_err());
    assert_eq!(
        numbers(&Sqlite::open(&path).unwrap(), "left").await.len(),
        300
    );
}
