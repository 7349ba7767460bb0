//! Users by the API. What becomes of their rows is decided in `people/`, as for the operator's commands; here is who may
//! ask for it, and in which words.

mod access;
mod belongs;
mod change;
mod create;
mod delete;
mod list;
mod taken;
mod view;
mod written;

use super::caller::Caller;
use super::precondition::ETag;
use super::refusal::ApiRefusal;
use crate::base::row::{Key, Version};
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Versioned};
use crate::model::ids::UserId;
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::records::{self, User};

pub use access::{
    EndUserSession, RevokeUserGrant, dependency_keys, listed_grants, listed_sessions, seen_keys,
};
pub use change::{ChangeManagedUser, UserBody};
pub use create::CreateUser;
pub use delete::DeleteManagedUser;
pub use list::{UserSearch, listed_in, listed_users};
pub use view::ManagedUser;

use super::admitted::ApiOperation;

/// Reads a user.
#[derive(Clone, Debug)]
pub struct GetUser {
    pub id: String,
    /// What is needed.
    pub right: &'static [Right],
}

impl ApiOperation for GetUser {
    type Reply = ManagedUser;

    fn needs(&self) -> &'static [Right] {
        self.right
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        key(realm, &self.id).into_iter().collect()
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<ManagedUser, ApiRefusal>, Stop<ApiRefusal>> {
        let user = find(env, facts, caller, &self.id)?;
        Ok(Decision::reply(ManagedUser::new(
            user.record,
            user.row.version,
        )))
    }
}

/// The row of a user, where the text is a `sub`.
fn key(realm: &Realm, id: &str) -> Option<Key> {
    let id: UserId = id.parse().ok()?;
    Some(records::key::<User>(&realm.name, &id.to_string()))
}

/// The user of this `sub`, if the caller sees that one.
fn find(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
    id: &str,
) -> Result<Versioned<User>, Stop<ApiRefusal>> {
    let key = key(env.realm, id).ok_or_else(ApiRefusal::not_found)?;
    let user = facts.record::<User>(env, &key)?.live();
    let user = user.filter(|user| caller.sees(user.record.organization()));
    Ok(user.ok_or_else(ApiRefusal::not_found)?)
}

impl ManagedUser {
    #[must_use]
    pub const fn new(user: User, version: Version) -> Self {
        Self { user, version }
    }

    #[must_use]
    pub fn etag(&self) -> ETag {
        ETag::from(self.version)
    }
}
