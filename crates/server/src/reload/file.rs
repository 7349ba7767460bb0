//! The configuration file of a running server, looked at twice: a file that is still being written must not be taken.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use grantor_config::{self as config, Environment, Settings};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::ReloadError;
use crate::files::check_writers;

/// More than any file of settings has.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

pub(super) type Text = Zeroizing<Vec<u8>>;

/// What one look found. The settings are compared as well: they hold what is in the files of secrets.
#[derive(PartialEq)]
pub(super) struct Look {
    text: Zeroizing<Vec<u8>>,
    settings: Result<Settings, String>,
}

impl Look {
    /// Blocks while it reads. The settings are those that run.
    pub(super) fn new(file: &Path, environment: &Environment, running: &Settings) -> Self {
        match read(file, running) {
            Ok(text) => Self {
                settings: parse(&text, file, environment),
                text,
            },
            Err(error) => Self {
                text: Zeroizing::default(),
                settings: Err(format!("{}: {error}", file.display())),
            },
        }
    }

    /// The settings and their text, where a later look found the same.
    pub(super) fn confirmed(self, later: &Self) -> Result<(Settings, Text), ReloadError> {
        if self != *later {
            return Err(ReloadError::Changing);
        }
        let settings = self.settings.map_err(ReloadError::Invalid)?;
        Ok((settings, self.text))
    }
}

fn parse(text: &[u8], file: &Path, environment: &Environment) -> Result<Settings, String> {
    let name = file.display().to_string();
    let text = std::str::from_utf8(text).map_err(|_| format!("{name}: is not UTF-8 text"))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    config::parse(text, &name, folder, environment).map_err(|mistakes| mistakes.to_string())
}

/// Follows links, as a mounted file is one. What is checked is the file that is read.
fn read(path: &Path, running: &Settings) -> io::Result<Zeroizing<Vec<u8>>> {
    // Without waiting, where it is a pipe.
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("is not a file"));
    }
    check_writers(path, &found, running)?;
    bounded(file)
}

fn bounded(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("holds more than 16 MiB"));
    }
    Ok(text)
}
