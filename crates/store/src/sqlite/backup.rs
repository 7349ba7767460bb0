//! Backup: a consistent copy of an open store.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::file::{APPLICATION_ID, check_integrity, sync_parent, with_suffix};
use super::{Sqlite, store_error};
use crate::contract::StoreError;

/// 1 MiB.
const PAGES_PER_STEP: i32 = 256;

/// Why a backup failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target exists.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The target is not a backup, or is the store itself.
    #[error("{} is not a backup of a store, so it is not replaced", .0.display())]
    NotReplaced(PathBuf),
    /// Another backup to this target is running.
    #[error("another backup to {} is running", .0.display())]
    InProgress(PathBuf),
    /// The caller cancelled it.
    #[error("the backup was cancelled")]
    Cancelled,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy cannot be written.
    #[error("{}: {reason}", path.display())]
    Write { path: PathBuf, reason: String },
}

/// The progress of a backup, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// StagedCopy so far.
    pub done: u64,
    /// The size of the store.
    pub total: u64,
}

impl Sqlite {
    /// Copies the store to `to`, with mode 0600, including every commit that was answered before the call. Other commits
    /// continue meanwhile. The copy is written to `TO.part`, checked, synced, and then renamed to `to`, so that `to` is
    /// never incomplete. `replace` allows it to replace an earlier backup. Returns the size in bytes.
    ///
    /// Blocks: not for a thread that serves requests.
    ///
    /// # Errors
    /// [`BackupError`]; the store is not changed, and the copy is deleted.
    pub fn backup(
        &self,
        to: &Path,
        replace: bool,
        progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<u64, BackupError> {
        let store = self.files.store();
        check_target(to, replace, store)?;
        let from = self.files.check().and_then(|()| {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(store, flags).map_err(store_error)
        })?;
        let part = PartialBackup::create(to)?;
        part.copy_from(&from, progress)?;
        check_target(to, replace, store)?;
        part.finish(to)
    }
}

/// Refuses to replace any file but a backup, so that a typing error destroys nothing.
fn check_target(to: &Path, replace: bool, store: &Path) -> Result<(), BackupError> {
    let there = match fs::symlink_metadata(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(to, &error)),
        Ok(_) if !replace => return Err(BackupError::Exists(to.to_owned())),
        Ok(there) => there,
    };
    let itself = store
        .metadata()
        .is_ok_and(|store| (store.dev(), store.ino()) == (there.dev(), there.ino()));
    if itself || !there.is_file() || !is_grantor_store(to).map_err(|error| failed(to, &error))? {
        return Err(BackupError::NotReplaced(to.to_owned()));
    }
    Ok(())
}

/// Whether the file is one of SQLite's and its `application_id`, at byte 68, is ours
/// (<https://sqlite.org/fileformat.html#the_database_header>).
fn is_grantor_store(path: &Path) -> io::Result<bool> {
    let mut head = Vec::with_capacity(72);
    File::open(path)?.take(72).read_to_end(&mut head)?;
    Ok(head.starts_with(b"SQLite format 3\0")
        && head.get(68..) == Some(&APPLICATION_ID.to_be_bytes()))
}

/// The file of an unfinished backup; deleted when dropped.
struct PartialBackup {
    path: PathBuf,
    file: File,
}

impl PartialBackup {
    /// Creates the file, or reuses one that a killed process left.
    fn create(to: &Path) -> Result<Self, BackupError> {
        let path = with_suffix(to, ".part");
        let refused = |error| failed(&path, &error);
        let in_progress = || BackupError::InProgress(to.to_owned());
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_progress()),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        let (ours, there) = (file.metadata().map_err(refused)?, path.symlink_metadata());
        match there {
            // A link: anyone who can write into the folder could make us truncate any of our files.
            Ok(there) if there.is_symlink() || ours.nlink() > 1 => {
                return Err(BackupError::NotReplaced(path));
            }
            Ok(there) if there.ino() == ours.ino() => {}
            // The previous owner of the lock may have renamed its file meanwhile.
            _ => return Err(in_progress()),
        }
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(refused)?;
        file.set_len(0).map_err(refused)?;
        Ok(Self { path, file })
    }

    fn copy_from(
        &self,
        from: &Connection,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), BackupError> {
        let refused = |error: rusqlite::Error| self.refused(error);
        let mut to = Connection::open(&self.path).map_err(refused)?;
        // Durability does not matter before the file is complete.
        for pragma in ["journal_mode", "synchronous"] {
            to.pragma_update_and_check(None, pragma, "off", |_| Ok(()))
                .or_else(|error| match error {
                    rusqlite::Error::QueryReturnedNoRows => Ok(()),
                    error => Err(error),
                })
                .map_err(refused)?;
        }
        // One snapshot for all steps: otherwise each commit meanwhile would restart the copy.
        let snapshot = from.unchecked_transaction().map_err(store_error)?;
        super::file::schema(&snapshot).map_err(store_error)?;
        let page: u32 = snapshot
            .pragma_query_value(None, "page_size", |row| row.get(0))
            .map_err(store_error)?;
        let copy = Backup::new(from, &mut to).map_err(refused)?;
        loop {
            let step = copy.step(PAGES_PER_STEP).map_err(refused)?;
            let bytes = |pages| u64::try_from(pages).unwrap_or_default() * u64::from(page);
            let at = copy.progress();
            let position = Progress {
                done: bytes(at.pagecount - at.remaining),
                total: bytes(at.pagecount),
            };
            if progress(position).is_break() {
                return Err(BackupError::Cancelled);
            }
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                // Not expected: the copy and the snapshot are ours.
                _ => return Err(self.failed("SQLite reports that it is locked")),
            }
        }
        drop(copy);
        // A damaged page would be copied like any other. Report it now, not when the copy is needed.
        check_integrity(&to, "quick_check")
            .map_err(refused)?
            .map_err(|reason| BackupError::Store(StoreError::Corrupt(reason)))
    }

    fn finish(self, to: &Path) -> Result<u64, BackupError> {
        // Its last connection is closed, so it has no log.
        self.file
            .sync_all()
            .map_err(|error| failed(&self.path, &error))?;
        let bytes = self
            .file
            .metadata()
            .map_err(|error| failed(&self.path, &error))?
            .len();
        fs::rename(&self.path, to).map_err(|error| failed(to, &error))?;
        sync_parent(to).map_err(|error| failed(to, &error))?;
        Ok(bytes)
    }

    fn refused(&self, error: rusqlite::Error) -> BackupError {
        match store_error(error) {
            damaged @ StoreError::Corrupt(_) => damaged.into(),
            other => self.failed(&other.to_string()),
        }
    }

    fn failed(&self, reason: &str) -> BackupError {
        BackupError::Write {
            path: self.path.clone(),
            reason: reason.to_owned(),
        }
    }
}

impl Drop for PartialBackup {
    fn drop(&mut self) {
        // After `finish`, no file has these names.
        for suffix in ["", "-wal", "-shm"] {
            fs::remove_file(with_suffix(&self.path, suffix)).ok();
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> BackupError {
    BackupError::Write {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
