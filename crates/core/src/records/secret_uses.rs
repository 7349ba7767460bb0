//! When the secrets of a managed client were last used.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::Key;
use crate::base::time::Timestamp;
use crate::model::ids::{ClientId, ClientInstance};

/// A row of its own, so that no use changes the client's version. A process writes it at most once in
/// [`Self::INTERVAL`] for a secret that stays in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUses {
    pub client: ClientId,
    /// A client that is made again under the id inherits none.
    pub instance: ClientInstance,
    /// By the ids of the secrets.
    pub uses: BTreeMap<String, Timestamp>,
}

impl SecretUses {
    pub const INTERVAL: Duration = Duration::from_secs(60 * 60);
    const KEPT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

    #[must_use]
    pub fn key(realm: &str, client: &ClientId) -> Key {
        super::key::<Self>(realm, client.as_str())
    }
}

impl Record for SecretUses {
    const KIND: &'static str = "used";
    const REPLACED: &'static [&'static str] = &["/uses"];

    fn name(&self) -> String {
        self.client.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        let last = self.uses.values().max().copied().unwrap_or_default();
        Some(last + Self::KEPT)
    }
}
