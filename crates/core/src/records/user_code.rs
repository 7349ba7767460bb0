//! `user code -> grant`, keyed by a MAC of the code.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;
use crate::model::ids::GrantId;

/// The grant of a user code. Deleted when the user decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCodeRow {
    /// A MAC of the code.
    pub name: String,
    pub grant: GrantId,
    pub expires_at: Timestamp,
}

impl Record for UserCodeRow {
    const KIND: &'static str = "usercode";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
