//! The signing keys of a running server: read every second, changed when that is due or when a command asks for it.

use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::row::Version;
use grantor_core::records::{SealedSigningKey, SigningKeys};
use grantor_core::tokens::key_life::{KeyObservations, KeyPolicy, Plan, by_command, due, needed};
use grantor_jose::{Algorithm, KeyState, Kid};
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::admin::api::{KeyListing, ListedKey, ListedMasterKey, RotatedKeys};
use crate::assemble;
use crate::cause::Causes;
use crate::key_policy;
use crate::realm_owner::{Next, RealmOwner};
use crate::signing_keys::{KeyStore, Opened, SigningKeysError, read};

#[cfg(test)]
mod tests;

/// How often the row is read, and so how late this server notices what another one wrote.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The keys of a running server, and the owner of the realm that signs with them.
pub struct KeyRing {
    owner: Arc<RealmOwner>,
    held: Mutex<Held>,
}

/// The keys in use.
struct Held {
    /// What they are needed for is that of the settings in use.
    keys: KeyStore,
    record: SigningKeys,
    version: Option<Version>,
    watched: KeyObservations,
}

impl KeyRing {
    /// The keys that the realm of `owner` was made with.
    #[must_use]
    pub fn new(keys: KeyStore, opened: Opened, owner: Arc<RealmOwner>) -> Self {
        let held = Held {
            keys,
            record: opened.record,
            version: opened.version,
            watched: KeyObservations::default(),
        };
        Self {
            owner,
            held: Mutex::new(held),
        }
    }

    /// Serves by other settings from now on. The keys that they need are made before, and those in use are kept as long as
    /// the settings of before or the next ones need them. `write` is done between the two: making keys takes long.
    ///
    /// # Errors
    /// [`SigningKeysError`], or that of `write`; the previous settings and keys stay in use.
    pub async fn replace_settings<T, E: From<SigningKeysError>>(
        &self,
        next: Next,
        write: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut held = self.held.lock().await;
        let held = &mut *held;
        let assemble::Assembled {
            merged, document, ..
        } = &next.assembled;
        let in_use = assemble::algorithms(merged, &document.content);
        let lives = key_policy::lives(merged).or_longer(held.keys.lives);
        let before = (
            std::mem::replace(&mut held.keys.in_use, in_use.clone()),
            std::mem::replace(&mut held.keys.lives, lives),
        );
        let plan = |keys: &SigningKeys| needed_for(keys, &in_use, &lives.policy);
        let done = match held.keys.change(plan).await {
            Ok(opened) => write.await.map(|written| (opened, written)),
            Err(error) => Err(error.into()),
        };
        match done {
            Ok((opened, written)) => {
                let Opened {
                    record,
                    version,
                    signer,
                    published,
                } = opened;
                self.owner.set_settings(next, published, signer);
                (held.record, held.version) = (record, version);
                Ok(written)
            }
            Err(error) => {
                (held.keys.in_use, held.keys.lives) = before;
                Err(error)
            }
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
        let held = &mut *held;
        let row = read(&*held.keys.store).await?;
        if row.as_ref().map(|row| row.version) != held.version {
            let opened = held.keys.opened(row.as_ref())?;
            self.take(held, opened);
        }
        let (now, policy) = (held.keys.clock.now(), held.keys.policy());
        held.watched.record(&held.record, now, uptime);
        let (in_use, watched) = (&held.keys.in_use, &held.watched);
        let plan = |record: &SigningKeys| due(record, in_use, &policy, now, watched, uptime);
        if plan(&held.record).is_empty() {
            return Ok(());
        }
        let opened = held.keys.change(plan).await?;
        self.take(held, opened);
        held.watched.record(&held.record, now, uptime);
        Ok(())
    }

    /// Promotes the next keys now, whatever the schedule says, and creates new next ones.
    ///
    /// # Errors
    /// [`SigningKeysError`]; the previous keys stay in use, unless it is unknown whether the commit was written.
    pub async fn rotate_now(&self) -> Result<RotatedKeys, SigningKeysError> {
        let mut held = self.held.lock().await;
        let held = &mut *held;
        let before = held.keys.read().await?.record;
        let (in_use, watched) = (&held.keys.in_use, &held.watched);
        let plan = |keys: &SigningKeys| by_command(keys, in_use, watched);
        let opened = held.keys.change(plan).await?;
        let now = held.keys.clock.now();
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
        self.take(held, opened);
        Ok(rotated)
    }

    pub async fn list(&self) -> KeyListing {
        let held = self.held.lock().await;
        let Held {
            keys,
            record,
            watched,
            ..
        } = &*held;
        let (now, policy) = (keys.clock.now(), keys.policy());
        let plan = due(record, &keys.in_use, &policy, now, watched, Duration::ZERO);
        KeyListing {
            keys: record.keys.iter().map(ListedKey::from).collect(),
            masters: keys.listed_masters(record),
            due: plan.next_check,
            now,
        }
    }

    fn take(&self, held: &mut Held, opened: Opened) {
        self.owner.set_keys(opened.published, opened.signer);
        held.record = opened.record;
        held.version = opened.version;
    }
}

/// What must be there before the first token by these settings: an active key for each algorithm, kept as long as they say.
fn needed_for(keys: &SigningKeys, in_use: &[Algorithm], policy: &KeyPolicy) -> Plan {
    let active = keys.keys.iter().filter(|key| key.state == KeyState::Active);
    let short = active.filter(|key| key.kept() < policy.kept);
    Plan {
        extend: short.map(|key| key.kid.clone()).collect(),
        ..needed(keys, in_use)
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
