//! Where the management API is enabled and there never was an administrator: a code for making one, in a file.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use grantor_config::{Settings, Store, User};
use grantor_core::model::endpoint::Endpoint;
use grantor_core::people::{
    CreateFirstAdministrator, FIRST_ADMINISTRATOR_LIFETIME, HadAdministrator,
};
use grantor_web::{App, Clock as _, Entropy as _};

use crate::cause::Causes;
use crate::realm_owner::RealmOwner;
use crate::system::{SystemClock, SystemEntropy};
use crate::users::run;

/// How often it is looked whether the code was used.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The file next to the store.
#[must_use]
pub(crate) fn path(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(".first-admin");
    path.into()
}

/// Writes the file where it is needed, and removes one that is not, also once there is an administrator or the hour is over.
/// Only its path is logged.
pub(crate) async fn offer(app: Arc<App>, owner: Arc<RealmOwner>) {
    let settings = owner.settings();
    let Store::Sqlite(store) = &settings.store else {
        return;
    };
    let path = path(store);
    let is_needed = settings.api.enabled && !declares_administrator(&settings);
    let is_needed = match run(&app, HadAdministrator).await {
        Ok(had) => is_needed && !had,
        Err(error) => {
            tracing::warn!(error = %Causes(&error), "whether there is an administrator is not known");
            return;
        }
    };
    let written = match is_needed {
        true => write(&path, &text(&app, &settings)),
        false => return remove(&path),
    };
    match written {
        Ok(()) => tracing::warn!(
            file = %path.display(),
            minutes = FIRST_ADMINISTRATOR_LIFETIME.as_secs() / 60,
            "there is no administrator of the management API yet: the file has an address and a code, for an hour, for \
             making one; or run `grantor admin create NAME`"
        ),
        Err(error) => {
            tracing::error!(
                file = %path.display(), error = %Causes(&error),
                "the code for making the first administrator was not written: run `grantor admin create NAME`"
            );
            return;
        }
    }
    let mut left = FIRST_ADMINISTRATOR_LIFETIME;
    while !matches!(run(&app, HadAdministrator).await, Ok(true)) && !left.is_zero() {
        tokio::time::sleep(LOOK_INTERVAL).await;
        left = left.saturating_sub(LOOK_INTERVAL);
    }
    remove(&path);
}

fn declares_administrator(settings: &Settings) -> bool {
    let admins = settings.api.effective_admins();
    let is_one = |user: &User| {
        let groups = user.groups.iter().flatten();
        user.enabled && groups.into_iter().any(|group| admins.contains(group))
    };
    settings.users.iter().any(is_one)
}

fn text(app: &App, settings: &Settings) -> String {
    let random = SystemEntropy.seed().bytes("first administrator");
    let (realm, now) = (app.realm(), SystemClock.now());
    let code = CreateFirstAdministrator::code(&realm, now, random);
    let until = (now + FIRST_ADMINISTRATOR_LIFETIME).rfc3339();
    let (issuer, path) = (&settings.issuer, Endpoint::AdminFirst.path());
    format!(
        "Makes the first administrator, once, until {until}. Open the address, and enter the code.\n{issuer}{path}\n{code}\n"
    )
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    remove(path);
    // A new one, readable by its owner only: what another put there is never written to.
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

fn remove(path: &Path) {
    // Usually there is none.
    fs::remove_file(path).ok();
}
