//! When a session was last used: a separate row, so that use never conflicts with sign-in or sign-out.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;
use crate::model::ids::SessionId;

/// Written at a coarse granularity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub session: SessionId,
    pub at: Timestamp,
    /// When the session expires unless it is used again.
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
