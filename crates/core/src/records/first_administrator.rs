//! That there was an administrator once.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::Key;
use crate::base::time::Timestamp;
use crate::model::ids::UserId;

/// Written with the first administrator that the file does not declare, and kept for ever: so no one has to look through
/// the users to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstAdministrator {
    pub user: UserId,
    pub at: Timestamp,
}

impl FirstAdministrator {
    const NAME: &'static str = "first";

    #[must_use]
    pub fn key(realm: &str) -> Key {
        super::key::<Self>(realm, Self::NAME)
    }
}

impl Record for FirstAdministrator {
    const KIND: &'static str = "administrator";

    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}
