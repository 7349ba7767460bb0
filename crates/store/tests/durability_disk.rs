//! A disk that may not be written, or has no room to begin with, is told in a sentence.

#![expect(clippy::expect_used, reason = "a part of tests")]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use futures_util::FutureExt as _;
use grantor_store::Store as _;
use grantor_store::sqlite::Sqlite;
use tempfile::TempDir;

/// Where the process that opens finds its store.
const STORE: &str = "GRANTOR_TEST_DISK_STORE";

#[test]
fn a_read_only_store_is_refused_and_left_alone() {
    let (_folder, path) = store();
    let before = fs::read(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    assert_eq!(
        open(unprivileged(), &path),
        format!(
            "cannot open the store {}: Permission denied (os error 13)",
            path.display()
        )
    );
    assert!(fs::read(&path).unwrap() == before);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(open(unprivileged(), &path), "opened");
}

#[test]
fn a_store_in_a_read_only_folder_is_refused_and_left_alone() {
    let (folder, path) = store();
    let before = fs::read(&path).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    let said = open(unprivileged(), &path);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(
        said,
        format!(
            "cannot open the store {}: its log cannot be made beside it \
             (attempt to write a readonly database)",
            path.display()
        )
    );
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(open(unprivileged(), &path), "opened");
}

#[test]
fn a_read_only_folder_without_a_store_is_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    let said = open(unprivileged(), &path);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(
        said,
        format!(
            "cannot open the store {}: its lock {0}.lock: Permission denied (os error 13)",
            path.display()
        )
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_disk_without_room_for_the_log_is_told_and_the_store_is_left_alone() {
    let (_folder, path) = store();
    let before = fs::read(&path).unwrap();
    // No file may grow past 4 MB, and a write beyond fails instead of ending the process.
    let mut small = Command::new("sh");
    small.args(["-c", r#"trap "" XFSZ; ulimit -f 8000; exec "$0" "$@""#]);
    assert_eq!(
        open(small, &path),
        format!(
            "cannot open the store {}: its log {0}-wal: File too large (os error 27)",
            path.display()
        )
    );
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(open(unprivileged(), &path), "opened");
}

/// A closed store in a folder of its own.
fn store() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("there is room");
    let path = folder.path().join("a.db");
    drop(Sqlite::open(&path).expect("it can be made"));
    (folder, path)
}

/// Runs what follows without the right to write where modes forbid it, which root has.
fn unprivileged() -> Command {
    let folder = TempDir::new().expect("there is room");
    let file = folder.path().join("file");
    File::create(&file)
        .and_then(|file| file.set_permissions(Permissions::from_mode(0o400)))
        .expect("it can be made");
    let privileged = File::options().write(true).open(&file).is_ok();
    let mut command = Command::new(if privileged { "setpriv" } else { "env" });
    if privileged {
        command.args(["--bounding-set", "-all", "--inh-caps", "-all"]);
    }
    command
}

/// What another process, started by `runner`, says of opening the store.
fn open(mut runner: Command, path: &Path) -> String {
    let output = runner
        .arg(std::env::current_exe().expect("the test runs"))
        .args(["--exact", "opener", "--ignored", "--nocapture"])
        .env(STORE, path)
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let said = text.lines().find_map(|line| line.strip_prefix("it says: "));
    said.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
        .to_owned()
}

#[test]
#[ignore = "the process that the tests above start; by itself it does nothing"]
fn opener() {
    #[expect(clippy::disallowed_methods, reason = "what the parent test hands over")]
    let Some(path) = std::env::var_os(STORE).map(PathBuf::from) else {
        return;
    };
    let said = match Sqlite::open(path) {
        Err(error) => error.to_string(),
        Ok(store) => {
            let health = store.check(grantor_core::base::time::Timestamp::default());
            health
                .now_or_never()
                .expect("it is ready at once")
                .expect("it is healthy");
            "opened".to_owned()
        }
    };
    // The harness may have begun the line.
    println!("\nit says: {said}");
}
