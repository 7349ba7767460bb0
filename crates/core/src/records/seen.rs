//! When a session was used last: a row of its own, so that use never conflicts with sign-in or sign-out.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;
use crate::model::ids::SessionId;

/// When a session was used last, written coarsely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The session.
    pub session: SessionId,
    /// When it was used.
    pub at: Timestamp,
    /// When the session ends unless it is used again.
    pub expires_at: Timestamp,
}

impl Record for Seen {
    const KIND: &'static str = "seen";

    fn name(&self) -> String {
        self.session.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
