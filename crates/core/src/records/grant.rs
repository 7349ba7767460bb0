//! A grant: the whole life of an authorization in one row, updated in place.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::peer::Peer;
use crate::base::row::IndexName;
use crate::base::time::Timestamp;
use crate::model::claim_mapping::{GrantFacts, SignInFacts};
use crate::model::claims_request::RequestedClaims;
use crate::model::client::{Client, GrantLifetimes};
use crate::model::ids::{ClientId, ClientInstance, Epoch, GrantId, SessionId, UserId};
use crate::model::pkce::CodeChallenge;
use crate::model::scope::Scope;
use crate::model::target::RequestedResources;

mod kind;
mod refresh;

pub use kind::{Exchanged, GrantOrigin};
pub use refresh::RefreshTokenStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub id: GrantId,
    #[serde(default)]
    pub kind: GrantOrigin,
    pub client: ClientId,
    #[serde(default, skip_serializing_if = "ClientInstance::is_first")]
    pub instance: ClientInstance,
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "RequestedResources::is_empty")]
    pub resources: RequestedResources,
    pub started: Started,
    pub expires_at: Timestamp,
    pub state: GrantState,
}

/// When and from where a grant or session was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub at: Timestamp,
    #[serde(flatten)]
    pub by: Peer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum GrantState {
    /// Waits for a user; expires with the device code.
    DevicePending {
        /// The name of the user code's row: a MAC.
        user_code: String,
    },
    /// Denied by a user; expires with the device code.
    DeviceDenied { by: UserId },
    /// Approved by a user, not yet redeemed; expires with the device code.
    DeviceApproved { authorization: Authorization },
    /// Not yet redeemed; expires with the code.
    CodeIssued(CodeIssued),
    Active {
        authorization: Authorization,
        /// The PKCE challenge of the redeemed code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code_challenge: Option<CodeChallenge>,
        /// The generation of the current refresh token.
        generation: u32,
        /// When the current refresh token was issued.
        rotated_at: Timestamp,
        /// Who requested the current refresh token.
        rotated_by: Peer,
        /// Whether its predecessor came again, within the grace, from another network than `rotated_by`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        repeated_elsewhere: bool,
    },
    /// Of earlier versions, which kept revoked grants for a day. Now their rows are deleted, so that whoever makes and
    /// revokes grants without end leaves nothing; what happened is an event.
    Revoked(Revocation),
}

/// An authorization code that was not redeemed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeIssued {
    pub authorization: Authorization,
    pub redirect_uri: String,
    /// Whether the authorization request had `redirect_uri`: then the token request must repeat it.
    pub redirect_uri_named: bool,
    /// RFC 7636 section 4.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<CodeChallenge>,
    /// For the ID token (OpenID Connect Core section 3.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    pub why: RevocationReason,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// RFC 7009.
    ByClient,
    /// A refresh token was reused after its grace period (RFC 9700 section 4.14.2).
    RefreshReused,
    /// RFC 6749 section 4.1.2.
    CodeReused,
    ByUser,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    pub user: UserId,
    /// The user's epoch at that time: once it changes, the user was cut off.
    pub epoch: Epoch,
    pub scope: Scope,
    pub at: Timestamp,
    pub auth_time: Timestamp,
    /// RFC 8176.
    pub amr: Vec<String>,
    /// The browser session; `None` for devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Whether it outlives the session (OpenID Connect Core section 11).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    #[serde(default, skip_serializing_if = "RequestedClaims::is_empty")]
    pub claims: RequestedClaims,
    /// What ID tokens may tell of the user besides the scopes, as the page showed it. `None` in rows of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclosed: Option<Vec<String>>,
    pub from: Peer,
}

impl Authorization {
    /// The session that it ends with.
    #[must_use]
    pub const fn required_session(&self) -> Option<SessionId> {
        if self.offline { None } else { self.session }
    }
}

/// A grant to create by token exchange.
#[derive(Debug)]
pub(crate) struct NewGrant {
    pub(crate) exchanged: Exchanged,
    pub(crate) resources: RequestedResources,
    pub(crate) authorization: Authorization,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the grant is not pending")]
pub struct NotPending;

/// Why a device code cannot be redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceCodeError {
    Pending,
    Denied,
    /// Redeemed before, or revoked.
    Used,
}

/// Why an authorization code cannot be redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeError {
    /// Redeemed before; with its challenge.
    Used(Option<CodeChallenge>),
    Revoked,
    /// The grant did not come from a code.
    NotACode,
}

impl Grant {
    /// A user's grants.
    #[must_use]
    pub fn user_index(realm: &str, user: UserId) -> IndexName {
        IndexName::new(realm, "grants_of", &user.to_string())
    }

    /// Whether it was given to this client, and not to an earlier one of the same id.
    #[must_use]
    pub fn is_of(&self, client: &Client) -> bool {
        self.client == client.id && self.instance == client.instance
    }

    /// `DevicePending -> DeviceApproved`.
    ///
    /// # Errors
    /// [`NotPending`] if a user already decided.
    pub fn approve(self, authorization: Authorization) -> Result<Self, NotPending> {
        match self.state {
            GrantState::DevicePending { .. } => Ok(Self {
                state: GrantState::DeviceApproved { authorization },
                ..self
            }),
            _ => Err(NotPending),
        }
    }

    /// `DevicePending -> DeviceDenied`.
    ///
    /// # Errors
    /// [`NotPending`] if a user already decided.
    pub fn deny(self, by: UserId) -> Result<Self, NotPending> {
        match self.state {
            GrantState::DevicePending { .. } => Ok(Self {
                state: GrantState::DeviceDenied { by },
                ..self
            }),
            _ => Err(NotPending),
        }
    }

    /// `DeviceApproved -> Active`.
    ///
    /// # Errors
    /// [`DeviceCodeError`] in every other state.
    pub fn redeem_device(
        self,
        now: Timestamp,
        lifetimes: &GrantLifetimes,
        by: &Peer,
    ) -> Result<Self, DeviceCodeError> {
        match self.state {
            GrantState::DeviceApproved { authorization } => {
                let state = GrantState::active(authorization, None, now, by);
                Ok(Self { state, ..self }.with_expiry(now, lifetimes))
            }
            GrantState::DevicePending { .. } => Err(DeviceCodeError::Pending),
            GrantState::DeviceDenied { .. } => Err(DeviceCodeError::Denied),
            GrantState::CodeIssued(_) | GrantState::Active { .. } | GrantState::Revoked(_) => {
                Err(DeviceCodeError::Used)
            }
        }
    }

    /// A grant created by token exchange, active from the start.
    pub(crate) fn exchange(
        id: GrantId,
        NewGrant {
            exchanged,
            resources,
            authorization,
        }: NewGrant,
        client: &Client,
        now: Timestamp,
        lifetimes: &GrantLifetimes,
        by: &Peer,
    ) -> Self {
        let grant = Self {
            id,
            client: client.id.clone(),
            instance: client.instance,
            scope: authorization.scope.clone(),
            resources,
            started: Started {
                at: now,
                by: by.clone(),
            },
            expires_at: exchanged.ends_at,
            kind: GrantOrigin::Exchange(Box::new(exchanged)),
            state: GrantState::active(authorization, None, now, by),
        };
        grant.with_expiry(now, lifetimes)
    }

    /// # Errors
    /// [`CodeError`] in every other state.
    pub fn code(&self) -> Result<&CodeIssued, CodeError> {
        match (&self.state, &self.kind) {
            (GrantState::CodeIssued(code), _) => Ok(code),
            (GrantState::Active { code_challenge, .. }, GrantOrigin::Code) => {
                Err(CodeError::Used(code_challenge.clone()))
            }
            (GrantState::Revoked(_), GrantOrigin::Code) => Err(CodeError::Revoked),
            _ => Err(CodeError::NotACode),
        }
    }

    /// `CodeIssued -> Active`; other states are unchanged.
    #[must_use]
    pub fn redeem_code(self, now: Timestamp, lifetimes: &GrantLifetimes, by: &Peer) -> Self {
        match self.state {
            GrantState::CodeIssued(code) => {
                let state = GrantState::active(code.authorization, code.code_challenge, now, by);
                Self { state, ..self }.with_expiry(now, lifetimes)
            }
            _ => self,
        }
    }

    /// When it was given what it holds: by the user, or by the exchange that made it.
    #[must_use]
    pub fn given_at(&self) -> Timestamp {
        let authorized_at = self.authorization().map(|it| it.at);
        authorized_at.map_or(self.started.at, |at| at.max(self.started.at))
    }

    /// The authorization of an active grant.
    #[must_use]
    pub const fn active(&self) -> Option<&Authorization> {
        match &self.state {
            GrantState::Active { authorization, .. } => Some(authorization),
            _ => None,
        }
    }

    /// The authorization, whether or not tokens were issued yet.
    #[must_use]
    pub const fn authorization(&self) -> Option<&Authorization> {
        match &self.state {
            GrantState::Active { authorization, .. }
            | GrantState::DeviceApproved { authorization }
            | GrantState::CodeIssued(CodeIssued { authorization, .. }) => Some(authorization),
            _ => None,
        }
    }

    /// The last refresh; before the first, when it was authorized.
    #[must_use]
    pub fn last_used(&self) -> Timestamp {
        match &self.state {
            GrantState::Active { rotated_at, .. } => *rotated_at,
            _ => self.authorization().map_or(self.started.at, |of| of.at),
        }
    }

    #[must_use]
    pub fn facts(&self) -> GrantFacts<'_> {
        let sign_in = self.authorization().map(|authorization| SignInFacts {
            auth_time: authorization.auth_time.as_secs(),
            amr: &authorization.amr,
            session: authorization.session,
        });
        GrantFacts {
            kind: self.kind.name(),
            sign_in,
        }
    }

    /// Whether this user authorized it, and it was not revoked.
    #[must_use]
    pub fn belongs_to(&self, user: UserId) -> bool {
        self.authorization()
            .is_some_and(|authorization| authorization.user == user)
    }

    /// An active grant expires with its last access or refresh token, but no later than the session that it depends on.
    fn with_expiry(self, now: Timestamp, lifetimes: &GrantLifetimes) -> Self {
        let access = now + lifetimes.access;
        let refresh = lifetimes.refresh.as_ref();
        let refresh = refresh.and_then(|refresh| self.refresh_ends(refresh));
        let ends = refresh.map_or(access, |refresh| refresh.max(access));
        let bound = self.active().and_then(Authorization::required_session);
        let session_ends = now + lifetimes.session;
        let ends = bound.map_or(ends, |_| ends.min(session_ends));
        let exchanged = self.kind.exchanged();
        Self {
            expires_at: exchanged.map_or(ends, |exchanged| ends.min(exchanged.ends_at)),
            ..self
        }
    }
}

impl GrantState {
    fn active(
        authorization: Authorization,
        code_challenge: Option<CodeChallenge>,
        now: Timestamp,
        by: &Peer,
    ) -> Self {
        Self::Active {
            authorization,
            code_challenge,
            generation: 0,
            rotated_at: now,
            rotated_by: by.clone(),
            repeated_elsewhere: false,
        }
    }
}

impl Record for Grant {
    const KIND: &'static str = "grant";
    const REPLACED: &'static [&'static str] = &["/state/rotated_by"];

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn expires_at(&self) -> Option<Timestamp> {
        Some(self.expires_at)
    }

    fn indexes(&self, realm: &str) -> Vec<IndexName> {
        let user = self.authorization().map(|authorization| authorization.user);
        user.map(|user| Self::user_index(realm, user))
            .into_iter()
            .collect()
    }
}
