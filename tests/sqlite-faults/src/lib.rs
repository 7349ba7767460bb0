//! For tests: a disk under SQLite that tells afterwards what a power cut would have left on it.
//!
//! [`Recording::start`] makes a trace of all that SQLite does to one database from then on; the
//! [`Trace`] of it gives an [`Image`] of the files for a power cut at any moment: what was synced
//! is in it, and of what was not, as much as a [`Kept`] says. Nothing of the code under test is
//! changed for it: the disk is SQLite's default one as soon as a recording was started.
//!
//! Users never build this package. It is the one place of the workspace with `unsafe` in it, for
//! a VFS is a table of C functions.

mod seed;
mod trace;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;

// Linked for its SQLite.
use libsqlite3_sys as _;

pub use seed::Seed;
pub use trace::{Image, Kept, Trace};

/// What SQLite makes of each `PRAGMA synchronous` that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// What it says.
    AsSaid,
    /// NORMAL: in WAL mode, a commit is not synced.
    Normal,
    /// OFF: nothing is.
    Off,
}

/// A trace under way, of one database.
#[derive(Debug)]
pub struct Recording {
    trace: PathBuf,
    before: Image,
}

impl Recording {
    /// Begins to record what will be done to the database at `store` and to its log and journal,
    /// which nobody may have open.
    ///
    /// # Errors
    /// When the files beside it cannot be read or written.
    pub fn start(store: &Path, synchronous: Synchronous) -> io::Result<Self> {
        install();
        let beside = |suffix: &str| trace::beside(store, suffix);
        let before = Image::of(store)?;
        let digit = match synchronous {
            Synchronous::AsSaid => None,
            Synchronous::Normal => Some("1"),
            Synchronous::Off => Some("0"),
        };
        if let Some(digit) = digit {
            fs::write(beside(".synchronous"), digit)?;
        }
        let trace = beside(".trace");
        File::create(&trace)?;
        Ok(Self { trace, before })
    }

    /// How long the trace is by now; whatever it tells up to here has happened.
    ///
    /// # Errors
    /// When the trace is not there.
    pub fn position(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.trace)?.len())
    }

    /// Ends it, once the database is closed.
    ///
    /// # Errors
    /// When the trace cannot be read.
    pub fn finish(self) -> io::Result<Trace> {
        let trace = Trace::read(self.before, &fs::read(&self.trace)?);
        fs::remove_file(&self.trace)?;
        Ok(trace)
    }
}

/// Registers the VFS, once in a process.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[expect(
            unsafe_code,
            reason = "a call into C without arguments; SQLite itself locks its list of VFSes"
        )]
        let code = {
            unsafe extern "C" {
                safe fn sqlite_faults_install() -> std::ffi::c_int;
            }
            sqlite_faults_install()
        };
        assert_eq!(code, 0, "SQLite's code for what went wrong");
    });
}
