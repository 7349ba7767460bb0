//! A browser session: a stable id under a cookie secret that rotates.

use serde::{Deserialize, Serialize};

use super::{Record, Started};
use crate::base::row::IndexName;
use crate::base::time::Timestamp;
use crate::model::ids::{ClientId, Epoch, SessionId, UserId};

/// A session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// The user's epoch at that time.
    pub epoch: Epoch,
    /// SHA-256 of the cookie's secret, in hexadecimal.
    pub secret: String,
    /// When the user signed in last.
    pub auth_time: Timestamp,
    /// How (RFC 8176).
    pub amr: Vec<String>,
    /// When and where it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,
    /// The clients that got codes in it and want to be told of its end (OpenID Connect Back-Channel Logout).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to_tell: Vec<ClientId>,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// The list of a user's.
    #[must_use]
    pub fn of_user(realm: &str, user: UserId) -> IndexName {
        IndexName::new(realm, "sessions_of", &user.to_string())
    }
}

impl Record for Session {
    const KIND: &'static str = "session";

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }

    fn indexes(&self, realm: &str) -> Vec<IndexName> {
        vec![Self::of_user(realm, self.user)]
    }
}
