//! The error messages for a read-only or full disk.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use futures_util::FutureExt as _;
use grantor_store::Store as _;
use grantor_store::sqlite::Sqlite;
use tempfile::TempDir;

/// The environment variable with the path of the store, for the process that opens it.
const STORE: &str = "GRANTOR_TEST_DISK_STORE";

#[test]
fn a_read_only_store_is_refused_and_not_changed() {
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
fn a_store_in_a_read_only_folder_is_refused_and_not_changed() {
    let (folder, path) = store();
    let before = fs::read(&path).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    let result = open(unprivileged(), &path);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(
        result,
        format!(
            "cannot open the store {}: its log cannot be created next to it \
             (attempt to write a readonly database)",
            path.display()
        )
    );
    assert!(fs::read(&path).unwrap() == before);
    assert_eq!(open(unprivileged(), &path), "opened");
}

#[test]
fn a_read_only_folder_without_a_store_is_reported() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o500)).unwrap();
    let result = open(unprivileged(), &path);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert_eq!(
        result,
        format!(
            "cannot open the store {}: its lock {0}.lock: Permission denied (os error 13)",
            path.display()
        )
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_disk_without_room_for_the_log_is_reported_and_the_store_is_not_changed() {
    let (_folder, path) = store();
    let before = fs::read(&path).unwrap();
    // No file may grow beyond 4 MB; a write beyond it fails instead of killing the process.
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

/// A closed store in its own folder.
fn store() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("there is room");
    let path = folder.path().join("a.db");
    drop(Sqlite::open(&path).expect("it can be made"));
    (folder, path)
}

/// Runs a command without root's right to ignore file modes.
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

/// The result of opening the store in another process, which `runner` starts.
fn open(mut runner: Command, path: &Path) -> String {
    let output = runner
        .arg(std::env::current_exe().expect("the test runs"))
        .args(["--exact", "disk::opener", "--ignored", "--nocapture"])
        .env(STORE, path)
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text.lines().find_map(|line| line.strip_prefix("result: "));
    result
        .unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
        .to_owned()
}

#[test]
#[ignore = "started by the tests above"]
fn opener() {
    #[expect(clippy::disallowed_methods, reason = "set by the parent test")]
    let Some(path) = std::env::var_os(STORE).map(PathBuf::from) else {
        return;
    };
    let result = match Sqlite::open(path) {
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
    // The test harness may have begun a line.
    println!("\nresult: {result}");
}
