//! The files around a server: their folders exist, and others on the machine can neither read nor replace what is secret.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use grantor_config::{self as config, Settings};
use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::master_key;
use crate::outgoing::Outgoing;
use crate::setting_error::SettingError;

/// The root user's id.
const ROOT: u32 = 0;
/// In such a folder, everyone replaces their own files only.
const STICKY: u32 = 0o1000;

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("{setting}: there is no folder {}; create it, for this server's user only", folder.display())]
    NoFolder {
        setting: &'static str,
        folder: PathBuf,
    },
    /// Its owner may read and change it.
    #[error("key_file {} belongs to another user (id {owner}), who can read and change it: chown it to this server's user", path.display())]
    ForeignKey { path: PathBuf, owner: u32 },
    #[error("templates: the folder {} cannot be read", folder.display())]
    Templates { folder: PathBuf, source: io::Error },
}

/// Checks the files that the settings name, without opening them.
///
/// # Errors
/// [`SettingError`] of a [`FilesError`] or a [`MasterKeyError`]
///
/// [`MasterKeyError`]: master_key::MasterKeyError
pub fn check(settings: &Settings) -> Result<(), SettingError> {
    if let Some(folder) = &settings.templates {
        fs::read_dir(folder).map_err(|source| {
            let folder = folder.clone();
            SettingError::new(
                settings,
                "templates",
                FilesError::Templates { folder, source },
            )
        })?;
    }
    Outgoing::check(settings)?;
    let config::Store::Sqlite(store) = &settings.store else {
        return Ok(());
    };
    check_folder(settings, "store", store)?;
    if let config::MasterKey::File(path) = settings.master_key() {
        check_folder(settings, "key_file", path)?;
        master_key::check_permissions(path)
            .map_err(|error| SettingError::new(settings, "key_file", error))?;
        let found = fs::metadata(path).ok();
        if let Some(owner) = found.and_then(|found| foreign_owner(&found, folder_of(store))) {
            let path = path.to_owned();
            let error = FilesError::ForeignKey { path, owner };
            return Err(SettingError::new(settings, "key_file", error));
        }
    }
    Ok(())
}

/// Neither the store nor the key creates its folder: it is usually a typing error, or a disk that is not mounted.
fn check_folder(
    settings: &Settings,
    setting: &'static str,
    file: &Path,
) -> Result<(), SettingError> {
    let folder = folder_of(file);
    if folder.is_dir() {
        return Ok(());
    }
    let folder = folder.to_owned();
    let error = FilesError::NoFolder { setting, folder };
    Err(SettingError::new(settings, setting, error))
}

pub(crate) fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|name| !name.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// A sentence for each file with secrets that others on this machine can read: the configuration `file`, and each
/// `secret_file`. And one where others can write the configuration.
pub fn advice<'a>(settings: &'a Settings, file: &'a Path) -> impl Iterator<Item = String> + 'a {
    let holds = settings.holds_secrets().then_some((
        file,
        "which holds secrets (of a hash, the password can be guessed)",
    ));
    let clients = settings.clients.iter();
    let files = clients.filter_map(|client| client.secret_file.as_ref());
    let files = files.map(|file| (file.path(), "a secret_file"));
    let open = holds.into_iter().chain(files);
    let open = open.filter(|(file, _)| readable_by_others(file));
    let open = open.map(|(file, what)| {
        let file = file.display();
        format!("Others on this machine can read {file}, {what}: chmod o= {file}")
    });
    let found = fs::metadata(file).ok();
    let refused = found.and_then(|found| check_writers(file, &found, settings).err());
    open.chain(refused.map(|why| format!("No reload takes {}: {why}", file.display())))
}

/// Whoever can write the configuration could add a client or a user, and need only wait for the next reload. Looks at the
/// file and at its folder, which is where it is replaced.
pub(crate) fn check_writers(path: &Path, file: &Metadata, settings: &Settings) -> io::Result<()> {
    let refuse = |can: &str, (who, remedy): (String, &str), path: &Path| {
        let path = path.display();
        Err(io::Error::other(format!(
            "{who} can {can} it: {remedy} {path}"
        )))
    };
    if let Some(writer) = other_writer(file, file.mode(), settings) {
        return refuse("write", writer, path);
    }
    // Of a link, the folder of its target as well.
    let target = fs::canonicalize(path)?;
    for folder in [folder_of(path), folder_of(&target)] {
        let found = fs::metadata(folder)?;
        let mode = match found.mode() {
            mode if mode & STICKY != 0 => 0,
            mode => mode,
        };
        if let Some(writer) = other_writer(&found, mode, settings)
            && !is_read_only(folder)
        {
            return refuse("replace", writer, folder);
        }
    }
    Ok(())
}

/// Who else can write what has this owner, group and mode, and what ends that.
fn other_writer(
    found: &Metadata,
    mode: u32,
    settings: &Settings,
) -> Option<(String, &'static str)> {
    let store_folder = match &settings.store {
        config::Store::Sqlite(store) => folder_of(store),
        _ => Path::new(""),
    };
    if let Some(owner) = foreign_owner(found, store_folder) {
        let remedy = "make this server's user or root the owner of";
        return Some((format!("another user (id {owner})"), remedy));
    }
    if mode & 0o002 != 0 {
        return Some(("others on this machine".to_owned(), "chmod o-w"));
    }
    // Where each user has a group of their own, it has the user's number.
    let is_shared = found.gid() != found.uid();
    (mode & 0o020 != 0 && is_shared)
        .then(|| (format!("its group (id {})", found.gid()), "chmod g-w"))
}

/// As Kubernetes mounts a ConfigMap, in folders for all.
fn is_read_only(folder: &Path) -> bool {
    statvfs(folder).is_ok_and(|mount| mount.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// The file's group may be allowed to (Debian's `ssl-cert`), all users may not.
pub(crate) fn readable_by_others(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|file| file.permissions().mode() & 0o007 != 0)
}

/// The owner of a file, if they should not be able to change it: they are neither this process's user, nor root, nor the
/// owner of the store's folder, who has all anyway (root checks what a service's user will run).
pub(crate) fn foreign_owner(file: &Metadata, store_folder: &Path) -> Option<u32> {
    let of_store = fs::metadata(store_folder).map_or(ROOT, |folder| folder.uid());
    foreign(file.uid(), [rustix::process::geteuid().as_raw(), of_store])
}

fn foreign(owner: u32, trusted: [u32; 2]) -> Option<u32> {
    (owner != ROOT && !trusted.contains(&owner)).then_some(owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Causes;
    use grantor_config::Environment;
    use tempfile::TempDir;

    fn settings(text: &str, folder: &Path) -> Settings {
        let text = format!("issuer = \"http://127.0.0.1:8080\"\n{text}");
        config::parse(&text, "grantor.toml", folder, &Environment::default()).unwrap()
    }

    #[test]
    fn a_store_or_a_key_in_a_folder_that_is_not_there_is_refused_by_name() {
        let folder = TempDir::new().unwrap();
        let place = format!("{}/", folder.path().display());
        let said = |text: &str| {
            let checked = check(&settings(text, folder.path()));
            checked.map_err(|error| Causes(&error).to_string().replace(&place, ""))
        };
        assert_eq!(said("store = \"sqlite:grantor.db\"\n"), Ok(()));
        assert_eq!(said("store = \"memory:\"\nkey_file = \"no/key\"\n"), Ok(()));
        for (text, setting) in [
            ("store = \"sqlite:no/grantor.db\"\n", "store"),
            ("key_file = \"no/grantor.key\"\n", "key_file"),
        ] {
            let column = text.find('"').unwrap() + 1;
            let expected = format!(
                "grantor.toml:2:{column}: {setting}: there is no folder no; create it, for this server's user only"
            );
            assert_eq!(said(text), Err(expected));
        }
        let templates = said("store = \"memory:\"\ntemplates = \"no\"\n").unwrap_err();
        let expected = "grantor.toml:3:13: templates: the folder no cannot be read: No such file";
        assert!(templates.starts_with(expected), "{templates}");
    }

    #[test]
    fn a_configuration_with_secrets_that_others_can_read_is_reported() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("grantor.toml");
        fs::write(&file, "").unwrap();
        let user = "[[user]]\nusername = \"alice\"\npassword = \"a long password\"\n";
        let client = "[[client]]\nid = \"a\"\nsecret = \"a long client secret\"\n\
                      grants = [\"client_credentials\"]\n";
        for (mode, text, reported) in [
            (0o644, user, true),
            (0o644, client, true),
            (0o644, "", false),
            (0o640, user, false),
        ] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let settings = settings(text, folder.path());
            let sentences = advice(&settings, &file).count();
            assert_eq!(sentences, usize::from(reported), "{mode:o} {text}");
        }
        let secret = folder.path().join("orders.secret");
        fs::write(&secret, "0f1e2d3c4b5a69788796a5b4c3d2e1f0\n").unwrap();
        let client = "[[client]]\nid = \"a\"\nsecret_file = \"orders.secret\"\n\
                      grants = [\"client_credentials\"]\n";
        for (mode, reported) in [(0o644, true), (0o640, false)] {
            fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
            let settings = settings(client, folder.path());
            let sentences: Vec<_> = advice(&settings, &file).collect();
            let names = |said: &String| said.contains("orders.secret, a secret_file");
            assert_eq!(sentences.iter().any(names), reported, "{sentences:?}");
        }
    }

    #[test]
    fn a_configuration_that_others_can_write_is_reported() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("grantor.toml");
        fs::write(&file, "").unwrap();
        let settings = settings("", folder.path());
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            advice(&settings, &file).collect::<Vec<_>>()
        };
        assert!(set(&file, 0o644).is_empty());
        let sentences = set(&file, 0o646);
        assert!(sentences[0].contains("others on this machine can write it: chmod o-w"));
        assert!(set(&file, 0o600).is_empty());
        assert!(set(folder.path(), 0o703)[0].contains("can replace it: chmod o-w"));
        assert!(set(folder.path(), 0o1703).is_empty());
        set(folder.path(), 0o700);

        // A group that is not the owner's own, and another owner: only root can make them.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(&file, None, Some(4711)).unwrap();
            assert!(set(&file, 0o640).is_empty());
            assert!(set(&file, 0o660)[0].contains("its group (id 4711) can write it: chmod g-w"));
            std::os::unix::fs::chown(&file, Some(4711), None).unwrap();
            assert!(set(&file, 0o660)[0].contains("another user (id 4711) can write it: make"));
        }
    }

    #[test]
    fn only_this_user_root_and_the_owner_of_the_store_own_what_is_secret() {
        for owner in [ROOT, 1000, 1001] {
            assert_eq!(foreign(owner, [1000, 1001]), None);
        }
        assert_eq!(foreign(1000, [ROOT, ROOT]), Some(1000));
        assert_eq!(foreign(1002, [1000, 1001]), Some(1002));
    }
}
