//! A revoked access token, kept until it would have expired.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;
use crate::model::ids::Jti;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedToken {
    pub jti: Jti,
    /// When the token would have expired.
    pub expires_at: Timestamp,
}

impl Record for RevokedToken {
    const KIND: &'static str = "revoked";

    fn name(&self) -> String {
        self.jti.as_str().to_owned()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
