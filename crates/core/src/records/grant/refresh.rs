//! The refresh tokens of a grant: generations, of which the newest counts, and for a while the one before.

use std::time::Duration;

use super::{Grant, GrantState};
use crate::base::peer::Peer;
use crate::base::time::Timestamp;
use crate::model::client::{GrantLifetimes, RefreshLifetimes};

/// The generation of a presented refresh token, relative to the grant's current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshTokenStatus {
    Current,
    /// The previous one, within the grace period: the client retries after a lost response.
    InGrace,
    /// Newer than ours and authentic: the store was restored from a backup.
    Ahead,
    /// Rotated before, and the grace period is over.
    Reused,
}

impl Grant {
    /// `None` unless the grant is active.
    #[must_use]
    pub fn refresh_token_status(
        &self,
        generation: u32,
        grace: Duration,
        now: Timestamp,
    ) -> Option<RefreshTokenStatus> {
        let GrantState::Active {
            generation: current,
            rotated_at,
            ..
        } = &self.state
        else {
            return None;
        };
        Some(if generation == *current {
            RefreshTokenStatus::Current
        } else if generation > *current {
            RefreshTokenStatus::Ahead
        } else if generation + 1 == *current && rotated_at.age(now).is_some_and(|age| age <= grace)
        {
            RefreshTokenStatus::InGrace
        } else {
            RefreshTokenStatus::Reused
        })
    }

    /// `Active -> Active` with this generation; other states are unchanged.
    #[must_use]
    pub fn refreshed(self, to: u32, now: Timestamp, lifetimes: &GrantLifetimes, by: &Peer) -> Self {
        match self.state {
            GrantState::Active {
                authorization,
                code_challenge,
                ..
            } => {
                let state = GrantState::Active {
                    authorization,
                    code_challenge,
                    generation: to,
                    rotated_at: now,
                    rotated_by: by.clone(),
                    repeated_elsewhere: false,
                };
                Self { state, ..self }.with_expiry(now, lifetimes)
            }
            _ => self,
        }
    }

    /// Whether the current refresh token was given to this network.
    #[must_use]
    pub fn was_rotated_near(&self, peer: &Peer) -> bool {
        matches!(&self.state, GrantState::Active { rotated_by, .. } if rotated_by.shares_network_with(peer))
    }

    /// Whether the predecessor of the current refresh token came again from another network.
    #[must_use]
    pub const fn was_repeated_elsewhere(&self) -> bool {
        matches!(
            &self.state,
            GrantState::Active {
                repeated_elsewhere: true,
                ..
            }
        )
    }

    /// `Active -> Active`, and its predecessor came from another network; other states are unchanged.
    #[must_use]
    pub fn repeated_elsewhere(mut self) -> Self {
        if let GrantState::Active {
            repeated_elsewhere, ..
        } = &mut self.state
        {
            *repeated_elsewhere = true;
        }
        self
    }

    /// When the current refresh token expires. The idle lifetime restarts with each refresh; the absolute lifetime
    /// counts from the authorization.
    #[must_use]
    pub fn refresh_ends(&self, lifetimes: &RefreshLifetimes) -> Option<Timestamp> {
        let GrantState::Active {
            authorization,
            rotated_at,
            ..
        } = &self.state
        else {
            return None;
        };
        let ends = (*rotated_at + lifetimes.idle).min(authorization.at + lifetimes.absolute);
        let exchanged = self.kind.exchanged();
        Some(exchanged.map_or(ends, |exchanged| ends.min(exchanged.ends_at)))
    }
}
