//! A client that was made while the server runs: what was written, and its secrets.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Record;
use crate::base::row::{IndexName, Key};
use crate::base::time::Timestamp;
use crate::model::changed::Changed;
use crate::model::ids::{ClientId, ClientInstance, UserId, UserInstance};

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct ManagedClient {
    pub client: ClientId,
    /// Drawn when it was made, so that a later client of the same id inherits nothing.
    pub instance: ClientInstance,
    /// The members of `[[client]]` as they were written, without `id` and secrets.
    pub written: Map<String, Value>,
    /// Whether it authenticates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confidential: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<ClientSecret>,
    /// The user who made it for themselves, and within whose scopes it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// Whoever has the owner's `sub` later is someone else.
    #[serde(default, skip_serializing_if = "UserInstance::is_first")]
    pub owner_instance: UserInstance,
    pub created: Changed,
    pub changed: Changed,
    /// When someone could give it all that it holds: at creation, or by a change that does more than disable it. Rows that are
    /// older than this member have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_at: Option<Timestamp>,
}

/// 256 random bits that the client got once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    pub id: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl ManagedClient {
    /// How many secrets of a client live at a time: the one in use and the next one.
    pub const MAX_SECRETS: usize = 2;
    pub const ORGANIZATION: &'static str = "organization";

    #[must_use]
    pub fn key(realm: &str, client: &ClientId) -> Key {
        super::key::<Self>(realm, client.as_str())
    }

    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.written.get(Self::ORGANIZATION)?.as_str()
    }

    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &ClientSecret> {
        let is_live =
            move |secret: &&ClientSecret| secret.expires_at.is_none_or(|at| !at.is_past(now));
        self.secrets.iter().filter(is_live)
    }

    /// The index of the clients of an organization, or of an owner.
    #[must_use]
    pub fn index(realm: &str, organization: &str) -> IndexName {
        IndexName::new(realm, "clients_of", organization)
    }

    #[must_use]
    pub fn index_of_owner(realm: &str, owner: UserId) -> IndexName {
        IndexName::new(realm, "clients_by", &owner.to_string())
    }
}

/// Without what was written: descriptions and addresses are none of the log's business.
impl fmt::Debug for ManagedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedClient")
            .field("client", &self.client)
            .field("confidential", &self.confidential)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientSecret({})", self.id)
    }
}

impl Record for ManagedClient {
    const KIND: &'static str = "client";
    const REPLACED: &'static [&'static str] = &["/written"];

    fn name(&self) -> String {
        self.client.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }

    fn indexes(&self, realm: &str) -> Vec<IndexName> {
        let organization = self.organization().map(|it| Self::index(realm, it));
        let owner = self.owner.map(|owner| Self::index_of_owner(realm, owner));
        organization.into_iter().chain(owner).collect()
    }
}
