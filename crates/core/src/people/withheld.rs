//! What of a client's request its user can be given.

use crate::base::error::Cause;
use crate::engine::env::Env;
use crate::model::client::Client;
use crate::model::scope::Scope;
use crate::model::target::{RequestedResources, Target};
use crate::records::User;

/// Why a user can be given nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// The client is for other users.
    Client,
    /// What it asks for is for members of groups that the user is not in.
    Scopes,
}

impl Withheld {
    pub(crate) const fn cause(self) -> Cause {
        match self {
            Self::Client => Cause::ClientNotAvailable,
            Self::Scopes => Cause::ScopesWithheld,
        }
    }
}

/// The scopes that a user can be given, and the resources of which some are left.
#[derive(Debug)]
pub(crate) struct Grantable {
    pub(crate) scope: Scope,
    pub(crate) resources: RequestedResources,
}

impl Grantable {
    /// # Errors
    /// [`Withheld`]
    pub(crate) fn new(
        env: &Env<'_>,
        client: &Client,
        user: &User,
        asked: &Scope,
        resources: &RequestedResources,
    ) -> Result<Self, Withheld> {
        if !user.may_use(client) {
            return Err(Withheld::Client);
        }
        let scope = (env.realm).within_limits(asked, Some(&user.groups), env.now);
        let mut left = resources.clone();
        left.retain(|one| Target::choose(env.realm, &scope, one).is_ok());
        let all_lost = !resources.is_empty() && left.is_empty();
        if all_lost || scope.is_empty() && !asked.is_empty() {
            return Err(Withheld::Scopes);
        }
        Ok(Self {
            scope,
            resources: left,
        })
    }
}
