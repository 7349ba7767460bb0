//! What a server and the commands over its store have in common: the store, opened under its lock, and the application
//! that uses it.

use std::path::Path;
use std::sync::Arc;

use grantor_jose::KeySet;
use grantor_store::Store;
use grantor_store::memory::Memory;
use grantor_store::sqlite::Sqlite;
use grantor_web::api::OpenApi;
use grantor_web::{App, Clock as _, Entropy as _, EventSink, Parts};
use tokio::sync::{Mutex, Semaphore};

use crate::admin::Admin;
use crate::assemble::{self, AssembleError};
use crate::clients;
use crate::config_watch::{self, ConfigWatch};
use crate::events::{Events, Writer};
use crate::files;
use crate::key_policy;
use crate::key_ring::KeyRing;
use crate::management::ServerManagement;
use crate::master_key::{self, MasterKeys, Source};
use crate::metrics::Sources;
use crate::openapi;
use crate::realm_owner::{InUse, RealmOwner};
use crate::reload::{self, Reloader};
use crate::run::StartError;
use crate::setting_error::SettingError;
use crate::signing_keys::{self, KeyStore};
use crate::system::{SystemClock, SystemEntropy};
use crate::written::Document;
use grantor_config::{self as config, Environment, Settings};

/// An application with its store, its keys and its events. It does not listen.
pub struct Installation {
    pub app: Arc<App>,
    pub store: Arc<dyn Store>,
    pub owner: Arc<RealmOwner>,
    pub keys: Arc<KeyRing>,
    sqlite: Option<Arc<Sqlite>>,
    pub sink: Arc<dyn EventSink>,
    events: Option<Writer>,
}

impl Installation {
    /// Opens the store and the keys that the settings name, and creates those that do not exist.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn open(settings: &Settings) -> Result<Self, StartError> {
        files::check(settings)?;
        Self::over(settings, kept(settings)?).await
    }

    /// The same over a store that is open.
    pub(crate) async fn over(
        settings: &Settings,
        (store, sqlite): Opened,
    ) -> Result<Self, StartError> {
        let document = config_watch::read(&*store).await?;
        let keys = key_store(settings, Arc::clone(&store)).await?;
        let signing = keys.open().await?;

        let (sink, events) = events(&settings.store, settings.events_max.bytes())?;
        let sink: Arc<dyn EventSink> = Arc::new(sink);
        let mut first = InUse::new(
            settings,
            &document,
            SystemClock.now(),
            &keys.masters,
            &signing,
        )?;
        for (id, instance) in clients::restore(&*store).await? {
            if let Some(client) = first.realm.clients.get_mut(&id) {
                Arc::make_mut(client).instance = instance;
            }
        }
        let app = App::new(Parts {
            snapshot: first.snapshot(),
            store: Arc::clone(&store),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            events: Arc::clone(&sink),
            proxies: assemble::proxies(settings),
            templates: settings.templates.clone(),
        })?;
        app.set_openapi(OpenApi::new(openapi::document));
        let owner = RealmOwner::new(Arc::clone(&app), keys.masters.clone(), first);
        let owner = Arc::new(owner);
        let keys = Arc::new(KeyRing::new(keys, signing, Arc::clone(&owner)));
        app.set_management(Arc::new(ServerManagement {
            keys: Arc::downgrade(&keys),
        }));
        Ok(Self {
            app,
            store,
            owner,
            keys,
            sqlite,
            sink,
            events,
        })
    }

    /// The state of the admin socket; `file` is the configuration file.
    #[must_use]
    pub fn admin(&self, file: &Path, reloader: Option<Arc<Reloader>>) -> Arc<Admin> {
        Arc::new(Admin {
            app: Arc::clone(&self.app),
            owner: Arc::clone(&self.owner),
            keys: Arc::clone(&self.keys),
            sqlite: self.sqlite.clone(),
            one_backup: Arc::new(Semaphore::new(1)),
            file: file.to_owned(),
            reloader,
        })
    }

    /// What takes the changed `file`; `environment` is what the settings were read with.
    #[must_use]
    pub fn reloader(&self, file: &Path, environment: &Environment) -> Arc<Reloader> {
        Arc::new(Reloader {
            file: file.to_owned(),
            environment: environment.clone(),
            app: Arc::clone(&self.app),
            store: Arc::clone(&self.store),
            owner: Arc::clone(&self.owner),
            keys: Arc::clone(&self.keys),
            pause: reload::pause(),
            one: Mutex::new(()),
        })
    }

    /// What takes changes of the managed document.
    #[must_use]
    pub fn config_watch(&self) -> ConfigWatch {
        ConfigWatch {
            app: Arc::clone(&self.app),
            store: Arc::clone(&self.store),
            owner: Arc::clone(&self.owner),
            keys: Arc::clone(&self.keys),
        }
    }

    /// What metrics are read from.
    #[must_use]
    pub fn metrics(&self) -> Arc<Sources> {
        Arc::new(Sources {
            app: Arc::clone(&self.app),
            owner: Arc::clone(&self.owner),
            keys: Arc::clone(&self.keys),
            sqlite: self.sqlite.clone(),
            started: SystemClock.now(),
        })
    }

    /// Writes the events that are queued. The store closes when its last user is dropped.
    pub fn close(self) {
        if let Some(events) = self.events {
            events.finish();
        }
    }
}

/// The signing keys of a store. The master key is created where the store was never used.
///
/// # Errors
/// [`StartError`]
pub async fn key_store(settings: &Settings, store: Arc<dyn Store>) -> Result<KeyStore, StartError> {
    let document = config_watch::read(&*store).await?;
    let never_used = signing_keys::read(&*store).await?.is_none();
    let fresh = SystemEntropy.seed().bytes("master key");
    let loaded = master_key::load(settings, never_used, fresh);
    let (masters, source) = loaded.map_err(|error| {
        let key = settings.key_env.as_ref().map_or("key_file", |_| "key_env");
        SettingError::new(settings, key, error)
    })?;
    Ok(key_store_of(settings, &document, store, masters, source)?)
}

/// The same with master keys that are known.
///
/// # Errors
/// [`AssembleError`]
pub fn key_store_of(
    settings: &Settings,
    document: &Document,
    store: Arc<dyn Store>,
    masters: MasterKeys,
    source: Source,
) -> Result<KeyStore, AssembleError> {
    let merged = document.merged(settings);
    Ok(KeyStore {
        store,
        realm: Arc::new(assemble::realm(&merged, &masters, KeySet::default())?),
        masters,
        source,
        in_use: assemble::algorithms(&merged, &document.content),
        lives: key_policy::lives(&merged),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    })
}

/// Opens the store, under its lock.
///
/// # Errors
/// [`StartError`]
pub fn open(settings: &Settings) -> Result<Arc<dyn Store>, StartError> {
    kept(settings).map(|(store, _)| store)
}

pub(crate) type Opened = (Arc<dyn Store>, Option<Arc<Sqlite>>);

fn kept(settings: &Settings) -> Result<Opened, StartError> {
    match &settings.store {
        config::Store::Memory => Ok((Arc::new(Memory::new()), None)),
        config::Store::Sqlite(path) => {
            let sqlite = Arc::new(Sqlite::open(path)?);
            Ok((Arc::clone(&sqlite) as Arc<dyn Store>, Some(sqlite)))
        }
        config::Store::Postgres(_) => Err(StartError::postgres(settings)),
    }
}

/// Day files are next to the store's file. A store without a file has only the log.
fn events(store: &config::Store, max_bytes: u64) -> Result<(Events, Option<Writer>), StartError> {
    let config::Store::Sqlite(path) = store else {
        return Ok((Events::logged(), None));
    };
    let folder = path.parent().unwrap_or(Path::new("")).join("events");
    let (events, writer) =
        Events::kept(&folder, max_bytes).map_err(|source| StartError::Events { folder, source })?;
    Ok((events, Some(writer)))
}
