//! Pending logout notifications (OpenID Connect Back-Channel Logout).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LogoutSubscribers, Record};
use crate::base::time::Timestamp;
use crate::model::ids::{SessionId, UserId};

/// How long delivery to an unresponsive client is retried.
const MAX_DELIVERY_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A session that ended, and the clients to notify. Written by the commit that ends the session, so neither happens
/// without the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    pub session: SessionId,
    pub user: UserId,
    /// The clients that were not notified yet.
    #[serde(flatten)]
    pub logout_subscribers: LogoutSubscribers,
    pub attempts: u32,
    /// The next attempt; during an attempt, when another node may take over.
    pub due: Timestamp,
    pub expires_at: Timestamp,
}

impl Outbox {
    /// For a session that ends now.
    #[must_use]
    pub fn new(
        session: SessionId,
        user: UserId,
        logout_subscribers: LogoutSubscribers,
        now: Timestamp,
    ) -> Self {
        Self {
            session,
            user,
            logout_subscribers,
            attempts: 0,
            due: now,
            expires_at: now + MAX_DELIVERY_TIME,
        }
    }

    /// Whether its next attempt is due. What would wait for longer than a row lives was written before the clock stepped back.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_past(now) || self.due.since(now) > MAX_DELIVERY_TIME
    }

    /// Claimed until `until`. No session that ended is told of for longer than a day from now.
    #[must_use]
    pub fn claimed(self, until: Timestamp, now: Timestamp) -> Self {
        Self {
            attempts: self.attempts.saturating_add(1),
            due: until,
            expires_at: self.expires_at.min(now + MAX_DELIVERY_TIME),
            ..self
        }
    }
}

impl Record for Outbox {
    const KIND: &'static str = "outbox";

    /// Begins with the due time, zero-padded, so that rows are listed in the order in which they are due.
    fn name(&self) -> String {
        format!("{:020}-{}", self.due.as_millis(), self.session)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }
}
