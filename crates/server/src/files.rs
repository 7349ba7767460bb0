//! The files around a server: their folders exist, and others on the machine can neither read nor replace what is secret.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use grantor_config::{self as config, Settings};

use crate::master_key;
use crate::outgoing::Outgoing;
use crate::setting_error::SettingError;

/// The root user's id.
const ROOT: u32 = 0;

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
/// `secret_file`.
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
    open.map(|(file, what)| {
        let file = file.display();
        format!("Others on this machine can read {file}, {what}: chmod o= {file}")
    })
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
    fn only_this_user_root_and_the_owner_of_the_store_own_what_is_secret() {
        for owner in [ROOT, 1000, 1001] {
            assert_eq!(foreign(owner, [1000, 1001]), None);
        }
        assert_eq!(foreign(1000, [ROOT, ROOT]), Some(1000));
        assert_eq!(foreign(1002, [1000, 1001]), Some(1002));
    }
}
