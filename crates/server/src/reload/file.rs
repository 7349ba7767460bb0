//! The configuration file of a running server, looked at twice: a file that is still being written must not be taken.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use grantor_config::{self as config, Environment, Settings};
use rustix::fs::{OFlags, StatVfsMountFlags, statvfs};
use zeroize::Zeroizing;

use super::ReloadError;
use crate::files::folder_of;

/// More than any file of settings has.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// Anyone on this machine may write.
const WRITABLE: u32 = 0o002;
/// In such a folder, everyone replaces their own files only.
const STICKY: u32 = 0o1000;

pub(super) type Text = Zeroizing<Vec<u8>>;

/// What one look found. The settings are compared as well: they hold what is in the files of secrets.
#[derive(PartialEq)]
pub(super) struct Look {
    text: Zeroizing<Vec<u8>>,
    settings: Result<Settings, String>,
}

impl Look {
    /// Blocks while it reads.
    pub(super) fn new(file: &Path, environment: &Environment) -> Self {
        match read(file) {
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
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
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
    check_writers(path, &found)?;
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

/// Whoever can write the file could add a client or a user, and need only wait for the next reload.
fn check_writers(path: &Path, file: &Metadata) -> io::Result<()> {
    if file.permissions().mode() & WRITABLE != 0 {
        let why = format!(
            "others on this machine can write it: chmod o-w {}",
            path.display()
        );
        return Err(io::Error::other(why));
    }
    // Of a link, the folder of its target as well.
    let target = fs::canonicalize(path)?;
    for folder in [folder_of(path), folder_of(&target)] {
        let mode = fs::metadata(folder)?.permissions().mode();
        if mode & WRITABLE != 0 && mode & STICKY == 0 && !is_read_only(folder) {
            let folder = folder.display();
            let why = format!("others on this machine can replace it: chmod o-w {folder}");
            return Err(io::Error::other(why));
        }
    }
    Ok(())
}

/// As Kubernetes mounts a ConfigMap, in folders for all.
fn is_read_only(folder: &Path) -> bool {
    statvfs(folder).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::RDONLY))
}
