//! `user code -> grant`, keyed by a MAC of the code.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;
use crate::model::ids::GrantId;

/// Where a user code leads. Deleted when somebody decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCodeRow {
    /// The row's name: a MAC of the code.
    pub name: String,
    /// The grant.
    pub grant: GrantId,
    /// When the code ends.
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
