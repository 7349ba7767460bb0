//! Events: what operators learn about a decision, after its commit. Events are not stored as rows.

mod outcome;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::check::Check;
use crate::base::error::{Cause, ErrorCode, Refusal};
use crate::base::peer::Peer;
pub use crate::engine::event::outcome::EventOutcome;
use crate::model::actor::Actor;
use crate::model::ids::{ClientId, GrantId, UserId};
use crate::model::scope::Scope;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    DeviceAuthorizationStarted,
    DeviceApproved,
    DeviceDenied,
    CodeIssued,
    ScopesLeftOut,
    ClaimsLeftOut,
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
    SessionEndedByAdministrator,
    SessionEndedByLimit,
    GrantRevokedByUser,
    GrantRevokedByAdministrator,
    GrantEndedByLimit,
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
    RealmReloaded,
    ReloadRefused,
    ClientAdded,
    ClientChanged,
    ClientDeleted,
    ClientSecretAdded,
    ClientSecretDeleted,
    OrganizationAdded,
    OrganizationChanged,
    OrganizationDeleted,
    ConfigChanged,
    /// A request, where no other kind says it.
    Refused,
    /// A request that could not be decided.
    RequestFailed,
}

impl EventKind {
    /// Whether it is so frequent that it goes to the day's event file only, not to the log.
    #[must_use]
    pub const fn is_routine(self) -> bool {
        matches!(self.class(), EventClass::Routine)
    }

    #[must_use]
    pub const fn class(self) -> EventClass {
        match self {
            Self::DeviceAuthorizationStarted
            | Self::CodeIssued
            | Self::TokensIssued
            | Self::TokensRefreshed
            | Self::TokenExchanged => EventClass::Routine,
            Self::DeviceApproved
            | Self::DeviceDenied
            | Self::ScopesLeftOut
            | Self::ClaimsLeftOut
            | Self::ConsentGiven
            | Self::ConsentDenied
            | Self::RefreshRepeatedInGrace
            | Self::RefreshAheadOfStore
            | Self::ExchangeRefused
            | Self::SignedIn
            | Self::SignInFailed
            | Self::SignedOut
            | Self::SessionEndedByLimit
            | Self::GrantEndedByLimit
            | Self::LogoutDelivered
            | Self::LogoutFailed
            | Self::WrongUserCode
            | Self::ManyWrongUserCodes
            | Self::TriesUsedUp
            | Self::Refused
            | Self::RequestFailed => EventClass::Frequent,
            Self::CodeReusedGrantRevoked
            | Self::RefreshRepeatedFromElsewhere
            | Self::RefreshReusedGrantRevoked
            | Self::TokenRevoked
            | Self::GrantRevoked
            | Self::SessionEndedByUser
            | Self::SessionEndedByAdministrator
            | Self::GrantRevokedByUser
            | Self::GrantRevokedByAdministrator
            | Self::ClientDisconnected
            | Self::SignedOutEverywhere
            | Self::UserAdded
            | Self::UserDisabled
            | Self::UserEnabled
            | Self::UserChanged
            | Self::UserDeleted
            | Self::PasswordChanged
            | Self::BackedUp
            | Self::Restored
            | Self::RealmReloaded
            | Self::ReloadRefused
            | Self::ClientAdded
            | Self::ClientChanged
            | Self::ClientDeleted
            | Self::ClientSecretAdded
            | Self::ClientSecretDeleted
            | Self::OrganizationAdded
            | Self::OrganizationChanged
            | Self::OrganizationDeleted
            | Self::ConfigChanged
            | Self::CertificateReplaced
            | Self::CertificateRefused
            | Self::CertificateEnds => EventClass::Protected,
        }
    }
}

/// What becomes of a kind of event where there are too many. Each can fill the queue and the day's file up to its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventClass {
    Routine,
    /// What anyone can cause as often as they like.
    Frequent,
    /// Reuse, revocation, and changes of keys and accounts. Folded for each user or client, so that none hides those of
    /// others.
    Protected,
}

impl EventClass {
    /// The part of `all` up to which this class is accepted; the last quarter is for the protected one.
    #[must_use]
    pub const fn share(self, all: u64) -> u64 {
        match self {
            Self::Routine => all / 2,
            Self::Frequent => all / 4 * 3,
            Self::Protected => all,
        }
    }
}

/// Events of one kind and minute, from one network or of one user or client, that came after the first ones.
#[derive(Debug, Serialize)]
pub struct FoldedEvents {
    pub kind: EventKind,
    /// An IPv4 /24 or an IPv6 /48.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    pub count: u32,
    /// The first 8 of them: users, else grants, else clients.
    pub subjects: Vec<String>,
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
    /// Of the client, else of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Box<str>>,
    /// The name that was typed; where nobody has it, what stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<RefusedRequest>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Box<Hop>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reload: Option<Box<ReloadSummary>>,
    /// Scopes or claims that were asked for: the first of them, in at most 300 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<Box<str>>,
    /// Who did it by the API: `operator:UID`, `user:SUB` or `client:ID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Box<str>>,
    /// What was changed, such as `resource orders.example.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Box<str>>,
}

const MAX_LEFT_OUT: usize = 300;

/// A request that was refused, or that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedRequest {
    /// Its name in metrics.
    pub endpoint: &'static str,
    /// The code that was answered.
    pub error: &'static str,
    /// What the client was told; of one that failed, what the operator should know, in at most 300 bytes.
    pub description: Box<str>,
}

/// What a reload of the configuration changed: of each kind the first names, such as `client tv`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReloadSummary {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// No longer declared, and kept as it was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// Was kept and is declared again, with what it was given before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declared_again: Vec<String>,
    /// Settings that only a restart changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restart: Vec<String>,
}

impl ReloadSummary {
    const MAX_NAMES: usize = 50;

    /// The first of these names, and how many more there are.
    #[must_use]
    pub fn shorten(names: impl Iterator<Item = String>) -> Vec<String> {
        let mut names: Vec<String> = names.collect();
        let more = names.len().saturating_sub(Self::MAX_NAMES);
        if more > 0 {
            names.truncate(Self::MAX_NAMES);
            names.push(format!("and {more} more"));
        }
        names
    }
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
    pub refused: Option<Cow<'static, str>>,
}

impl Event {
    #[must_use]
    pub const fn new(kind: EventKind) -> Self {
        Self {
            kind,
            client: None,
            user: None,
            organization: None,
            username: None,
            check: kind.check(),
            reason: None,
            request: None,
            grant: None,
            peer: None,
            exchange: None,
            reload: None,
            left_out: None,
            by: None,
            object: None,
        }
    }

    /// A request that was refused at the endpoint of this name.
    #[must_use]
    pub fn refused(endpoint: &'static str, refusal: &Refusal) -> Self {
        let (check, cause) = (refusal.check(), refusal.cause);
        Self::refused_by(check, cause).request(
            endpoint,
            refusal.code.name(),
            &refusal.description(),
        )
    }

    /// A request that this check refused.
    #[must_use]
    pub fn refused_by(check: Check, cause: Cause) -> Self {
        let mut event = Self::new(EventKind::Refused);
        event.check = Some(check);
        event.reason = cause.logged();
        event
    }

    /// A request for which there was no decision.
    #[must_use]
    pub fn request_failed(endpoint: &'static str, error: ErrorCode, why: &str) -> Self {
        Self::new(EventKind::RequestFailed).request(endpoint, error.name(), why)
    }

    /// What was answered.
    #[must_use]
    pub fn request(
        mut self,
        endpoint: &'static str,
        error: &'static str,
        description: &str,
    ) -> Self {
        let end = description.floor_char_boundary(MAX_LEFT_OUT);
        self.request = Some(Box::new(RefusedRequest {
            endpoint,
            error,
            description: description[..end].into(),
        }));
        self
    }

    /// A request asked for scopes that are unknown, or that its client may not have.
    #[must_use]
    pub fn scopes_left_out(client: &ClientId, scopes: &Scope, peer: &Peer) -> Option<Self> {
        let event = Self::new(EventKind::ScopesLeftOut).client(client);
        (!scopes.is_empty()).then(|| event.left_out(scopes.iter()).peer(peer))
    }

    #[must_use]
    pub fn left_out<'n>(mut self, names: impl Iterator<Item = &'n str>) -> Self {
        let mut text = names.collect::<Vec<_>>().join(" ");
        text.truncate(text.floor_char_boundary(MAX_LEFT_OUT));
        self.left_out = Some(text.into_boxed_str());
        self
    }

    #[must_use]
    pub fn by(mut self, actor: String) -> Self {
        self.by = Some(actor.into_boxed_str());
        self
    }

    #[must_use]
    pub fn object(mut self, kind: &str, name: &str) -> Self {
        self.object = Some(format!("{kind} {name}").into_boxed_str());
        self
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
        self.check = Some(reason.check());
        self.reason = Some(reason);
        self
    }

    #[must_use]
    pub const fn grant(mut self, grant: GrantId) -> Self {
        self.grant = Some(grant);
        self
    }

    /// Whom or what it concerns, for a list of many.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        let user = self.user.as_ref().map(ToString::to_string);
        let grant = || self.grant.as_ref().map(ToString::to_string);
        let client = || self.client.as_ref().map(ToString::to_string);
        user.or_else(grant).or_else(client)
    }

    #[must_use]
    pub fn hop(mut self, hop: Hop) -> Self {
        self.exchange = Some(Box::new(hop));
        self
    }

    #[must_use]
    pub fn reload(mut self, summary: ReloadSummary) -> Self {
        self.reload = Some(Box::new(summary));
        self
    }

    #[must_use]
    pub fn peer(mut self, peer: &Peer) -> Self {
        self.peer = Some(peer.clone());
        self
    }
}
