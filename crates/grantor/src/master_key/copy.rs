//! Copies of the master keys, beside backups.

use std::path::Path;

use super::{MasterKeyError, MasterKeys, Source, failed, load, read, write};
use crate::config::{Settings, Store};

/// The master keys that the settings name, where they are there.
///
/// # Errors
/// [`MasterKeyError`]
pub fn kept(settings: &Settings) -> Result<Option<(MasterKeys, Source)>, MasterKeyError> {
    // A key that was never written is nobody's.
    if matches!(settings.store, Store::Memory) {
        return Ok(None);
    }
    match load(settings, false, [0; 32]) {
        Ok(kept) => Ok(Some(kept)),
        Err(MasterKeyError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The master keys in a file, where it is there.
///
/// # Errors
/// [`MasterKeyError`]
pub fn kept_in(path: &Path) -> Result<Option<MasterKeys>, MasterKeyError> {
    read(path)
}

/// Makes a file of master keys; it must not be there.
///
/// # Errors
/// [`MasterKeyError`]
pub fn make(path: &Path, keys: &MasterKeys) -> Result<(), MasterKeyError> {
    write(path, keys).map_err(|error| failed(path, "written", error))
}
