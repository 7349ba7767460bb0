//! A realm's signing keys: one row, so that every node sees them change together.

use std::fmt;
use std::time::Duration;

use grantor_jose::{Algorithm, KeyState, Kid};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;

/// All signing keys of a realm. [`crate::tokens::key_life`] says what becomes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeys {
    /// The keys, the oldest first.
    pub keys: Vec<SealedSigningKey>,
    /// Master keys under which nothing is sealed any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<SupersededMaster>,
}

/// A signing key at rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSigningKey {
    /// Its id: the thumbprint of its public half (RFC 7638).
    pub kid: Kid,
    /// What it signs with. One key, one algorithm: RFC 8725 section 3.1, "Each key MUST be used with exactly one algorithm".
    pub alg: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it came into this state; the epoch, in rows from before keys were rotated.
    #[serde(default)]
    pub since: Timestamp,
    /// How long it is kept after its last signature, in seconds: the longest life of what it may have signed. It only
    /// grows, whatever the settings became since.
    #[serde(default)]
    pub kept_secs: u64,
    /// The PKCS#8 document under the master key, in base64url: [`grantor_jose::encrypt_private_key`].
    pub private: String,
}

/// A master key that opens, and seals no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersededMaster {
    /// Its [`crate::base::sealing::MasterKey::id`].
    pub id: String,
    /// When another took its place.
    pub at: Timestamp,
    /// When all that it sealed has ended, by the settings of that time.
    pub until: Timestamp,
}

impl SigningKeys {
    /// The name of the one row.
    pub const NAME: &'static str = "current";

    /// The key of this algorithm in this state; of several, the oldest.
    #[must_use]
    pub fn find(&self, alg: Algorithm, state: KeyState) -> Option<&SealedSigningKey> {
        self.keys
            .iter()
            .find(|key| key.alg == alg && key.state == state)
    }
}

impl SealedSigningKey {
    /// How long it is kept after its last signature.
    #[must_use]
    pub const fn kept(&self) -> Duration {
        Duration::from_secs(self.kept_secs)
    }

    /// The key, known to have signed what lives so long.
    #[must_use]
    pub fn signing_for(self, kept: Duration) -> Self {
        Self {
            kept_secs: self.kept_secs.max(kept.as_secs()),
            ..self
        }
    }

    /// The key, signing from `now` on what lives at most `kept`.
    #[must_use]
    pub fn promoted(self, now: Timestamp, kept: Duration) -> Self {
        let active = Self {
            state: KeyState::Active,
            since: now,
            ..self
        };
        active.signing_for(kept)
    }

    /// The key, signing no more. A clock that stepped back does not make its last signatures older.
    #[must_use]
    pub fn retired(self, now: Timestamp) -> Self {
        Self {
            state: KeyState::Retiring,
            since: now.max(self.since),
            ..self
        }
    }
}

impl fmt::Debug for SealedSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSigningKey")
            .field("kid", &self.kid)
            .field("alg", &self.alg)
            .field("state", &self.state)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

impl Record for SigningKeys {
    const KIND: &'static str = "signingkeys";

    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}
