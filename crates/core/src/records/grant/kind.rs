//! How a grant came about: by a device, by a code, or by exchange from another one.

use serde::{Deserialize, Serialize};

use crate::base::time::Timestamp;
use crate::model::actor::Actor;
use crate::model::ids::{ClientId, GrantId};

/// How a grant came about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantOrigin {
    /// By the device authorization grant (RFC 8628).
    #[default]
    Device,
    /// By an authorization code (RFC 6749 section 4.1).
    Code,
    /// By token exchange, for a refresh token (RFC 8693).
    Exchange(Box<Exchanged>),
}

impl GrantOrigin {
    /// How it is called in claims (`grant.kind`).
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Device => "device_code",
            Self::Code => "authorization_code",
            Self::Exchange(_) => "token_exchange",
        }
    }

    /// The grant on which it depends.
    #[must_use]
    pub fn parent(&self) -> Option<GrantId> {
        self.exchanged().map(|exchanged| exchanged.parent)
    }

    /// What it was exchanged from.
    #[must_use]
    pub fn exchanged(&self) -> Option<&Exchanged> {
        match self {
            Self::Exchange(exchanged) => Some(exchanged),
            Self::Device | Self::Code => None,
        }
    }
}

/// What a grant was exchanged from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// The grant of the subject token: once it has ended, so has this one.
    pub parent: GrantId,
    /// The client to which the subject token was given.
    pub given_to: ClientId,
    /// Who acts by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// When the subject token ended: nothing of this grant outlives it.
    pub ends_at: Timestamp,
}
