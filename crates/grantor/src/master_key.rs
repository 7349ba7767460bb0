//! The master key: read from its file or from the environment, made at the first start.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::sealed::MasterKey;
use zeroize::{Zeroize as _, Zeroizing};

use crate::config::{self, Settings, Store};

/// No key file is longer, whatever its comments say.
const MAX_FILE: u64 = 64 * 1024;

const COMMENT: &str = "\
# The master key of a Grantor server: 32 random bytes in base64url.
# Whoever has it can forge every token. Without it the store is of no use: keep a copy elsewhere.
";

/// Where a master key came from, for people.
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

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The store was used before, so a new key would be the wrong one.
    #[error(
        "key_file {} is missing, but the store was made with a master key: bring it back from where you keep a copy",
        .0.display()
    )]
    Missing(PathBuf),
    /// Others may read it.
    #[error("key_file {} can be read or changed by others (mode {mode:o}): chmod 600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Not a key.
    #[error(
        "{0} holds no master key: one line of 32 bytes in base64url or hexadecimal is expected"
    )]
    Malformed(Source),
    /// The system refused.
    #[error("key_file {} cannot be {what}: {error}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        error: io::Error,
    },
}

/// The master key that the settings name. Where its file is missing, a key is made of `fresh` bytes:
/// only for a store that was `never_used`, since any other was made with a key that is lost now.
///
/// # Errors
/// [`MasterKeyError`]
pub fn load(
    settings: &Settings,
    never_used: bool,
    fresh: [u8; 32],
) -> Result<(MasterKey, Source), MasterKeyError> {
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
        return Ok((key, Source::Random));
    }
    if !never_used {
        return Err(MasterKeyError::Missing(path.to_owned()));
    }
    write(path, &key).map_err(|error| failed(path, "written", error))?;
    tracing::info!(file = %path.display(), "made the master key; keep a copy of it elsewhere");
    Ok((key, source))
}

/// The key in a file, if there is the file.
fn read(path: &Path) -> Result<Option<MasterKey>, MasterKeyError> {
    let unreadable = |error| failed(path, "read", error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = Zeroizing::new(String::with_capacity(4096));
    match file.take(MAX_FILE).read_to_string(&mut text) {
        Ok(_) => {}
        // Bytes that are no text are no key either.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => text.clear(),
        Err(error) => return Err(unreadable(error)),
    }
    parse(&text)
        .map(Some)
        .ok_or_else(|| MasterKeyError::Malformed(Source::File(path.to_owned())))
}

/// The key in a text of one line, beside empty ones and comments.
fn parse(text: &str) -> Option<MasterKey> {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let mut bytes = [0; 32];
    let decoded = match line.len() {
        64 => hex::decode_to_slice(line, &mut bytes).is_ok(),
        _ => URL_SAFE_NO_PAD.decode_slice(line, &mut bytes) == Ok(32),
    };
    let key = decoded.then(|| MasterKey::new(bytes));
    bytes.zeroize();
    key
}

/// Makes the file, which must not be there, and makes it last.
fn write(path: &Path, key: &MasterKey) -> io::Result<()> {
    let text = Zeroizing::new(format!(
        "{COMMENT}{}\n",
        *Zeroizing::new(URL_SAFE_NO_PAD.encode(key.reveal()))
    ));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a key would be taken for a damaged one at the next start.
        fs::remove_file(path).ok();
        return Err(error);
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn failed(path: &Path, what: &'static str, error: io::Error) -> MasterKeyError {
    MasterKeyError::System {
        path: path.to_owned(),
        what,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, parse as settings_of};

    fn settings(folder: &Path, more: &str) -> Settings {
        let text = format!("issuer = \"http://127.0.0.1:8080\"\n{more}");
        let environment: Environment = [("KEY", "07".repeat(32))].into_iter().collect();
        settings_of(&text, "grantor.toml", folder, &environment).unwrap()
    }

    fn put(path: &Path, text: &str) {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn the_first_start_makes_a_key_that_only_its_owner_reads_and_later_ones_keep_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let settings = settings(folder.path(), "");
        let (made, source) = load(&settings, true, [7; 32]).unwrap();
        assert_eq!(source, Source::File(folder.path().join("grantor.key")));
        let file = folder.path().join("grantor.key");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(
            fs::read_to_string(&file)
                .unwrap()
                .starts_with("# The master key")
        );
        for never_used in [true, false] {
            let (read, _) = load(&settings, never_used, [8; 32]).unwrap();
            assert_eq!(read.reveal(), made.reveal());
        }
    }

    #[test]
    fn a_key_is_read_from_base64url_or_hexadecimal_with_comments_around() {
        let base64url = URL_SAFE_NO_PAD.encode([7; 32]);
        for text in [
            base64url.clone(),
            "07".repeat(32),
            format!("\n# a key\r\n  {base64url} \r\n\n"),
        ] {
            assert_eq!(parse(&text).unwrap().reveal(), &[7; 32], "{text}");
        }
    }

    #[test]
    fn a_malformed_key_is_refused_and_not_repeated() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("grantor.key");
        let two = format!("{0}\n{0}\n", "07".repeat(32));
        for text in [
            "",
            "# only a comment",
            "hunter2",
            &"07".repeat(31),
            &"0g".repeat(32),
            &two,
        ] {
            put(&path, text);
            let error = load(&settings(folder.path(), ""), true, [7; 32]).unwrap_err();
            assert!(matches!(error, MasterKeyError::Malformed(_)), "{error}");
            assert!(
                text.is_empty() || !error.to_string().contains(text),
                "{error}"
            );
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("grantor.key");
        put(&path, &"07".repeat(32));
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = load(&settings(folder.path(), ""), true, [7; 32]).unwrap_err();
            assert!(
                error.to_string().contains(&format!("(mode {mode:o})")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_used_store_gets_no_new_key() {
        let folder = tempfile::TempDir::new().unwrap();
        let error = load(&settings(folder.path(), ""), false, [7; 32]).unwrap_err();
        assert!(matches!(error, MasterKeyError::Missing(_)), "{error}");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing was made"
        );
    }

    #[test]
    fn a_store_in_memory_needs_no_file() {
        let folder = tempfile::TempDir::new().unwrap();
        let settings = settings(folder.path(), "store = \"memory:\"\n");
        let (_, source) = load(&settings, true, [7; 32]).unwrap();
        assert_eq!(source, Source::Random);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing was made"
        );
    }

    #[test]
    fn the_environment_can_hold_the_key() {
        let folder = tempfile::TempDir::new().unwrap();
        let settings = settings(folder.path(), "key_env = \"KEY\"\n");
        let (key, source) = load(&settings, false, [8; 32]).unwrap();
        assert_eq!(key.reveal(), &[7; 32]);
        assert_eq!(source.to_string(), "key_env KEY");
    }
}
