//! What clients are still to be told: that a session ended (OpenID Connect Back-Channel Logout).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;
use crate::model::ids::{ClientId, SessionId, UserId};

/// How long a client that does not answer is tried.
const TRIED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// The end of one session, and whom to tell of it. It is written by the commit that ends the session, so that neither
/// happens without the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// The session that ended.
    pub session: SessionId,
    /// Whose it was.
    pub user: UserId,
    /// The clients that do not know yet.
    pub to_tell: Vec<ClientId>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; while it is being tried, when somebody else may.
    pub due: Timestamp,
    /// When nobody is told any more.
    pub expires_at: Timestamp,
}

impl Outbox {
    /// Of a session that ends now.
    #[must_use]
    pub fn new(session: SessionId, user: UserId, to_tell: Vec<ClientId>, now: Timestamp) -> Self {
        Self {
            session,
            user,
            to_tell,
            attempts: 0,
            due: now,
            expires_at: now + TRIED_FOR,
        }
    }
}

impl Record for Outbox {
    const KIND: &'static str = "outbox";

    /// It begins with when the row is due, in as many digits as any moment has: the first row of the kind is the next
    /// one, however many wait for clients that are away.
    fn name(&self) -> String {
        format!("{:020}-{}", self.due.as_millis(), self.session)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
