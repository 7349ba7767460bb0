//! Whether the files are still where they were opened.
//!
//! SQLite goes on writing into a file that was moved or deleted under it: commits would be
//! answered that the next process does not find.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::file::beside;
use crate::contract::StoreError;

/// Where the store and its log are.
#[derive(Debug)]
pub(super) struct Place {
    store: Named,
    log: Named,
    /// Whether one was missed when it was last looked for.
    left: AtomicBool,
}

/// A name, and the file that it was the name of.
#[derive(Debug)]
struct Named {
    path: PathBuf,
    file: (u64, u64),
}

impl Place {
    /// The place of a store that is open.
    pub(super) fn of(store: &Path) -> io::Result<Self> {
        Ok(Self {
            store: Named::new(store.to_owned())?,
            log: Named::new(beside(store, "-wal"))?,
            left: AtomicBool::new(false),
        })
    }

    pub(super) fn store(&self) -> &Path {
        &self.store.path
    }

    /// Looks whether both files are still there; costs two system calls.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let left = !(self.store.is_there() && self.log.is_there());
        self.left.store(left, Ordering::Relaxed);
        self.last_check()
    }

    /// What was seen at the last look.
    pub(super) fn last_check(&self) -> Result<(), StoreError> {
        if self.left.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable(format!(
                "{} or its log was moved, replaced or deleted while it was open: bring it back",
                self.store.path.display()
            )));
        }
        Ok(())
    }
}

impl Named {
    fn new(path: PathBuf) -> io::Result<Self> {
        let file = file_at(&path)?;
        Ok(Self { path, file })
    }

    fn is_there(&self) -> bool {
        file_at(&self.path).is_ok_and(|file| file == self.file)
    }
}

/// Which file has this name: its device and its number there.
fn file_at(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = path.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}
