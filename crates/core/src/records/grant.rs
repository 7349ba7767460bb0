//! A grant: a device's, code's or login's whole life in one row, updated in place.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Record;
use crate::base::peer::Peer;
use crate::base::row::IndexName;
use crate::base::time::Timestamp;
use crate::model::claim_mapping::{GrantFacts, SignInFacts};
use crate::model::claims_request::RequestedClaims;
use crate::model::client::{GrantLifetimes, RefreshLifetimes};
use crate::model::ids::{ClientId, Epoch, GrantId, SessionId, UserId};
use crate::model::pkce::CodeChallenge;
use crate::model::scope::Scope;
use crate::model::target::RequestedResources;

mod kind;

pub use kind::{Exchanged, GrantOrigin};

/// How long a revoked grant is kept, so that an operator finds what became of it.
const REVOKED_KEPT: Duration = Duration::from_secs(24 * 3600);

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// How it came about.
    #[serde(default)]
    pub kind: GrantOrigin,
    /// The client to which it is given.
    pub client: ClientId,
    /// The scopes that were asked.
    pub scope: Scope,
    /// The resources that were named.
    #[serde(default, skip_serializing_if = "RequestedResources::is_empty")]
    pub resources: RequestedResources,
    /// Where it began.
    pub started: Started,
    /// When the row ends.
    pub expires_at: Timestamp,
    /// What became of it.
    pub state: State,
}

/// Where a grant began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// When.
    pub at: Timestamp,
    /// By whom.
    #[serde(flatten)]
    pub by: Peer,
}

/// A grant's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// A device waits; ends with its code.
    DevicePending {
        /// The name of its user code's row: a MAC.
        user_code: String,
    },
    /// A user said no; ends with the code.
    DeviceDenied {
        /// Who.
        by: UserId,
    },
    /// A user said yes, and the device has not asked since; ends with the code.
    DeviceApproved {
        /// What was granted.
        authorization: Authorization,
    },
    /// A user said yes, and the client has not come with the code since; ends with the code.
    CodeIssued(CodeIssued),
    /// Tokens were given.
    Active {
        /// What was granted.
        authorization: Authorization,
        /// The challenge of the code that was redeemed, where it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code_challenge: Option<CodeChallenge>,
        /// The generation of the refresh token that is valid now.
        generation: u32,
        /// When that one was made.
        rotated_at: Timestamp,
        /// For whom it was made.
        rotated_by: Peer,
    },
    /// Nothing is given for it any more.
    Revoked(Revocation),
}

/// An authorization code that waits for its client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeIssued {
    /// What was granted.
    pub authorization: Authorization,
    /// Where the code was sent.
    pub redirect_uri: String,
    /// Whether the request named that: then the client must name it again.
    pub redirect_uri_named: bool,
    /// The challenge (RFC 7636 section 4.2), where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge: Option<CodeChallenge>,
    /// The nonce for the ID token (OpenID Connect Core section 3.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// Why and when a grant was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Why.
    pub why: RevocationReason,
    /// When.
    pub at: Timestamp,
}

/// Why a grant was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// Its client asked for it (RFC 7009).
    ByClient,
    /// A refresh token was used again after its grace (RFC 9700 section 4.14.2).
    RefreshReused,
    /// An authorization code was used again (RFC 6749 section 4.1.2).
    CodeReused,
    /// Its user took it back.
    ByUser,
}

/// What a user granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// The user.
    pub user: UserId,
    /// The user's epoch at that time: another one now means that the user was cut off.
    pub epoch: Epoch,
    /// The scopes granted.
    pub scope: Scope,
    /// When.
    pub at: Timestamp,
    /// When the user had signed in.
    pub auth_time: Timestamp,
    /// How the user had signed in (RFC 8176).
    pub amr: Vec<String>,
    /// The session in which it was granted; none of a device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Whether it outlives that session (OpenID Connect Core section 11).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    /// The claims that were asked for one by one.
    #[serde(default, skip_serializing_if = "RequestedClaims::is_empty")]
    pub claims: RequestedClaims,
    /// From where.
    pub from: Peer,
}

impl Authorization {
    /// The session that must live for it to count.
    #[must_use]
    pub const fn bound_to(&self) -> Option<SessionId> {
        if self.offline { None } else { self.session }
    }
}

/// What a grant that was exchanged for begins with.
#[derive(Debug)]
pub(crate) struct NewGrant {
    pub(crate) exchanged: Exchanged,
    pub(crate) resources: RequestedResources,
    pub(crate) authorization: Authorization,
}

/// The grant is not waiting for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the grant is not pending")]
pub struct NotPending;

/// What a presented device code's grant has come to, where it can give no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceEnded {
    /// Nobody decided yet.
    Pending,
    /// A user said no.
    Denied,
    /// The code was used, or the grant revoked.
    Used,
}

/// What a presented authorization code's grant has come to, where it can give no tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeEnded {
    /// The code was used: with this challenge, where it had one.
    Used(Option<CodeChallenge>),
    /// The grant is revoked.
    Revoked,
    /// It is no code's grant.
    NoCode,
}

/// How the generation of a presented refresh token stands to the grant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The valid one.
    Current,
    /// The one before, within the grace: a lost answer is asked for again.
    InGrace,
    /// Above ours, and rightly sealed: the store was restored from a backup.
    Ahead,
    /// Used before, and the grace is over.
    Reused,
}

impl Grant {
    /// The list of a user's: those that the user gave, and that nobody revoked.
    #[must_use]
    pub fn of_user(realm: &str, user: UserId) -> IndexName {
        IndexName::new(realm, "grants_of", &user.to_string())
    }

    /// `DevicePending -> DeviceApproved`.
    ///
    /// # Errors
    /// [`NotPending`] where somebody decided already.
    pub fn approve(self, authorization: Authorization) -> Result<Self, NotPending> {
        match self.state {
            State::DevicePending { .. } => Ok(Self {
                state: State::DeviceApproved { authorization },
                ..self
            }),
            _ => Err(NotPending),
        }
    }

    /// `DevicePending -> DeviceDenied`.
    ///
    /// # Errors
    /// [`NotPending`] where somebody decided already.
    pub fn deny(self, by: UserId) -> Result<Self, NotPending> {
        match self.state {
            State::DevicePending { .. } => Ok(Self {
                state: State::DeviceDenied { by },
                ..self
            }),
            _ => Err(NotPending),
        }
    }

    /// `DeviceApproved -> Active`, for a device that presents its code.
    ///
    /// # Errors
    /// [`DeviceEnded`] in every other state.
    pub fn redeem_device(
        self,
        now: Timestamp,
        lifetimes: &GrantLifetimes,
        by: &Peer,
    ) -> Result<Self, DeviceEnded> {
        match self.state {
            State::DeviceApproved { authorization } => {
                let state = State::active(authorization, None, now, by);
                Ok(Self { state, ..self }.with_expiry(now, lifetimes))
            }
            State::DevicePending { .. } => Err(DeviceEnded::Pending),
            State::DeviceDenied { .. } => Err(DeviceEnded::Denied),
            State::CodeIssued(_) | State::Active { .. } | State::Revoked(_) => {
                Err(DeviceEnded::Used)
            }
        }
    }

    /// A grant that a client exchanged for the refresh token of another: active from its beginning.
    pub(crate) fn exchange(
        id: GrantId,
        NewGrant {
            exchanged,
            resources,
            authorization,
        }: NewGrant,
        client: ClientId,
        now: Timestamp,
        lifetimes: &GrantLifetimes,
        by: &Peer,
    ) -> Self {
        let grant = Self {
            id,
            client,
            scope: authorization.scope.clone(),
            resources,
            started: Started {
                at: now,
                by: by.clone(),
            },
            expires_at: exchanged.ends_at,
            kind: GrantOrigin::Exchange(Box::new(exchanged)),
            state: State::active(authorization, None, now, by),
        };
        grant.with_expiry(now, lifetimes)
    }

    /// The code that waits for its client.
    ///
    /// # Errors
    /// [`CodeEnded`] in every other state.
    pub fn code(&self) -> Result<&CodeIssued, CodeEnded> {
        match (&self.state, &self.kind) {
            (State::CodeIssued(code), _) => Ok(code),
            (State::Active { code_challenge, .. }, GrantOrigin::Code) => {
                Err(CodeEnded::Used(code_challenge.clone()))
            }
            (State::Revoked(_), GrantOrigin::Code) => Err(CodeEnded::Revoked),
            _ => Err(CodeEnded::NoCode),
        }
    }

    /// `CodeIssued -> Active`, for a client that presents its code; any other state stays as it is.
    #[must_use]
    pub fn redeem_code(self, now: Timestamp, lifetimes: &GrantLifetimes, by: &Peer) -> Self {
        match self.state {
            State::CodeIssued(code) => {
                let state = State::active(code.authorization, code.code_challenge, now, by);
                Self { state, ..self }.with_expiry(now, lifetimes)
            }
            _ => self,
        }
    }

    /// How a refresh token of this generation stands to an active grant.
    #[must_use]
    pub fn presented(&self, generation: u32, grace: Duration, now: Timestamp) -> Option<Presented> {
        let State::Active {
            generation: current,
            rotated_at,
            ..
        } = &self.state
        else {
            return None;
        };
        Some(if generation == *current {
            Presented::Current
        } else if generation > *current {
            Presented::Ahead
        } else if generation + 1 == *current && now.since(*rotated_at) <= grace {
            Presented::InGrace
        } else {
            Presented::Reused
        })
    }

    /// `Active -> Active` with this generation; any other state stays as it is.
    #[must_use]
    pub fn refreshed(self, to: u32, now: Timestamp, lifetimes: &GrantLifetimes, by: &Peer) -> Self {
        match self.state {
            State::Active {
                authorization,
                code_challenge,
                ..
            } => {
                let state = State::Active {
                    authorization,
                    code_challenge,
                    generation: to,
                    rotated_at: now,
                    rotated_by: by.clone(),
                };
                Self { state, ..self }.with_expiry(now, lifetimes)
            }
            _ => self,
        }
    }

    /// Any state `-> Revoked`.
    #[must_use]
    pub fn revoke(self, why: RevocationReason, now: Timestamp) -> Self {
        Self {
            state: State::Revoked(Revocation { why, at: now }),
            expires_at: now + REVOKED_KEPT,
            ..self
        }
    }

    /// What was granted, where tokens of the grant live.
    #[must_use]
    pub const fn active(&self) -> Option<&Authorization> {
        match &self.state {
            State::Active { authorization, .. } => Some(authorization),
            _ => None,
        }
    }

    /// What was granted, whether or not tokens were given yet.
    #[must_use]
    pub const fn authorization(&self) -> Option<&Authorization> {
        match &self.state {
            State::Active { authorization, .. }
            | State::DeviceApproved { authorization }
            | State::CodeIssued(CodeIssued { authorization, .. }) => Some(authorization),
            _ => None,
        }
    }

    /// What claims of tokens are taken from.
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

    /// Whether this user gave it, and nobody revoked it.
    #[must_use]
    pub fn is_of(&self, user: UserId) -> bool {
        self.authorization()
            .is_some_and(|authorization| authorization.user == user)
    }

    /// When the refresh token that is valid now ends: its idle life slides with each refresh, its absolute
    /// life counts from the authorization and never moves.
    #[must_use]
    pub fn refresh_ends(&self, lifetimes: &RefreshLifetimes) -> Option<Timestamp> {
        let State::Active {
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

    /// An active grant ends with the last access token or the refresh token, whichever is later; one that is bound to a
    /// session, with the longest life that this session can have.
    fn with_expiry(self, now: Timestamp, lifetimes: &GrantLifetimes) -> Self {
        let access = now + lifetimes.access;
        let refresh = lifetimes.refresh.as_ref();
        let refresh = refresh.and_then(|refresh| self.refresh_ends(refresh));
        let ends = refresh.map_or(access, |refresh| refresh.max(access));
        let bound = self.active().and_then(Authorization::bound_to);
        let session_ends = now + lifetimes.session;
        let ends = bound.map_or(ends, |_| ends.min(session_ends));
        let exchanged = self.kind.exchanged();
        Self {
            expires_at: exchanged.map_or(ends, |exchanged| ends.min(exchanged.ends_at)),
            ..self
        }
    }
}

impl State {
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
        user.map(|user| Self::of_user(realm, user))
            .into_iter()
            .collect()
    }
}
