//! Takes what is managed of the realm once any node changed it: the small row `config/version` is read each second, the
//! document when that says that it changed.

use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::error::Failure;
use grantor_core::model::config_document::ConfigDocument;
use grantor_core::records::{ConfigVersion, config_key};
use grantor_store::{Store, StoreError};
use grantor_web::App;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use crate::assemble::{AssembleError, POOL};
use crate::cause::Causes;
use crate::key_ring::KeyRing;
use crate::realm_owner::RealmOwner;
use crate::signing_keys::SigningKeysError;
use crate::written::Document;

#[cfg(test)]
mod tests;

/// How often the row is read. With the time to take the document, no node is more than 2 s late.
const READ_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    #[error(transparent)]
    Keys(#[from] SigningKeysError),
    #[error("a thread ended")]
    Thread(#[from] JoinError),
}

pub struct ConfigWatch {
    pub app: Arc<App>,
    pub store: Arc<dyn Store>,
    pub owner: Arc<RealmOwner>,
    pub keys: Arc<KeyRing>,
}

/// The document of the store.
///
/// # Errors
/// [`WatchError::Store`], [`WatchError::Failure`]
pub async fn read(store: &dyn Store) -> Result<Document, WatchError> {
    let rows = store.get(&[config_key(POOL)]).await?;
    let Some(row) = rows.into_iter().next().flatten() else {
        return Ok(Document::default());
    };
    let content: ConfigDocument = serde_json::from_slice(&row.value)
        .map_err(|_| Failure::Corrupt(format!("{:?}", row.key)))?;
    Ok(Document {
        version: Some(row.version),
        content: Arc::new(content),
    })
}

impl ConfigWatch {
    /// Looks each second, and at once after a change by this process, until it is dropped.
    pub async fn watch(self) {
        let mut times = interval(READ_INTERVAL);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            tokio::select! {
                _ = times.tick() => {}
                () = self.app.config_changed() => {}
            }
            match self.look().await {
                Ok(()) => failing = false,
                // Logged once, not every second.
                Err(_) if failing => {}
                Err(error) => {
                    failing = true;
                    tracing::error!(error = %Causes(&error), "what is managed cannot be read; what was read before stays in use");
                }
            }
        }
    }

    /// Takes the document if it changed.
    ///
    /// # Errors
    /// [`WatchError`]; the previous one stays in use.
    pub async fn look(&self) -> Result<(), WatchError> {
        let (began, changes) = (self.app.monotonic(), self.app.config_changes());
        let rows = self.store.get(&[ConfigVersion::key(POOL)]).await?;
        let version = rows.into_iter().flatten().next().map(|row| row.version);
        if version != self.owner.document().version {
            let _changing = self.owner.changing().await;
            let document = read(&*self.store).await?;
            let owner = Arc::clone(&self.owner);
            let next = spawn_blocking(move || owner.next_document(&document)).await??;
            let nothing = async { Ok::<_, SigningKeysError>(()) };
            self.keys.replace_settings(next, nothing).await?;
        }
        let is_shared = self.app.realm().nodes > 1;
        self.app.confirm_config(began, changes, is_shared);
        Ok(())
    }
}
