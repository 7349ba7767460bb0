//! The signing keys of a running server: looked at each second, changed when they are due or when a command says so.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::row::Version;
use grantor_core::base::time::Timestamp;
use grantor_core::records::{SealedSigningKey, SigningKeys};
use grantor_core::tokens::key_life::{AHEAD, Watched, by_command, due};
use grantor_jose::{Algorithm, KeyState, Kid};
use grantor_web::App;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::signing_keys::{KeyStore, Opened, SigningKeysError, read};

#[cfg(test)]
mod tests;

/// How often the row is read: so soon does this server know what another one wrote.
const LOOKED_EVERY: Duration = Duration::from_secs(1);

/// The keys of a running server, and the server that signs with them.
pub struct KeyRing {
    keys: KeyStore,
    app: Arc<App>,
    held: Mutex<Held>,
}

/// What the server signs with.
struct Held {
    record: SigningKeys,
    version: Option<Version>,
    watched: Watched,
}

/// A key, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedKey {
    /// Its id.
    pub kid: Kid,
    /// What it signs with.
    pub alg: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made, in milliseconds since the epoch.
    pub created_at: Timestamp,
    /// When it came into its state, in milliseconds since the epoch.
    pub since: Timestamp,
}

/// A master key, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedMaster {
    /// What it is called: nothing of the key itself.
    pub id: String,
    /// Whether it seals, or only opens.
    pub current: bool,
    /// When all that it sealed has ended, in milliseconds since the epoch: from then on it may be removed. None for the
    /// current one, and for one that sealed nothing here.
    pub until: Option<Timestamp>,
}

/// All keys, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The signing keys, the oldest first.
    pub keys: Vec<ListedKey>,
    /// The master keys, the current one first.
    pub masters: Vec<ListedMaster>,
    /// When something is due next, in milliseconds since the epoch.
    pub due: Option<Timestamp>,
    /// The time of the server, in milliseconds since the epoch.
    pub now: Timestamp,
}

/// What a rotation did, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// The keys that sign from now on.
    pub promoted: Vec<ListedKey>,
    /// The longest time, in seconds, for which every one of them was published before; none where one was not at all.
    pub published_secs: Option<u64>,
}

impl KeyRing {
    /// The keys that `app` was made with.
    #[must_use]
    pub fn new(keys: KeyStore, opened: Opened, app: Arc<App>) -> Self {
        let held = Held {
            record: opened.record,
            version: opened.version,
            watched: Watched::default(),
        };
        Self {
            keys,
            app,
            held: Mutex::new(held),
        }
    }

    /// Looks at the keys each second, for ever.
    pub async fn watch(&self) {
        let began = Instant::now();
        let mut times = interval(LOOKED_EVERY);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            times.tick().await;
            match self.look(began.elapsed()).await {
                Ok(()) => failing = false,
                // Once, and not each second.
                Err(_) if failing => {}
                Err(error) => {
                    failing = true;
                    tracing::error!(%error, "the signing keys cannot be looked at; those of before are used");
                }
            }
        }
    }

    /// Takes what another server wrote, and does what is due, `uptime` after this server began.
    ///
    /// # Errors
    /// [`SigningKeysError`]; the keys of before stay in use.
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
        watched.look(record, now, uptime);
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
        watched.look(record, now, uptime);
        Ok(())
    }

    /// Signs with the next keys from now on, whatever the schedule, and makes other next ones.
    ///
    /// # Errors
    /// [`SigningKeysError`]; the keys of before stay in use, unless the store does not say whether it wrote.
    pub async fn rotate_now(&self) -> Result<Rotated, SigningKeysError> {
        let mut held = self.held.lock().await;
        let before = read(&*self.keys.store).await?;
        let before = self.keys.opened(before.as_ref())?.record;
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
        let rotated = Rotated {
            published_secs: published.min().flatten(),
            promoted: promoted.into_iter().map(ListedKey::of).collect(),
        };
        self.take(&mut held, opened);
        Ok(rotated)
    }

    /// All keys, for people.
    pub async fn list(&self) -> Listing {
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
        Listing {
            keys: held.record.keys.iter().map(ListedKey::of).collect(),
            masters: self.keys.listed_masters(&held.record),
            due: plan.look_again,
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
    pub fn listed_masters(&self, record: &SigningKeys) -> Vec<ListedMaster> {
        let listed = self.masters.all().enumerate().map(|(n, master)| {
            let id = master.id();
            let superseded = record.superseded.iter().find(|other| other.id == id);
            // By the settings of now, where those let things live longer than the ones of then.
            let until = superseded.map(|it| it.until.max(it.at + self.lives.sealed));
            ListedMaster {
                current: n == 0,
                until: until.filter(|_| n > 0),
                id,
            }
        });
        listed.collect()
    }
}

impl ListedKey {
    fn of(key: &SealedSigningKey) -> Self {
        Self {
            kid: key.kid.clone(),
            alg: key.alg,
            state: key.state,
            created_at: key.created_at,
            since: key.since,
        }
    }
}

impl fmt::Display for Rotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.promoted {
            writeln!(f, "{} signs with {} now.", key.alg, key.kid)?;
        }
        match self.published_secs {
            Some(secs) if secs >= AHEAD.as_secs() => f.write_str(
                "Resource servers that cache the key set have had an hour or more to see it.",
            ),
            secs => write!(
                f,
                "Published only {} seconds before: a resource server that caches the key set for longer may refuse new \
                 tokens until it looks again.",
                secs.unwrap_or_default()
            ),
        }
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = |at: Timestamp| Age(self.now.since(at));
        for key in &self.keys {
            let state = match key.state {
                KeyState::Next => "next",
                KeyState::Active => "active",
                KeyState::Retiring => "retiring",
            };
            let (alg, kid, since) = (key.alg.name(), &key.kid, age(key.since));
            writeln!(f, "{alg:<5}  {state:<8}  for {since:<4}  {kid}")?;
        }
        for master in &self.masters {
            let id = &master.id;
            match master.until {
                _ if master.current => writeln!(f, "master key {id}  seals")?,
                None => writeln!(
                    f,
                    "master key {id}  opens; sealed nothing here that is known"
                )?,
                Some(until) if until.is_past(self.now) => {
                    writeln!(
                        f,
                        "master key {id}  may be removed: all that it sealed has ended"
                    )?;
                }
                Some(until) => {
                    let left = Age(until.since(self.now));
                    writeln!(f, "master key {id}  opens; may be removed in {left}")?;
                }
            }
        }
        match self.due {
            Some(due) => write!(f, "Something is due in {}.", Age(due.since(self.now))),
            None => f.write_str("Nothing is due."),
        }
    }
}

/// A time in its largest whole unit.
struct Age(Duration);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        let (number, unit) = match secs {
            172_800.. => (secs / 86_400, 'd'),
            7_200.. => (secs / 3_600, 'h'),
            120.. => (secs / 60, 'm'),
            _ => (secs, 's'),
        };
        f.pad(&format!("{number}{unit}"))
    }
}
