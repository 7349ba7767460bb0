//! Where the stores are of tests that damage many of them.

use tempfile::TempDir;

/// A folder in memory, where the system has a place for that: no real disk is asked anything here.
pub(crate) fn in_memory() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .expect("there is room for temporary files")
}
