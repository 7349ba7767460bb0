//! The operator's commands on users. Users that the configuration file declares are changed only there.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::change_user::changed_user;
use super::first_administrator;
use super::logins::{LoginRefused, Sharing, assign_own, check_name};
use crate::base::row::Key;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Versioned};
use crate::model::ids::{Epoch, OrganizationId, UserId, UserInstance};
use crate::records::{self, User, Username};
use crate::tokens::grant_liveness;

#[derive(Clone, Debug)]
pub struct AddUser {
    pub username: String,
    /// A hash, as a PHC string.
    pub password: String,
    pub email: Option<String>,
    pub groups: Vec<String>,
    pub organization: Option<OrganizationId>,
}

/// Adds a user to the first group of `[api] admins`, whose members may do everything.
#[derive(Clone, Debug)]
pub struct AddAdministrator(pub AddUser);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddUserReply {
    Added { id: UserId },
    Refused(LoginRefused),
    UnknownOrganization,
}

pub(super) fn username_key(env: &Env<'_>, username: &str) -> Key {
    records::key::<Username>(&env.realm.name, &Username::fold(username))
}

/// The user of this name, or of this `sub`: one whom the file no longer declares has no name.
pub(super) fn find(
    env: &Env<'_>,
    facts: &Facts,
    name_or_id: &str,
) -> Result<Option<Versioned<User>>, Halt> {
    let name = facts.record::<Username>(env, &username_key(env, name_or_id))?;
    let id = match name.live() {
        Some(name) => Some(name.record.user),
        None => name_or_id.parse().ok(),
    };
    let Some(id) = id else { return Ok(None) };
    let user = facts.record::<User>(env, &grant_liveness::user_key(env, id))?;
    Ok(user.live())
}

impl Task for AddUser {
    type Reply = AddUserReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<AddUserReply, Infallible>, Halt> {
        self.add(env, facts, self.groups.clone())
    }
}

impl Task for AddAdministrator {
    type Reply = AddUserReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<AddUserReply, Infallible>, Halt> {
        let group = env.realm.api.admins.first();
        self.0.add(env, facts, group.into_iter().cloned().collect())
    }
}

impl AddUser {
    fn add(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        groups: Vec<String>,
    ) -> Result<Decision<AddUserReply, Infallible>, Halt> {
        if let Some(organization) = &self.organization
            && !facts.has_organization(env, organization)?
        {
            return Ok(Decision::reply(AddUserReply::UnknownOrganization));
        }
        let user = User {
            password: Some(self.password.clone()),
            email: self.email.clone(),
            groups,
            organization: self.organization.clone(),
            ..new_user(env, self.username.clone())
        };
        let id = user.id;
        Ok(match added(env, facts, user)? {
            Ok(added) => added.map_reply(|()| AddUserReply::Added { id }),
            Err(why) => Decision::reply(AddUserReply::Refused(why)),
        })
    }
}

/// An enabled user of this name, with a new `sub` and nothing else yet.
pub(crate) fn new_user(env: &Env<'_>, username: String) -> User {
    User {
        id: UserId::random(env.seed.bytes("user")),
        username,
        enabled: true,
        epoch: Epoch::from_bytes(env.seed.bytes("epoch")),
        password: None,
        email: None,
        from_file: false,
        groups: Vec::new(),
        organization: None,
        claims: BTreeMap::new(),
        declared: None,
        declared_credential: None,
        logins: Vec::new(),
        changed: None,
        instance: UserInstance::from_bytes(env.seed.bytes("user instance")),
    }
}

/// Adds a user that the file does not declare: the rows of the user, of the name, and of what signs the user in.
pub(crate) fn added(
    env: &Env<'_>,
    facts: &Facts,
    mut user: User,
) -> Result<Result<Decision<(), Infallible>, LoginRefused>, Halt> {
    let name_key = username_key(env, &user.username);
    if facts.record::<Username>(env, &name_key)?.live().is_some() {
        return Ok(Err(LoginRefused::NameTaken));
    }
    let logins = match check_name(&user) {
        Ok(()) => assign_own(env, facts, None, &mut user, Sharing::Refused)?,
        Err(why) => Err(why),
    };
    let logins = match logins {
        Ok(writes) => writes,
        Err(why) => return Ok(Err(why)),
    };
    let name = Username {
        username: user.username.clone(),
        user: user.id,
    };
    let first = first_administrator::remembered(env, facts, None, &user)?;
    Ok(Ok(Decision::reply(())
        .writes(first)
        .write(records::insert(&env.realm.name, &user)?)
        .write(records::insert(&env.realm.name, &name)?)
        .writes(logins)
        .event(Event::new(EventKind::UserAdded).user(user.id))))
}

/// Enables or disables a user. Either way, all sessions, grants and consents end at once.
#[derive(Clone, Debug)]
pub struct SetEnabled {
    pub username: String,
    pub enabled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetEnabledReply {
    Done {
        id: UserId,
        /// False where the user was so already.
        changed: bool,
    },
    /// The configuration file declares the user.
    DeclaredInConfig,
    Unknown,
}

impl Task for SetEnabled {
    type Reply = SetEnabledReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<SetEnabledReply, Infallible>, Halt> {
        let Some(stored) = find(env, facts, &self.username)? else {
            return Ok(Decision::reply(SetEnabledReply::Unknown));
        };
        let id = stored.record.id;
        if stored.record.from_file {
            return Ok(Decision::reply(SetEnabledReply::DeclaredInConfig));
        }
        let changed = stored.record.enabled != self.enabled;
        let decision = Decision::reply(SetEnabledReply::Done { id, changed });
        if !changed {
            return Ok(decision);
        }
        let user = User {
            enabled: self.enabled,
            epoch: Epoch::from_bytes(env.seed.bytes("epoch")),
            ..stored.record.clone()
        };
        Ok(match changed_user(env, facts, &stored, user)? {
            Ok(changed) => changed.map_reply(|()| SetEnabledReply::Done { id, changed: true }),
            // Only what changes a name or an address is refused.
            Err(_) => decision,
        })
    }
}
