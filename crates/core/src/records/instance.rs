//! Which client a name stands for: a name that is declared again, after it was withdrawn, is another client.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::Key;
use crate::base::time::Timestamp;
use crate::model::ids::{ClientId, ClientInstance};

/// Written when the configuration file first declares a client, and deleted once it no longer does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredClient {
    pub client: ClientId,
    /// Copied by the client's grants and consents.
    #[serde(default, skip_serializing_if = "ClientInstance::is_first")]
    pub instance: ClientInstance,
}

impl DeclaredClient {
    #[must_use]
    pub fn key(realm: &str, client: &ClientId) -> Key {
        super::key::<Self>(realm, client.as_str())
    }
}

impl Record for DeclaredClient {
    const KIND: &'static str = "instance";

    fn name(&self) -> String {
        self.client.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

/// Remembers the first start that knew instances. Clients that it found are those of rows without an instance; clients
/// that are declared later get one of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstancesSince {
    pub at: Timestamp,
}

impl InstancesSince {
    const NAME: &'static str = "since";

    #[must_use]
    pub fn key(realm: &str) -> Key {
        super::key::<Self>(realm, Self::NAME)
    }
}

impl Record for InstancesSince {
    const KIND: &'static str = "instances";

    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}
