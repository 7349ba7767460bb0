//! The audit line of a managed object: its latest change.

use serde::{Deserialize, Serialize};

use crate::base::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub at: Timestamp,
    /// `operator:UID`, `user:SUB` or `client:ID`.
    pub by: String,
    /// Of the request, whose events tell the rest.
    pub trace_id: String,
}
