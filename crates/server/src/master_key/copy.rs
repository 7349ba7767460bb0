//! Copies of the master keys, next to backups.

use std::path::Path;

use super::{MasterKeyError, MasterKeys, Source, failed, load, read, write};
use grantor_config::{Settings, Store};

/// The master keys that the settings name, if they exist.
pub fn kept(settings: &Settings) -> Result<Option<(MasterKeys, Source)>, MasterKeyError> {
    // Its key was never written.
    if matches!(settings.store, Store::Memory) {
        return Ok(None);
    }
    match load(settings, false, [0; 32]) {
        Ok(kept) => Ok(Some(kept)),
        Err(MasterKeyError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The master keys in a file, if it exists.
pub fn kept_in(path: &Path) -> Result<Option<MasterKeys>, MasterKeyError> {
    read(path)
}

/// Creates a file of master keys, which must not exist.
pub fn make(path: &Path, keys: &MasterKeys) -> Result<(), MasterKeyError> {
    write(path, keys).map_err(|error| failed(path, "written", error))
}
