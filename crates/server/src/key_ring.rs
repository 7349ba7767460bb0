//! The signing keys of a running server: read every second, changed when that is due or when a command asks for it.

use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::row::Version;
use grantor_core::records::{SealedSigningKey, SigningKeys};
use grantor_core::tokens::key_life::{KeyObservations, by_command, due};
use grantor_jose::{KeyState, Kid};
use grantor_web::App;
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::admin::api::{KeyListing, ListedKey, ListedMasterKey, RotatedKeys};
use crate::cause::Causes;
use crate::signing_keys::{KeyStore, Opened, SigningKeysError, read};

#[cfg(test)]
mod tests;

/// How often the row is read, and so how late this server notices what another one wrote.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The keys of a running server, and the application that signs with them.
pub struct KeyRing {
    keys: KeyStore,
    app: Arc<App>,
    held: Mutex<Held>,
}

/// The keys in use.
struct Held {
    record: SigningKeys,
    version: Option<Version>,
    watched: KeyObservations,
}

impl KeyRing {
    /// The keys that `app` was made with.
    #[must_use]
    pub fn new(keys: KeyStore, opened: Opened, app: Arc<App>) -> Self {
        let held = Held {
            record: opened.record,
            version: opened.version,
            watched: KeyObservations::default(),
        };
        Self {
            keys,
            app,
            held: Mutex::new(held),
        }
    }

    /// Checks the keys every second, until it is dropped.
    pub async fn watch(&self) {
        let began = Instant::now();
        let mut times = interval(READ_INTERVAL);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            times.tick().await;
            match self.look(began.elapsed()).await {
                Ok(()) => failing = false,
                // Logged once, not every second.
                Err(_) if failing => {}
                Err(error) => {
                    failing = true;
                    tracing::error!(error = %Causes(&error), "the signing keys cannot be read; the previous ones stay in use");
                }
            }
        }
    }

    /// Adopts what another server wrote, and does what is due, `uptime` after this server started.
    ///
    /// # Errors
    /// [`SigningKeysError`]; the previous keys stay in use.
    pub async fn look(&self, uptime: Duration) -> Result<(), SigningKeysError> {
        let mut held = self.held.lock().await;
        let row = read(&*self.keys.store).await?;
        if row.as_ref().map(|row| row.version) != held.version {
            let opened = self.keys.opened(row.as_ref())?;
            self.take(&mut held, opened);
        }
        let Held {
            record, watched, ..
        } = &mut *held;
        let (now, policy) = (self.keys.clock.now(), self.keys.policy());
        watched.record(record, now, uptime);
        let plan =
            |record: &SigningKeys| due(record, &self.keys.in_use, &policy, now, watched, uptime);
        if plan(record).is_empty() {
            return Ok(());
        }
        let opened = self.keys.change(plan).await?;
        self.take(&mut held, opened);
        let Held {
            record, watched, ..
        } = &mut *held;
        watched.record(record, now, uptime);
        Ok(())
    }

    /// Promotes the next keys now, whatever the schedule says, and creates new next ones.
    ///
    /// # Errors
    /// [`SigningKeysError`]; the previous keys stay in use, unless it is unknown whether the commit was written.
    pub async fn rotate_now(&self) -> Result<RotatedKeys, SigningKeysError> {
        let mut held = self.held.lock().await;
        let before = self.keys.read().await?.record;
        let (in_use, watched) = (&self.keys.in_use, &held.watched);
        let plan = |keys: &SigningKeys| by_command(keys, in_use, watched);
        let opened = self.keys.change(plan).await?;
        let now = self.keys.clock.now();
        let known = |kid: &Kid| before.keys.iter().find(|key| key.kid == *kid);
        let fresh = |key: &&SealedSigningKey| {
            key.state == KeyState::Active
                && known(&key.kid).is_none_or(|before| before.state == KeyState::Next)
        };
        let promoted: Vec<_> = opened.record.keys.iter().filter(fresh).collect();
        let published = promoted
            .iter()
            .map(|key| Some(now.since(known(&key.kid)?.since).as_secs()));
        let rotated = RotatedKeys {
            published_secs: published.min().flatten(),
            promoted: promoted.into_iter().map(ListedKey::from).collect(),
        };
        self.take(&mut held, opened);
        Ok(rotated)
    }

    pub async fn list(&self) -> KeyListing {
        let held = self.held.lock().await;
        let now = self.keys.clock.now();
        let policy = self.keys.policy();
        let in_use = &self.keys.in_use;
        let plan = due(
            &held.record,
            in_use,
            &policy,
            now,
            &held.watched,
            Duration::ZERO,
        );
        KeyListing {
            keys: held.record.keys.iter().map(ListedKey::from).collect(),
            masters: self.keys.listed_masters(&held.record),
            due: plan.next_check,
            now,
        }
    }

    fn take(&self, held: &mut Held, opened: Opened) {
        self.app.replace_keys(opened.published, opened.signer);
        held.record = opened.record;
        held.version = opened.version;
    }
}

impl KeyStore {
    /// The master keys, for people.
    #[must_use]
    pub fn listed_masters(&self, record: &SigningKeys) -> Vec<ListedMasterKey> {
        let listed = self.masters.all().enumerate().map(|(n, master)| {
            let id = master.id();
            let superseded = record.superseded.iter().find(|other| other.id == id);
            // By the settings of now, where those let things live longer than the ones of then.
            let until = superseded.map(|it| it.until.max(it.at + self.lives.sealed));
            ListedMasterKey {
                current: n == 0,
                until: until.filter(|_| n > 0),
                id,
            }
        });
        listed.collect()
    }
}
