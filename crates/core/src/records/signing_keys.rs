//! A pool's signing keys: one row, so that every node sees them change together.

use std::fmt;

use grantor_jose::{Algorithm, KeyState, Kid};
use serde::{Deserialize, Serialize};

use super::Record;
use crate::time::Timestamp;

/// All signing keys of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeys {
    /// The keys, the oldest first.
    pub keys: Vec<SealedSigningKey>,
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
    /// The PKCS#8 document under the master key, in base64url: [`grantor_jose::encrypt_private_key`].
    pub private: String,
}

impl SigningKeys {
    /// The name of the one row.
    pub const NAME: &'static str = "current";

    /// Whether a key signs with `alg` now.
    #[must_use]
    pub fn has_active(&self, alg: Algorithm) -> bool {
        self.keys
            .iter()
            .any(|key| key.alg == alg && key.state == KeyState::Active)
    }
}

impl fmt::Debug for SealedSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSigningKey")
            .field("kid", &self.kid)
            .field("alg", &self.alg)
            .field("state", &self.state)
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
