//! For tests: a disk under SQLite that can show what a power cut would have left on it.
//!
//! [`Recording::start`] begins a trace of everything that SQLite does to one database. The finished
//! [`Trace`] yields an [`Image`] of the files for a power cut at any moment: it contains what was
//! synced, and as much of the rest as a [`Kept`] selects. The code under test needs no change: this
//! disk is SQLite's default one as soon as a recording was started.
//!
//! This package is never part of the server. It is the only place in the workspace with `unsafe`,
//! because a VFS is a table of C functions.

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

/// The level that each `PRAGMA synchronous` sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// The requested level.
    AsRequested,
    /// NORMAL: in WAL mode, commits are not synced.
    Normal,
    /// OFF: nothing is synced.
    Off,
}

/// A trace of one database, still being recorded.
#[derive(Debug)]
pub struct Recording {
    trace: PathBuf,
    before: Image,
}

impl Recording {
    /// Begins to record changes of the database at `store`, of its log and of its journal. The
    /// database must not be open.
    ///
    /// # Errors
    /// When the files next to it cannot be read or written.
    pub fn start(store: &Path, synchronous: Synchronous) -> io::Result<Self> {
        install();
        let sibling = |suffix: &str| trace::sibling(store, suffix);
        let before = Image::of(store)?;
        let digit = match synchronous {
            Synchronous::AsRequested => None,
            Synchronous::Normal => Some("1"),
            Synchronous::Off => Some("0"),
        };
        if let Some(digit) = digit {
            fs::write(sibling(".synchronous"), digit)?;
        }
        let trace = sibling(".trace");
        File::create(&trace)?;
        Ok(Self { trace, before })
    }

    /// The present length of the trace; everything before it has happened.
    ///
    /// # Errors
    /// When the trace does not exist.
    pub fn position(&self) -> io::Result<u64> {
        Ok(fs::metadata(&self.trace)?.len())
    }

    /// Ends the recording. The database must be closed.
    ///
    /// # Errors
    /// When the trace cannot be read.
    pub fn finish(self) -> io::Result<Trace> {
        let trace = Trace::read(self.before, &fs::read(&self.trace)?);
        fs::remove_file(&self.trace)?;
        Ok(trace)
    }
}

/// Registers the VFS, once per process.
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
        assert_eq!(code, 0, "SQLite's error code");
    });
}
