//! A user's consent to a client, so that users are asked only once.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::{IndexName, Key};
use crate::base::time::Timestamp;
use crate::model::client::Client;
use crate::model::ids::{ClientId, ClientInstance, Epoch, UserId};
use crate::model::scope::Scope;
use crate::records::User;

/// Kept until the user removes it; void once the user is cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub user: UserId,
    pub client: ClientId,
    #[serde(default, skip_serializing_if = "ClientInstance::is_first")]
    pub instance: ClientInstance,
    /// The user's epoch at that time: a previous holder of the account must not consent for its owner.
    pub epoch: Epoch,
    pub scope: Scope,
    /// What else the client's ID tokens tell of the user, as the page showed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// When the user last agreed.
    pub at: Timestamp,
}

impl Consent {
    /// Whether it still counts: the user was not cut off since, and the client is the one that the user agreed to.
    #[must_use]
    pub fn counts(&self, user: &User, client: &Client) -> bool {
        user.is_current(self.epoch) && self.instance == client.instance
    }

    #[must_use]
    pub fn user_index(realm: &str, user: UserId) -> IndexName {
        IndexName::new(realm, "consents_of", &user.to_string())
    }

    #[must_use]
    pub fn key(realm: &str, user: UserId, client: &ClientId) -> Key {
        super::key::<Self>(realm, &name_of(user, client))
    }
}

/// Unambiguous: a user's id has no slash.
fn name_of(user: UserId, client: &ClientId) -> String {
    format!("{user}/{client}")
}

impl Record for Consent {
    const KIND: &'static str = "consent";

    fn name(&self) -> String {
        name_of(self.user, &self.client)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }

    fn indexes(&self, realm: &str) -> Vec<IndexName> {
        vec![Self::user_index(realm, self.user)]
    }
}
