//! One revoked access token, until it would have ended.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::time::Timestamp;
use crate::model::ids::Jti;

/// One revoked access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedToken {
    /// The token's id.
    pub jti: Jti,
    /// When the token would have ended.
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
