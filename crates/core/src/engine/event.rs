//! What an operator is told of a decision, after its commit. Events are no rows.

use std::fmt;

use serde::Serialize;

use crate::base::peer::Peer;
use crate::model::actor::Actor;
use crate::model::ids::{ClientId, GrantId, UserId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each name says it all")]
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
    BackedUp,
    Restored,
    CertificateReplaced,
    CertificateRefused,
    CertificateEnds,
}

impl EventKind {
    /// Whether it is what clients do all day: worth a line of the day's file, none of the log.
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

/// Something that happened, with whom and what it concerns. Never a token, code, secret or password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// Who sent the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    /// What was exchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Box<Hop>>,
}

/// One exchange in a chain of them (RFC 8693).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// For whom it is acted.
    pub subject: String,
    /// Whom the new token is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The rule that allowed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Who acts now, and who did before; of a refused one, who would have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<&'static str>,
}

impl Event {
    /// An event without particulars.
    #[must_use]
    pub const fn new(kind: EventKind) -> Self {
        Self {
            kind,
            client: None,
            user: None,
            grant: None,
            peer: None,
            exchange: None,
        }
    }

    /// With the client.
    #[must_use]
    pub fn client(mut self, client: &ClientId) -> Self {
        self.client = Some(client.clone());
        self
    }

    /// With the user.
    #[must_use]
    pub const fn user(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    /// With the grant.
    #[must_use]
    pub const fn grant(mut self, grant: GrantId) -> Self {
        self.grant = Some(grant);
        self
    }

    /// With what was exchanged.
    #[must_use]
    pub fn hop(mut self, hop: Hop) -> Self {
        self.exchange = Some(Box::new(hop));
        self
    }

    /// With who sent the request.
    #[must_use]
    pub fn peer(mut self, peer: &Peer) -> Self {
        self.peer = Some(peer.clone());
        self
    }
}
