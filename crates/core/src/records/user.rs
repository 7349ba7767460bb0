//! A user, and the unique look-up by username.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;
use crate::model::claims_request::UserFacts;
use crate::model::credentials::fold_username;
use crate::model::ids::{Epoch, UserId};

/// A user.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The user's id: `sub` in tokens.
    pub id: UserId,
    /// The name with which the user signs in.
    pub username: String,
    /// A user that is not enabled cannot sign in, and nothing that was granted gives tokens.
    pub enabled: bool,
    /// What grants and sessions of this user copied; drawn anew, it cuts them all off by one write.
    pub epoch: Epoch,
    /// The password's hash, a PHC string.
    pub password: Option<String>,
    /// The mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the configuration file declares this user: then it is read-only elsewhere, and disabled once the file
    /// names it no more.
    #[serde(default)]
    pub from_file: bool,
    /// The groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Standard claims (OpenID Connect Core section 5.1) and others, as the operator set them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, serde_json::Value>,
}

impl User {
    /// What claims of this user are taken from.
    #[must_use]
    pub fn facts(&self) -> UserFacts<'_> {
        UserFacts {
            username: &self.username,
            email: self.email.as_deref(),
            groups: &self.groups,
            claims: &self.claims,
        }
    }

    /// Whether what copied this epoch is still good.
    #[must_use]
    pub fn is_current(&self, epoch: Epoch) -> bool {
        self.enabled && self.epoch == epoch
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl Record for User {
    const KIND: &'static str = "user";

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

/// `username -> user`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Username {
    /// The name.
    pub username: String,
    /// Whose it is.
    pub user: UserId,
}

impl Username {
    /// The form in which usernames are compared: without case and surrounding spaces.
    #[must_use]
    pub fn fold(text: &str) -> String {
        fold_username(text)
    }
}

impl Record for Username {
    const KIND: &'static str = "username";

    fn name(&self) -> String {
        Self::fold(&self.username)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}
