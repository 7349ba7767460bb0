//! A folder for tests with many damaged stores.

use tempfile::TempDir;

/// A folder in memory if the system has one: these tests do not depend on a real disk.
pub(crate) fn in_memory() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .expect("there is room for temporary files")
}
