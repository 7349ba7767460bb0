//! What a user agreed to give to a client, so that nobody is asked twice.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::{IndexName, Key};
use crate::base::time::Timestamp;
use crate::model::ids::{ClientId, Epoch, UserId};
use crate::model::scope::Scope;

/// A user's consent to a client: it stays until the user takes it back, or is cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Who agreed.
    pub user: UserId,
    /// With whom.
    pub client: ClientId,
    /// The user's epoch at that time: whoever had the account before must not have agreed for its owner.
    pub epoch: Epoch,
    /// To what.
    pub scope: Scope,
    /// When last.
    pub at: Timestamp,
}

impl Consent {
    /// The list of a user's.
    #[must_use]
    pub fn of_user(realm: &str, user: UserId) -> IndexName {
        IndexName::new(realm, "consents_of", &user.to_string())
    }

    /// The key of the one consent of a user to a client.
    #[must_use]
    pub fn key(realm: &str, user: UserId, client: &ClientId) -> Key {
        super::key::<Self>(realm, &name_of(user, client))
    }
}

/// A user's id has no slash, so where it ends is plain whatever the client's id holds.
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
        vec![Self::of_user(realm, self.user)]
    }
}
