//! How a grant was created: by a device, by a code, or by token exchange.

use serde::{Deserialize, Serialize};

use crate::base::time::Timestamp;
use crate::model::actor::Actor;
use crate::model::ids::{ClientId, GrantId};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantOrigin {
    /// RFC 8628.
    #[default]
    Device,
    /// RFC 6749 section 4.1.
    Code,
    /// For a refresh token (RFC 8693).
    Exchange(Box<Exchanged>),
}

impl GrantOrigin {
    /// The value of the claim source `grant.kind`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Device => "device_code",
            Self::Code => "authorization_code",
            Self::Exchange(_) => "token_exchange",
        }
    }

    /// The grant that it depends on.
    #[must_use]
    pub fn parent(&self) -> Option<GrantId> {
        self.exchanged().map(|exchanged| exchanged.parent)
    }

    #[must_use]
    pub fn exchanged(&self) -> Option<&Exchanged> {
        match self {
            Self::Exchange(exchanged) => Some(exchanged),
            Self::Device | Self::Code => None,
        }
    }
}

/// The subject token that a grant was exchanged for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// The subject token's grant; this one ends with it.
    pub parent: GrantId,
    /// The client that the subject token was issued to.
    pub given_to: ClientId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// When the subject token expires. No token of this grant outlives it.
    pub ends_at: Timestamp,
}
