//! Who manages, and what they may.

use std::fmt;
use std::sync::Arc;

use super::refusal::ApiRefusal;
use crate::base::row::Write;
use crate::base::time::Timestamp;
use crate::engine::decide::Halt;
use crate::engine::env::Env;
use crate::engine::event::Event;
use crate::engine::facts::Facts;
use crate::engine::facts::PasswordQueue;
use crate::model::changed::Changed;
use crate::model::claims::AccessTokenClaims;
use crate::model::ids::{ClientId, ClientInstance, OrganizationId, UserId};
use crate::model::right::{Right, Rights};
use crate::model::scope::Scope;
use crate::records::{Authorization, User};
use crate::tokens::grant_liveness;

/// Who a change is by, as events and objects name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Who can open the admin socket, by the user id of the system.
    Operator(u32),
    User(UserId),
    /// A client that acts for itself.
    Machine(ClientId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(uid) => write!(f, "operator:{uid}"),
            Self::User(user) => write!(f, "user:{user}"),
            Self::Machine(client) => write!(f, "client:{client}"),
        }
    }
}

/// Who asks, with the rights of this very moment.
#[derive(Clone, Debug)]
pub struct Caller {
    pub actor: Actor,
    pub rights: Rights,
    /// Callers of an organization see and change what belongs to it, and nothing else.
    pub organization: Option<OrganizationId>,
    /// Of a user.
    pub user: Option<User>,
    /// How the user signed in, where the token has a grant.
    pub authorization: Option<Authorization>,
    /// What a client that acts for itself may ask for.
    pub scopes: Scope,
    /// Of the client that sent the token.
    pub instance: Option<ClientInstance>,
    /// Not of the operator.
    pub token: Option<Arc<AccessTokenClaims>>,
    pub trace_id: Arc<str>,
}

impl Caller {
    /// # Errors
    /// 403 without the right.
    pub fn require(&self, right: Right) -> Result<(), ApiRefusal> {
        match self.rights.allows(right) {
            true => Ok(()),
            false => Err(ApiRefusal::lacks(right)),
        }
    }

    /// Whether an object of this organization is there for the caller; else it is as if it did not exist.
    #[must_use]
    pub fn sees(&self, organization: Option<&str>) -> bool {
        let own = self.organization.as_ref();
        own.is_none_or(|own| Some(own.as_str()) == organization)
    }

    /// Where passwords that the caller sets wait: one caller does not crowd out others.
    #[must_use]
    pub fn password_queue(&self) -> PasswordQueue {
        match &self.actor {
            Actor::User(user) => PasswordQueue::KnownBrowser(*user),
            Actor::Operator(_) | Actor::Machine(_) => PasswordQueue::Operator,
        }
    }

    /// The event of what the caller did.
    #[must_use]
    pub fn did(&self, mut event: Event) -> Event {
        let organization = self.organization.as_ref();
        event.organization = organization.map(|id| id.as_str().into());
        event.by(self.actor.to_string())
    }

    /// The rights of a user stand until the commit: it fails if the user's row changed since it was read.
    pub(super) fn check(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        writes: &[Write],
    ) -> Result<Option<Write>, Halt> {
        let Some(user) = &self.user else {
            return Ok(None);
        };
        let key = grant_liveness::user_key(env, user.id);
        if writes.is_empty() || writes.iter().any(|write| *write.key() == key) {
            return Ok(None);
        }
        let row = facts.record::<User>(env, &key)?.live();
        Ok(row.map(|row| row.unchanged()))
    }

    /// The audit line of a change, which rides in its commit.
    #[must_use]
    pub fn changed(&self, at: Timestamp) -> Changed {
        Changed {
            at,
            by: self.actor.to_string(),
            trace_id: self.trace_id.to_string(),
        }
    }
}
