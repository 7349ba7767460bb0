//! Checks that the files are still where they were opened.
//!
//! SQLite keeps writing into a file that was moved or deleted while it was open: the next process would not find those
//! commits.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::file::with_suffix;
use crate::contract::StoreError;

/// The files of an open store: the database and its log.
#[derive(Debug)]
pub(super) struct OpenFiles {
    store: NamedFile,
    log: NamedFile,
    /// Whether one was missing at the last check.
    is_moved: AtomicBool,
}

/// A path, and the file that it named when it was opened.
#[derive(Debug)]
struct NamedFile {
    path: PathBuf,
    id: (u64, u64),
}

impl OpenFiles {
    /// The files of a store that is open.
    pub(super) fn new(store: &Path) -> io::Result<Self> {
        Ok(Self {
            store: NamedFile::new(store.to_owned())?,
            log: NamedFile::new(with_suffix(store, "-wal"))?,
            is_moved: AtomicBool::new(false),
        })
    }

    pub(super) fn store(&self) -> &Path {
        &self.store.path
    }

    /// Checks that both files are still there: two system calls.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let is_moved = !(self.store.is_there() && self.log.is_there());
        self.is_moved.store(is_moved, Ordering::Relaxed);
        self.last_check()
    }

    /// The result of the last check.
    pub(super) fn last_check(&self) -> Result<(), StoreError> {
        if self.is_moved.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable(format!(
                "{} or its log was moved, replaced or deleted while it was open: bring it back",
                self.store.path.display()
            )));
        }
        Ok(())
    }
}

impl NamedFile {
    fn new(path: PathBuf) -> io::Result<Self> {
        let id = file_id(&path)?;
        Ok(Self { path, id })
    }

    fn is_there(&self) -> bool {
        file_id(&self.path).is_ok_and(|id| id == self.id)
    }
}

/// Device and inode number of the file at `path`.
fn file_id(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = path.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}
