//! A realm's signing keys: one row, so that all nodes see consistent changes.

use std::fmt;
use std::time::Duration;

use grantor_jose::{Algorithm, KeyState, Kid};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;

/// All signing keys of a realm. [`crate::tokens::key_life`] decides their transitions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeys {
    /// Oldest first.
    pub keys: Vec<SealedSigningKey>,
    /// Master keys that no longer seal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<SupersededMaster>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSigningKey {
    /// The thumbprint of the public key (RFC 7638).
    pub kid: Kid,
    /// RFC 8725 section 3.1: "Each key MUST be used with exactly one algorithm".
    pub alg: Algorithm,
    pub state: KeyState,
    pub created_at: Timestamp,
    /// When it entered this state; zero in rows from before key rotation existed.
    #[serde(default)]
    pub since: Timestamp,
    /// How long it is kept after its last signature, in seconds: the longest lifetime of what it may have signed.
    /// Never decreases, even if settings change.
    #[serde(default)]
    pub kept_secs: u64,
    /// The encrypted PKCS#8 document in base64url: [`grantor_jose::encrypt_private_key`].
    pub private: String,
}

/// A master key that opens but no longer seals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersededMaster {
    /// [`crate::base::sealing::MasterKey::id`].
    pub id: String,
    pub at: Timestamp,
    /// When everything that it sealed has expired, by the settings at the time.
    pub until: Timestamp,
}

impl SigningKeys {
    pub const NAME: &'static str = "current";

    /// The oldest key of this algorithm in this state.
    #[must_use]
    pub fn find(&self, alg: Algorithm, state: KeyState) -> Option<&SealedSigningKey> {
        self.keys
            .iter()
            .find(|key| key.alg == alg && key.state == state)
    }
}

impl SealedSigningKey {
    #[must_use]
    pub const fn kept(&self) -> Duration {
        Duration::from_secs(self.kept_secs)
    }

    /// Extends how long the key is kept to at least `kept`.
    #[must_use]
    pub fn keep_for(self, kept: Duration) -> Self {
        Self {
            kept_secs: self.kept_secs.max(kept.as_secs()),
            ..self
        }
    }

    /// Makes the key active; what it signs lives at most `kept`.
    #[must_use]
    pub fn promoted(self, now: Timestamp, kept: Duration) -> Self {
        let active = Self {
            state: KeyState::Active,
            since: now,
            ..self
        };
        active.keep_for(kept)
    }

    /// Stops signing. A clock that stepped back does not predate the last signatures.
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
