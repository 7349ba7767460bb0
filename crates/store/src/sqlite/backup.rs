//! A copy of an open store, as it was at one moment.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::file::{APPLICATION_ID, beside, is_sound, sync_folder};
use super::{Sqlite, store_error};
use crate::contract::StoreError;

/// Pages of one step: 1 MiB.
const STEP: i32 = 256;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something has the name already.
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// What would be replaced is no backup, or is the store itself.
    #[error("{} is no backup of a store, so it is not replaced", .0.display())]
    NotReplaced(PathBuf),
    /// Another one of that name is being made.
    #[error("another backup to {} is being made", .0.display())]
    UnderWay(PathBuf),
    /// The one who asked does not want it any more.
    #[error("the backup was given up")]
    GivenUp,
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy cannot be written.
    #[error("{}: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's or SQLite's answer.
        reason: String,
    },
}

/// How far a backup is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Copied so far.
    pub done: u64,
    /// To be copied in all.
    pub total: u64,
}

impl Sqlite {
    /// Copies the store as it is now to `to`, with mode 0600; whatever was answered before the call is in the copy.
    /// Commits go on meanwhile. It is written as `to` with `.part` at its end, checked, synced, and only then named
    /// `to`: no half backup ever has that name. With `replace`, an earlier backup may be there. Says its bytes.
    ///
    /// Blocks: not for a thread that serves requests.
    ///
    /// # Errors
    /// [`BackupError`]; the store is untouched, and nothing is left of the copy.
    pub fn backup(
        &self,
        to: &Path,
        replace: bool,
        progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<u64, BackupError> {
        let store = self.place.store();
        may_be_written(to, replace, store)?;
        let from = self.place.check().and_then(|()| {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(store, flags).map_err(store_error)
        })?;
        let part = Part::take(to)?;
        part.fill(&from, progress)?;
        may_be_written(to, replace, store)?;
        part.become_whole(to)
    }
}

/// Refuses to replace what is no backup: nobody's file is lost to a slip of the pen.
fn may_be_written(to: &Path, replace: bool, store: &Path) -> Result<(), BackupError> {
    let there = match fs::symlink_metadata(to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(to, &error)),
        Ok(_) if !replace => return Err(BackupError::Exists(to.to_owned())),
        Ok(there) => there,
    };
    let itself = store
        .metadata()
        .is_ok_and(|store| (store.dev(), store.ino()) == (there.dev(), there.ino()));
    if itself || !there.is_file() || !has_our_mark(to).map_err(|error| failed(to, &error))? {
        return Err(BackupError::NotReplaced(to.to_owned()));
    }
    Ok(())
}

/// Whether the file is one of SQLite's and its `application_id`, at byte 68, is ours
/// (<https://sqlite.org/fileformat.html#the_database_header>).
fn has_our_mark(path: &Path) -> io::Result<bool> {
    let mut head = Vec::with_capacity(72);
    File::open(path)?.take(72).read_to_end(&mut head)?;
    Ok(head.starts_with(b"SQLite format 3\0")
        && head.get(68..) == Some(&APPLICATION_ID.to_be_bytes()))
}

/// A copy that is not whole yet; deleted when dropped.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    /// Makes the file, or takes over what a killed process left of one.
    fn take(to: &Path) -> Result<Self, BackupError> {
        let path = beside(to, ".part");
        let refused = |error| failed(&path, &error);
        let under_way = || BackupError::UnderWay(to.to_owned());
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(under_way()),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        let (ours, there) = (file.metadata().map_err(refused)?, path.symlink_metadata());
        match there {
            // Another file by this name: whoever can write into the folder could have us empty any file of ours.
            Ok(there) if there.is_symlink() || ours.nlink() > 1 => {
                return Err(BackupError::NotReplaced(path));
            }
            Ok(there) if there.ino() == ours.ino() => {}
            // The one who had it may have finished, and named it, before the lock was free.
            _ => return Err(under_way()),
        }
        file.set_permissions(Permissions::from_mode(0o600))
            .map_err(refused)?;
        file.set_len(0).map_err(refused)?;
        Ok(Self { path, file })
    }

    fn fill(
        &self,
        from: &Connection,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<(), BackupError> {
        let refused = |error: rusqlite::Error| self.refused(error);
        let mut to = Connection::open(&self.path).map_err(refused)?;
        // Until it has its name it is worth nothing.
        for pragma in ["journal_mode", "synchronous"] {
            to.pragma_update_and_check(None, pragma, "off", |_| Ok(()))
                .or_else(|error| match error {
                    rusqlite::Error::QueryReturnedNoRows => Ok(()),
                    error => Err(error),
                })
                .map_err(refused)?;
        }
        // One moment for all steps: without it, each commit meanwhile would begin the copy anew.
        let moment = from.unchecked_transaction().map_err(store_error)?;
        super::file::schema(&moment).map_err(store_error)?;
        let page: u32 = moment
            .pragma_query_value(None, "page_size", |row| row.get(0))
            .map_err(store_error)?;
        let copy = Backup::new(from, &mut to).map_err(refused)?;
        loop {
            let step = copy.step(STEP).map_err(refused)?;
            let bytes = |pages| u64::try_from(pages).unwrap_or_default() * u64::from(page);
            let at = copy.progress();
            let how_far = Progress {
                done: bytes(at.pagecount - at.remaining),
                total: bytes(at.pagecount),
            };
            if progress(how_far).is_break() {
                return Err(BackupError::GivenUp);
            }
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                // Nobody else knows the copy, and the moment is ours already.
                _ => return Err(self.failed("SQLite says that it is locked")),
            }
        }
        drop(copy);
        // A damaged page is copied like any other. Better told today than when the copy is needed.
        is_sound(&to, "quick_check")
            .map_err(refused)?
            .map_err(|reason| BackupError::Store(StoreError::Corrupt(reason)))
    }

    fn become_whole(self, to: &Path) -> Result<u64, BackupError> {
        // Its last connection is closed: nothing is beside it.
        self.file
            .sync_all()
            .map_err(|error| failed(&self.path, &error))?;
        let bytes = self
            .file
            .metadata()
            .map_err(|error| failed(&self.path, &error))?
            .len();
        fs::rename(&self.path, to).map_err(|error| failed(to, &error))?;
        sync_folder(to).map_err(|error| failed(to, &error))?;
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

impl Drop for Part {
    fn drop(&mut self) {
        // Where it became whole, nothing has this name.
        for suffix in ["", "-wal", "-shm"] {
            fs::remove_file(beside(&self.path, suffix)).ok();
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> BackupError {
    BackupError::Write {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
