//! Who signs in by a name or an address.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;
use crate::model::ids::UserId;

/// Usernames and verified e-mail addresses are one namespace, so that a conditional write decides who has one. A row counts
/// for a user whose own record has that name or address: versions before this one change users without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// As [`crate::model::credentials::fold_login`] writes it.
    pub login: String,
    /// An address that several have signs nobody in.
    pub users: Vec<UserId>,
}

impl Login {
    /// The one user of it.
    #[must_use]
    pub fn only(&self) -> Option<UserId> {
        match self.users[..] {
            [user] => Some(user),
            _ => None,
        }
    }
}

impl Record for Login {
    const KIND: &'static str = "login";

    fn name(&self) -> String {
        self.login.clone()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}
