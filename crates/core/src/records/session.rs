//! A browser session: a stable id and a rotating cookie secret.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LogoutSubscribers, Record, Started};
use crate::base::row::IndexName;
use crate::base::time::Timestamp;
use crate::model::ids::{Epoch, SessionId, UserId};

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    /// The user's epoch at that time.
    pub epoch: Epoch,
    /// SHA-256 of the cookie's secret in hexadecimal.
    pub secret: String,
    /// The latest sign-in.
    pub auth_time: Timestamp,
    /// RFC 8176.
    pub amr: Vec<String>,
    /// OpenID Connect Core section 2: the class of the latest sign-in. Sessions of older versions: by password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Each factor that was proven, with its own time. Empty for sessions of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proven: Vec<ProvenFactor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,
    /// Clients that got codes in this session and have a back-channel logout URI.
    #[serde(flatten)]
    pub logout_subscribers: LogoutSubscribers,
    /// Whether the cookie outlives the browser.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub persistent: bool,
    /// The absolute limit, regardless of use.
    pub expires_at: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenFactor {
    /// RFC 8176.
    pub amr: String,
    pub at: Timestamp,
}

impl ProvenFactor {
    #[must_use]
    pub fn new(amr: &str, at: Timestamp) -> Self {
        Self {
            amr: amr.to_owned(),
            at,
        }
    }
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
    /// The factor was proven again, in this session.
    pub fn prove_again(&mut self, amr: &str, at: Timestamp) {
        self.auth_time = at;
        self.proven.retain(|factor| factor.amr != amr);
        self.proven.push(ProvenFactor::new(amr, at));
    }

    /// How long a browser keeps a cookie that is set now. `None`: until it closes.
    #[must_use]
    pub fn cookie_lasts(&self, now: Timestamp) -> Option<Duration> {
        self.persistent.then(|| self.expires_at.since(now))
    }

    #[must_use]
    pub fn user_index(realm: &str, user: UserId) -> IndexName {
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
        vec![Self::user_index(realm, self.user)]
    }
}
