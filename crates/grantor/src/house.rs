//! What a server and the commands over its store have in common: the store, opened under its lock, and the
//! application over it.

use std::path::Path;
use std::sync::Arc;

use grantor_store::Store;
use grantor_store::memory::Memory;
use grantor_store::sqlite::Sqlite;
use grantor_web::{App, Entropy as _, Parts};

use crate::admin::Admin;
use crate::assemble;
use crate::config::{self, Settings};
use crate::events::{Events, Writer};
use crate::master_key;
use crate::server::StartError;
use crate::signing_keys::SigningKeyRow;
use crate::system::{SystemClock, SystemEntropy};

/// An application with what stands behind it. It answers nobody by itself.
pub struct House {
    /// The application.
    pub app: Arc<App>,
    /// Its store.
    pub store: Arc<dyn Store>,
    events: Option<Writer>,
}

impl House {
    /// Opens the store and the keys that the settings name; where there are none yet, makes them.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn open(settings: &Settings) -> Result<Self, StartError> {
        let store = open(&settings.store)?;
        let (clock, entropy) = (SystemClock, SystemEntropy);
        let row = SigningKeyRow::read(&*store, assemble::POOL).await?;
        let fresh = entropy.seed().bytes("master key");
        let (master, source) = master_key::load(settings, row.is_absent(), fresh)?;
        let in_use = assemble::algorithms(settings);
        let signing = row
            .open(&master, &source, &in_use, &clock, &entropy)
            .await?;

        let (sink, events) = events(&settings.store)?;
        let app = App::new(Parts {
            pool: assemble::pool(settings, &master, signing.published)?,
            store: Arc::clone(&store),
            signer: Arc::new(signing.signer),
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
            events: Arc::new(sink),
            proxies: assemble::proxies(settings),
            templates: settings.templates.clone(),
        })?;
        Ok(Self { app, store, events })
    }

    /// What the operator's commands work on; `file` is the configuration's.
    #[must_use]
    pub fn admin(&self, settings: &Settings, file: &Path) -> Arc<Admin> {
        Arc::new(Admin::new(
            Arc::clone(&self.app),
            Arc::clone(&self.store),
            settings,
            file,
        ))
    }

    /// Writes the events that wait. The store closes with its last user.
    pub fn close(self) {
        if let Some(events) = self.events {
            events.finish();
        }
    }
}

fn open(store: &config::Store) -> Result<Arc<dyn Store>, StartError> {
    Ok(match store {
        config::Store::Memory => Arc::new(Memory::new()),
        config::Store::Sqlite(path) => Arc::new(Sqlite::open(path)?),
        config::Store::Postgres(_) => return Err(StartError::Postgres),
    })
}

/// Day files stand beside the store's file; without one there is only the log.
fn events(store: &config::Store) -> Result<(Events, Option<Writer>), StartError> {
    let config::Store::Sqlite(path) = store else {
        return Ok((Events::logged(), None));
    };
    let folder = path.parent().unwrap_or(Path::new("")).join("events");
    let (events, writer) =
        Events::kept(&folder).map_err(|error| StartError::Events { folder, error })?;
    Ok((events, Some(writer)))
}
