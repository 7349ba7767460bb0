//! The audit line of a managed object: its latest change.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    pub at: Timestamp,
    /// `operator:UID`, `user:SUB` or `client:ID`.
    pub by: String,
    /// Of the request, whose events tell the rest.
    pub trace_id: String,
}

impl Changed {
    /// As the API shows it.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "at": self.at.rfc3339(), "by": self.by, "trace_id": self.trace_id })
    }
}
