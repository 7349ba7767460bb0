//! Events: what operators learn about a decision, after its commit. Events are not stored as rows.

use std::fmt;

use serde::Serialize;

use crate::base::error::Cause;
use crate::base::peer::Peer;
use crate::model::actor::Actor;
use crate::model::ids::{ClientId, GrantId, UserId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    DeviceAuthorizationStarted,
    DeviceApproved,
    DeviceDenied,
    CodeIssued,
    ConsentGiven,
    ConsentDenied,
    CodeReusedGrantRevoked,
    TokensIssued,
    TokensRefreshed,
    RefreshRepeatedInGrace,
    RefreshRepeatedFromElsewhere,
    RefreshReusedGrantRevoked,
    RefreshAheadOfStore,
    TokenExchanged,
    ExchangeRefused,
    TokenRevoked,
    GrantRevoked,
    SignedIn,
    SignInFailed,
    SignedOut,
    SessionEndedByUser,
    GrantRevokedByUser,
    ClientDisconnected,
    SignedOutEverywhere,
    LogoutDelivered,
    LogoutFailed,
    WrongUserCode,
    ManyWrongUserCodes,
    TriesUsedUp,
    UserAdded,
    UserDisabled,
    UserEnabled,
    UserChanged,
    UserDeleted,
    PasswordChanged,
    BackedUp,
    Restored,
    CertificateReplaced,
    CertificateRefused,
    CertificateEnds,
}

impl EventKind {
    /// Whether it is so frequent that it goes to the day's event file only, not to the log.
    #[must_use]
    pub const fn is_routine(self) -> bool {
        matches!(
            self,
            Self::DeviceAuthorizationStarted
                | Self::CodeIssued
                | Self::TokensIssued
                | Self::TokensRefreshed
                | Self::TokenExchanged
        )
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Something that happened, and what it concerns. Never contains a token, code, secret or password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    pub kind: EventKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The name that was typed; where nobody has it, what stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Box<Hop>>,
}

/// One token exchange in a chain (RFC 8693).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    pub subject: String,
    /// The audience of the new token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The rule that allowed the exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The actors, current one first; for refused exchanges, as requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
}

impl Event {
    #[must_use]
    pub const fn new(kind: EventKind) -> Self {
        Self {
            kind,
            client: None,
            user: None,
            username: None,
            reason: None,
            grant: None,
            peer: None,
            exchange: None,
        }
    }

    #[must_use]
    pub fn client(mut self, client: &ClientId) -> Self {
        self.client = Some(client.clone());
        self
    }

    #[must_use]
    pub const fn user(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    #[must_use]
    pub fn username(mut self, username: String) -> Self {
        self.username = Some(username);
        self
    }

    #[must_use]
    pub const fn because(mut self, reason: Cause) -> Self {
        self.reason = Some(reason);
        self
    }

    #[must_use]
    pub const fn grant(mut self, grant: GrantId) -> Self {
        self.grant = Some(grant);
        self
    }

    #[must_use]
    pub fn hop(mut self, hop: Hop) -> Self {
        self.exchange = Some(Box::new(hop));
        self
    }

    #[must_use]
    pub fn peer(mut self, peer: &Peer) -> Self {
        self.peer = Some(peer.clone());
        self
    }
}
