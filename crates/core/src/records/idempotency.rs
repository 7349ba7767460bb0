//! The answer to a request of the management API that had an `Idempotency-Key`.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;

/// Written by the commit of the request, so that a retry gets the same answer and does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotentAnswer {
    /// Who sent the key: another caller's key is another one.
    pub caller: String,
    pub key: String,
    /// SHA-256 of route and body, in hexadecimal.
    pub request: String,
    /// Encrypted: it may hold a secret that is shown once.
    pub answer: String,
    pub expires_at: Timestamp,
}

impl Record for IdempotentAnswer {
    const KIND: &'static str = "idem";

    fn name(&self) -> String {
        format!("{}/{}", self.caller, self.key)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
