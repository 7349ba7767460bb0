//! Which users the file declared at the latest start.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::row::Key;
use crate::base::time::Timestamp;
use crate::model::ids::UserId;

/// Those that the next start looks for, so that it need not look through all users. There is none before the first start that
/// knows it, and where the file declares more than [`Self::MAX`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredUsers {
    pub users: Vec<UserId>,
}

impl DeclaredUsers {
    /// Of one row.
    pub const MAX: usize = 5000;
    const NAME: &'static str = "users";

    #[must_use]
    pub fn key(realm: &str) -> Key {
        super::key::<Self>(realm, Self::NAME)
    }
}

impl Record for DeclaredUsers {
    const KIND: &'static str = "declared";

    fn name(&self) -> String {
        Self::NAME.to_owned()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}
