//! What came of a kind of event, and by which check.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::EventKind;
use crate::base::check::Check;

impl EventKind {
    #[must_use]
    pub const fn outcome(self) -> EventOutcome {
        match self {
            Self::DeviceDenied
            | Self::ConsentDenied
            | Self::CodeReusedGrantRevoked
            | Self::RefreshRepeatedFromElsewhere
            | Self::RefreshReusedGrantRevoked
            | Self::ExchangeRefused
            | Self::SignInFailed
            | Self::WrongUserCode
            | Self::ManyWrongUserCodes
            | Self::TriesUsedUp
            | Self::CertificateRefused
            | Self::ReloadRefused
            | Self::Refused => EventOutcome::Refused,
            Self::LogoutFailed | Self::RequestFailed => EventOutcome::Failed,
            _ => EventOutcome::Done,
        }
    }

    /// The check that leads to such an event, where it is always the same.
    #[must_use]
    pub const fn check(self) -> Option<Check> {
        Some(match self {
            Self::DeviceApproved
            | Self::DeviceDenied
            | Self::ConsentGiven
            | Self::ConsentDenied => Check::UserDecision,
            Self::ScopesLeftOut => Check::Scope,
            Self::ClaimsLeftOut => Check::TokenSize,
            Self::CodeReusedGrantRevoked => Check::AuthorizationCode,
            Self::RefreshRepeatedInGrace
            | Self::RefreshRepeatedFromElsewhere
            | Self::RefreshReusedGrantRevoked
            | Self::RefreshAheadOfStore => Check::RefreshToken,
            Self::ExchangeRefused => Check::ExchangeRule,
            Self::SignedIn => Check::SignIn,
            Self::WrongUserCode => Check::UserCode,
            Self::ManyWrongUserCodes
            | Self::TriesUsedUp
            | Self::SessionEndedByLimit
            | Self::GrantEndedByLimit => Check::Limit,
            Self::LogoutDelivered | Self::LogoutFailed => Check::Delivery,
            Self::CertificateReplaced | Self::CertificateRefused | Self::CertificateEnds => {
                Check::Certificate
            }
            Self::RealmReloaded | Self::ReloadRefused => Check::Configuration,
            Self::RequestFailed => Check::Server,
            _ => return None,
        })
    }

    /// Whether the log has a line of the event. Refused and failed requests have lines that say more.
    #[must_use]
    pub const fn is_logged(self) -> bool {
        !matches!(self, Self::Refused | Self::RequestFailed) && !self.is_routine()
    }
}

/// What came of what an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventOutcome {
    Done,
    /// By a check of ours, or by a user.
    Refused,
    /// No decision was possible, or another server did not answer.
    Failed,
}

impl fmt::Display for EventOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
