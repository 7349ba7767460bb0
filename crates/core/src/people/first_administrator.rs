//! The first administrator: that there is one, and how one is made where there never was one.

use std::convert::Infallible;
use std::time::Duration;

use super::administer::{added, new_user};
use super::logins::LoginRefused;
use crate::base::row::Write;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::credentials::{NewPassword, ValidUsername};
use crate::model::realm::Realm;
use crate::records::{self, FirstAdministrator, User, Username};

/// How long the code counts that a server writes at its start.
pub const FIRST_ADMINISTRATOR_LIFETIME: Duration = Duration::from_secs(3600);

/// The row that says so, where this user becomes the first one. It costs a read where a user becomes an administrator, and
/// nothing else.
pub(super) fn remembered(
    env: &Env<'_>,
    facts: &Facts,
    before: Option<&User>,
    to: &User,
) -> Result<Option<Write>, Halt> {
    let admins = &env.realm.api.admins;
    let is_one = |user: &User| user.groups.iter().any(|group| admins.contains(group));
    if !is_one(to) || before.is_some_and(is_one) || was_one(env, facts)? {
        return Ok(None);
    }
    let first = FirstAdministrator {
        user: to.id,
        at: env.now,
    };
    Ok(Some(records::insert(&env.realm.name, &first)?))
}

fn was_one(env: &Env<'_>, facts: &Facts) -> Result<bool, Halt> {
    let key = FirstAdministrator::key(&env.realm.name);
    Ok(facts
        .record::<FirstAdministrator>(env, &key)?
        .live()
        .is_some())
}

/// Whether there was an administrator once, besides those that the file declares.
#[derive(Clone, Copy, Debug)]
pub struct HadAdministrator;

impl Task for HadAdministrator {
    type Reply = bool;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<bool, Infallible>, Halt> {
        Ok(Decision::reply(was_one(env, facts)?))
    }
}

/// Makes the first administrator. The code is proof enough: who can read it can read the store.
#[derive(Debug)]
pub struct CreateFirstAdministrator {
    pub code: Secret,
    pub username: String,
    pub password: Secret,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateFirstAdministratorReply {
    Done {
        username: String,
    },
    /// The code is not ours, is too old, or there was an administrator.
    NotValid,
    /// Another user has the name.
    NameTaken,
    InvalidName,
    InvalidPassword,
}

impl CreateFirstAdministrator {
    /// What stands in the file. `random` is of a CSPRNG.
    #[must_use]
    pub fn code(realm: &Realm, now: Timestamp, random: [u8; 16]) -> String {
        let expires_at = now + FIRST_ADMINISTRATOR_LIFETIME;
        realm.sealing.first_administrator_code(expires_at, random)
    }
}

impl Task for CreateFirstAdministrator {
    type Reply = CreateFirstAdministratorReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply, Infallible>, Halt> {
        use CreateFirstAdministratorReply as Reply;
        let expires_at = (env.realm.sealing).open_first_administrator_code(self.code.reveal());
        let counts = expires_at.is_some_and(|at| !at.is_past(env.now));
        let group = env.realm.api.admins.first();
        let Some(group) = group.filter(|_| counts && env.realm.api.enabled) else {
            return Ok(Decision::reply(Reply::NotValid));
        };
        if was_one(env, facts)? {
            return Ok(Decision::reply(Reply::NotValid));
        }
        let Ok(username) = self.username.parse::<ValidUsername>() else {
            return Ok(Decision::reply(Reply::InvalidName));
        };
        let Ok(password) = NewPassword::new(self.password.clone()) else {
            return Ok(Decision::reply(Reply::InvalidPassword));
        };
        if env
            .realm
            .declared_users
            .contains(&Username::fold(username.as_str()))
        {
            return Ok(Decision::reply(Reply::NameTaken));
        }
        let user = User {
            groups: vec![group.clone()],
            ..new_user(env, username.to_string())
        };
        let refused = |why| {
            Decision::reply(match why {
                LoginRefused::ForeignAddress => Reply::InvalidName,
                LoginRefused::NameTaken | LoginRefused::AddressTaken => Reply::NameTaken,
            })
        };
        // Before the password is hashed, which costs more than all else.
        if let Err(why) = added(env, facts, user.clone())? {
            return Ok(refused(why));
        }
        let user = User {
            password: Some(facts.hash_password(password.secret())?),
            ..user
        };
        Ok(match added(env, facts, user)? {
            // Among its writes is the row that there is an administrator now: of two, one is written.
            Ok(added) => added.map_reply(|()| Reply::Done {
                username: username.to_string(),
            }),
            Err(why) => refused(why),
        })
    }
}
