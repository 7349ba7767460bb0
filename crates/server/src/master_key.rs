//! The master keys: read from their file or from the environment, made at the first start, rotated by a command.

pub mod copy;

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::base::sealing::MasterKey;
use zeroize::{Zeroize as _, Zeroizing};

use grantor_config::{self as config, Settings, Store};

#[cfg(test)]
mod tests;

/// No key file is longer, comments included.
const MAX_FILE_BYTES: u64 = 64 * 1024;

const COMMENT: &str = "\
# The master key of a Grantor server: 32 random bytes in base64url.
# Whoever has it can forge every token. Without it the store is of no use: keep a copy elsewhere.
";

const OLDER: &str = "\
# Older keys. They open what they sealed, and seal nothing: `grantor keys list` says when one may be removed.
";

/// The master keys of an installation: one seals, and older ones open what they sealed.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    current: MasterKey,
    older: Vec<MasterKey>,
}

impl MasterKeys {
    /// The key that seals, and opens.
    #[must_use]
    pub const fn current(&self) -> &MasterKey {
        &self.current
    }

    /// Those that only open, the newest first.
    #[must_use]
    pub fn older(&self) -> &[MasterKey] {
        &self.older
    }

    /// All of them, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.older)
    }

    /// The same with a new key that seals.
    #[must_use]
    pub fn with_new(self, current: MasterKey) -> Self {
        let older = std::iter::once(self.current).chain(self.older).collect();
        Self { current, older }
    }
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self {
            current,
            older: Vec::new(),
        }
    }
}

/// Where a master key came from, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `key_file`.
    File(PathBuf),
    /// `key_env`, the name of the variable.
    Variable(String),
    /// Drawn for this process only, for a store in memory.
    Random,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "key_file {}", path.display()),
            Self::Variable(name) => write!(f, "key_env {name}"),
            Self::Random => f.write_str("the random master key"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The store was used before, so a new key could not open it.
    #[error(
        "key_file {} is missing, but the store was made with a master key: bring it back from where you keep a copy",
        .0.display()
    )]
    Missing(PathBuf),
    /// Others may read it.
    #[error("key_file {} can be read or changed by others (mode {mode:o}): chmod 600 it", path.display())]
    Exposed { path: PathBuf, mode: u32 },
    /// The text is not a list of keys.
    #[error(
        "{0} holds no master key: lines of 32 bytes in base64url or hexadecimal are expected, no two of them the same"
    )]
    Malformed(Source),
    #[error("key_file {} cannot be {operation}", path.display())]
    Io {
        path: PathBuf,
        /// What failed, as a participle.
        operation: &'static str,
        source: io::Error,
    },
}

/// The master keys that the settings name. Where its file is missing, a key is made of `fresh` bytes:
/// only for a store that was `never_used`, since any other was made with a key that is lost now.
///
/// # Errors
/// [`MasterKeyError`]
pub fn load(
    settings: &Settings,
    never_used: bool,
    fresh: [u8; 32],
) -> Result<(MasterKeys, Source), MasterKeyError> {
    let path = match settings.master_key() {
        config::MasterKey::Given(secret) => {
            let name = settings
                .key_env
                .as_ref()
                .map(|variable| variable.variable());
            let source = Source::Variable(name.unwrap_or_default().to_owned());
            let key = parse(secret.reveal()).ok_or(MasterKeyError::Malformed(source.clone()))?;
            return Ok((key, source));
        }
        config::MasterKey::File(path) => path,
    };
    let source = Source::File(path.to_owned());
    if let Some(key) = read(path)? {
        return Ok((key, source));
    }
    let key = MasterKey::new(fresh);
    if matches!(settings.store, Store::Memory) {
        return Ok((key.into(), Source::Random));
    }
    if !never_used {
        return Err(MasterKeyError::Missing(path.to_owned()));
    }
    let keys = MasterKeys::from(key);
    write(path, &keys).map_err(|error| failed(path, "written", error))?;
    tracing::info!(file = %path.display(), "created the master key; keep a copy of it elsewhere");
    Ok((keys, source))
}

/// Replaces the file atomically: a reader finds the old keys or the new ones.
///
/// # Errors
/// [`MasterKeyError::Io`]; the file is then as it was.
pub fn replace(path: &Path, keys: &MasterKeys) -> Result<(), MasterKeyError> {
    let failed = |error| failed(path, "written", error);
    // A link to the file is kept.
    let path = path.canonicalize().map_err(failed)?;
    let mut temporary = path.clone().into_os_string();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    // A file that an interrupted rotation left was never in use.
    fs::remove_file(&temporary)
        .or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })
        .map_err(failed)?;
    write(&temporary, keys)
        .and_then(|()| fs::rename(&temporary, &path))
        .and_then(|()| sync_folder(&path))
        .map_err(failed)
}

/// The keys in a file, if there is the file.
fn read(path: &Path) -> Result<Option<MasterKeys>, MasterKeyError> {
    let unreadable = |error| failed(path, "read", error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    check_secrecy(path, &file.metadata().map_err(unreadable)?)?;
    let mut text = Zeroizing::new(String::with_capacity(4096));
    match file.take(MAX_FILE_BYTES).read_to_string(&mut text) {
        Ok(_) => {}
        // Bytes that are not text are not a key.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => text.clear(),
        Err(error) => return Err(unreadable(error)),
    }
    parse(&text)
        .map(Some)
        .ok_or_else(|| MasterKeyError::Malformed(Source::File(path.to_owned())))
}

/// Checks the mode of a key file without opening it; it may be missing.
///
/// # Errors
/// [`MasterKeyError`]
pub fn check_permissions(path: &Path) -> Result<(), MasterKeyError> {
    match fs::metadata(path) {
        Ok(file) => check_secrecy(path, &file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(path, "read", error)),
    }
}

fn check_secrecy(path: &Path, file: &Metadata) -> Result<(), MasterKeyError> {
    let mode = file.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(())
}

/// The keys of a text, separated by line breaks or spaces. Empty lines and comments are skipped.
fn parse(text: &str) -> Option<MasterKeys> {
    let words = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace);
    let mut keys = words.map(key).collect::<Option<Vec<_>>>()?.into_iter();
    let keys = MasterKeys {
        current: keys.next()?,
        older: keys.collect(),
    };
    // A repeated key is a mistake in the file.
    let ids: BTreeSet<_> = keys.all().map(MasterKey::id).collect();
    (ids.len() == 1 + keys.older.len()).then_some(keys)
}

fn key(word: &str) -> Option<MasterKey> {
    let mut bytes = [0; 32];
    let decoded = match word.len() {
        64 => hex::decode_to_slice(word, &mut bytes).is_ok(),
        _ => URL_SAFE_NO_PAD.decode_slice(word, &mut bytes) == Ok(32),
    };
    let key = decoded.then(|| MasterKey::new(bytes));
    bytes.zeroize();
    key
}

/// Creates the file, which must not exist, and syncs it.
fn write(path: &Path, keys: &MasterKeys) -> io::Result<()> {
    let line = |key: &MasterKey| Zeroizing::new(URL_SAFE_NO_PAD.encode(key.reveal()));
    // Large enough from the start, so that no copy of the secret is left by a reallocation.
    let mut text = Zeroizing::new(String::with_capacity(4096 + 64 * keys.older.len()));
    text.push_str(COMMENT);
    text.push_str(&line(&keys.current));
    if !keys.older.is_empty() {
        text.push('\n');
        text.push_str(OLDER.trim_end());
    }
    for older in &keys.older {
        text.push('\n');
        text.push_str(&line(older));
    }
    text.push('\n');
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        // The next start would take half a key for a damaged one.
        fs::remove_file(path).ok();
        return Err(error);
    }
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn failed(path: &Path, operation: &'static str, source: io::Error) -> MasterKeyError {
    MasterKeyError::Io {
        path: path.to_owned(),
        operation,
        source,
    }
}
