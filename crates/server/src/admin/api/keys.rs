//! Keys, as the operator sees them.

use std::fmt;
use std::time::Duration;

use grantor_core::base::time::Timestamp;
use grantor_core::records::SealedSigningKey;
use grantor_core::tokens::key_life::PUBLISH_AHEAD;
use grantor_jose::{Algorithm, KeyState, Kid};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedKey {
    pub kid: Kid,
    pub alg: Algorithm,
    pub state: KeyState,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: Timestamp,
    /// When it entered its state, in milliseconds since the epoch.
    pub since: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedMasterKey {
    /// Its name, from which nothing of the key can be computed.
    pub id: String,
    /// Whether new data is sealed with it. The others only open.
    pub current: bool,
    /// When all that it sealed has ended, in milliseconds since the epoch: from then on it may be removed. None for the
    /// current one, and for one that sealed nothing here.
    pub until: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyListing {
    /// The signing keys, the oldest first.
    pub keys: Vec<ListedKey>,
    /// The master keys, the current one first.
    pub masters: Vec<ListedMasterKey>,
    /// When something is due next, in milliseconds since the epoch.
    pub due: Option<Timestamp>,
    /// The time of the server, in milliseconds since the epoch.
    pub now: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotatedKeys {
    /// The keys that sign from now on.
    pub promoted: Vec<ListedKey>,
    /// The longest time, in seconds, for which every one of them was published before; none where one was not at all.
    pub published_secs: Option<u64>,
}

impl From<&SealedSigningKey> for ListedKey {
    fn from(key: &SealedSigningKey) -> Self {
        Self {
            kid: key.kid.clone(),
            alg: key.alg,
            state: key.state,
            created_at: key.created_at,
            since: key.since,
        }
    }
}

impl fmt::Display for RotatedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in &self.promoted {
            writeln!(f, "{} signs with {} now.", key.alg, key.kid)?;
        }
        match self.published_secs {
            Some(secs) if secs >= PUBLISH_AHEAD.as_secs() => f.write_str(
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

impl fmt::Display for KeyListing {
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

/// A duration in its largest whole unit.
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
