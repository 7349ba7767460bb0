//! The operator's commands on one user. What the configuration file declares is changed only there.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::administer::{find, username_key};
use super::first_administrator;
use super::logins::{LoginRefused, Sharing, assign, assign_own, check_name};
use crate::base::row::Write;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Versioned};
use crate::model::credentials::{EMAIL_VERIFIED, fold_login};
use crate::model::ids::{Epoch, OrganizationId, UserId};
use crate::records::{self, User, Username};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeUserReply {
    Done {
        id: UserId,
        /// False where it was so already.
        changed: bool,
    },
    /// The configuration file declares this: `password`, `username`, or a member as [`User::declares`] names it.
    Declared(String),
    /// The user cannot have the name or the address.
    Refused(LoginRefused),
    Unknown,
    UnknownOrganization,
}

impl ChangeUserReply {
    fn decide(self) -> Result<Decision<Self, Infallible>, Halt> {
        Ok(Decision::reply(self))
    }
}

/// Looks a user up by name or `sub`.
#[derive(Clone, Debug)]
pub struct FindUser {
    pub username: String,
}

impl Task for FindUser {
    type Reply = Option<Box<User>>;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply, Infallible>, Halt> {
        let user = find(env, facts, &self.username)?;
        Ok(Decision::reply(user.map(|user| Box::new(user.record))))
    }
}

/// Gives a user another password. All sessions, grants and consents end at once.
#[derive(Clone, Debug)]
pub struct SetPassword {
    pub username: String,
    pub password: Secret,
}

impl Task for SetPassword {
    type Reply = ChangeUserReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<ChangeUserReply, Infallible>, Halt> {
        let Some(user) = find(env, facts, &self.username)? else {
            return ChangeUserReply::Unknown.decide();
        };
        if user.record.declares_password() {
            return ChangeUserReply::Declared("password".to_owned()).decide();
        }
        let changed = User {
            password: Some(facts.hash_password(&self.password)?),
            epoch: Epoch::from_bytes(env.seed.bytes("epoch")),
            ..user.record.clone()
        };
        done(env, facts, &user, changed)
    }
}

/// Changes what tokens say about a user, and ends nothing.
#[derive(Clone, Debug)]
pub struct ChangeUser {
    pub username: String,
    pub change: UserChange,
}

#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// `Some(None)` removes it.
    pub email: Option<Option<String>>,
    pub groups: Option<Vec<String>>,
    /// `Some(None)` takes the user out of it.
    pub organization: Option<Option<OrganizationId>>,
    /// `None` removes a claim.
    pub claims: BTreeMap<String, Option<serde_json::Value>>,
}

impl UserChange {
    /// What it changes, as [`User::declares`] names it.
    fn members(&self) -> impl Iterator<Item = String> {
        let email = self.email.as_ref().map(|_| User::EMAIL.to_owned());
        let groups = self.groups.as_ref().map(|_| User::GROUPS.to_owned());
        let organization = self.organization.as_ref();
        let organization = organization.map(|_| User::ORGANIZATION.to_owned());
        let claims = self.claims.keys().map(|name| User::claim_member(name));
        let members = email.into_iter().chain(groups).chain(organization);
        members.chain(claims)
    }

    fn apply(&self, user: &mut User) {
        if let Some(email) = &self.email {
            user.email.clone_from(email);
        }
        if let Some(groups) = &self.groups {
            user.groups.clone_from(groups);
        }
        if let Some(organization) = &self.organization {
            user.organization.clone_from(organization);
        }
        for (name, value) in &self.claims {
            match value {
                Some(value) => user.claims.insert(name.clone(), value.clone()),
                None => user.claims.remove(name),
            };
        }
    }
}

impl Task for ChangeUser {
    type Reply = ChangeUserReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<ChangeUserReply, Infallible>, Halt> {
        let Some(user) = find(env, facts, &self.username)? else {
            return ChangeUserReply::Unknown.decide();
        };
        if let Some(member) = self.change.members().find(|it| user.record.declares(it)) {
            return ChangeUserReply::Declared(member).decide();
        }
        if let Some(Some(organization)) = &self.change.organization
            && !facts.has_organization(env, organization)?
        {
            return ChangeUserReply::UnknownOrganization.decide();
        }
        let mut changed = user.record.clone();
        self.change.apply(&mut changed);
        done(env, facts, &user, changed)
    }
}

/// Gives a user another name to sign in with. The `sub` stays, and nothing ends.
#[derive(Clone, Debug)]
pub struct RenameUser {
    pub username: String,
    pub to: String,
}

impl Task for RenameUser {
    type Reply = ChangeUserReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<ChangeUserReply, Infallible>, Halt> {
        let Some(user) = find(env, facts, &self.username)? else {
            return ChangeUserReply::Unknown.decide();
        };
        if user.record.from_file {
            return ChangeUserReply::Declared("username".to_owned()).decide();
        }
        let changed = User {
            username: self.to.clone(),
            ..user.record.clone()
        };
        done(env, facts, &user, changed)
    }
}

/// Deletes a user. All sessions, grants and consents end at once; another user of the same name has another `sub`, or,
/// where the file declares it, another epoch.
#[derive(Clone, Debug)]
pub struct DeleteUser {
    pub username: String,
}

impl Task for DeleteUser {
    type Reply = ChangeUserReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<ChangeUserReply, Infallible>, Halt> {
        let Some(user) = find(env, facts, &self.username)? else {
            return ChangeUserReply::Unknown.decide();
        };
        if user.record.from_file && !user.record.is_withdrawn() {
            return ChangeUserReply::Declared("username".to_owned()).decide();
        }
        let id = user.record.id;
        let deleted = deleted_user(env, facts, &user)?;
        Ok(deleted.map_reply(|()| ChangeUserReply::Done { id, changed: true }))
    }
}

/// Deletes a user, with the name and what signs the user in.
pub(crate) fn deleted_user(
    env: &Env<'_>,
    facts: &Facts,
    user: &Versioned<User>,
) -> Result<Decision<(), Infallible>, Halt> {
    Ok(Decision::reply(())
        .write(records::delete(&user.row)?)
        .writes(free_name(env, facts, user)?)
        .writes(free_logins(env, facts, user)?)
        .event(Event::new(EventKind::UserDeleted).user(user.record.id)))
}

/// Deletes the user's name, unless somebody else has it.
fn free_name(env: &Env<'_>, facts: &Facts, user: &Versioned<User>) -> Result<Option<Write>, Halt> {
    let name_key = username_key(env, &user.record.username);
    let name = facts.record::<Username>(env, &name_key)?.live();
    let own = name.filter(|name| name.record.user == user.record.id);
    Ok(own.map(|name| records::delete(&name.row)).transpose()?)
}

fn free_logins(env: &Env<'_>, facts: &Facts, user: &Versioned<User>) -> Result<Vec<Write>, Halt> {
    let (before, mut gone) = (&user.record.logins, user.record.clone());
    let freed = assign(env, facts, before, &mut gone, Vec::new(), Sharing::Kept)?;
    Ok(freed.unwrap_or_default())
}

/// Replies whether that is a change.
fn done(
    env: &Env<'_>,
    facts: &Facts,
    user: &Versioned<User>,
    to: User,
) -> Result<Decision<ChangeUserReply, Infallible>, Halt> {
    let (id, changed) = (user.record.id, user.record != to);
    match changed_user(env, facts, user, to)? {
        Ok(decision) => Ok(decision.map_reply(|()| ChangeUserReply::Done { id, changed })),
        Err(why) => ChangeUserReply::Refused(why).decide(),
    }
}

/// Makes another user of a stored one, which keeps its `sub`: the rows of the user, of the name, and of what signs the user
/// in, and an event for each kind of change; nothing where nothing changes. What the file declares is the caller's to look
/// at, and so is the epoch.
pub(crate) fn changed_user(
    env: &Env<'_>,
    facts: &Facts,
    user: &Versioned<User>,
    mut to: User,
) -> Result<Result<Decision<(), Infallible>, LoginRefused>, Halt> {
    let (before, decision) = (&user.record, Decision::reply(()));
    if *before == to {
        return Ok(Ok(decision));
    }
    let is_other_name = fold_login(&to.username) != fold_login(&before.username);
    let address = |user: &User| (user.email.clone(), user.claims.get(EMAIL_VERIFIED).cloned());
    let moves_address = address(&to) != address(before);
    if (is_other_name || moves_address)
        && let Err(why) = check_name(&to)
    {
        return Ok(Err(why));
    }
    let sharing = match to.username != before.username || moves_address {
        true => Sharing::Refused,
        false => Sharing::Kept,
    };
    let logins = match assign_own(env, facts, Some(before), &mut to, sharing)? {
        Ok(writes) => writes,
        Err(why) => return Ok(Err(why)),
    };
    let names = match renamed(env, facts, user, &to)? {
        Ok(writes) => writes,
        Err(why) => return Ok(Err(why)),
    };
    let first = first_administrator::remembered(env, facts, Some(before), &to)?;
    let events = kinds_of_change(before, &to).map(|kind| Event::new(kind).user(to.id));
    Ok(Ok(decision
        .write(records::update(&env.realm.name, &to, &user.row)?)
        .writes(logins)
        .writes(names)
        .writes(first)
        .events(events)))
}

/// The rows of the old name and the new one.
fn renamed(
    env: &Env<'_>,
    facts: &Facts,
    user: &Versioned<User>,
    to: &User,
) -> Result<Result<Vec<Write>, LoginRefused>, Halt> {
    let new_key = username_key(env, &to.username);
    if username_key(env, &user.record.username) == new_key {
        return Ok(Ok(Vec::new()));
    }
    if facts.record::<Username>(env, &new_key)?.live().is_some() {
        return Ok(Err(LoginRefused::NameTaken));
    }
    let name = Username {
        username: to.username.clone(),
        user: to.id,
    };
    let freed = free_name(env, facts, user)?.into_iter();
    let taken = records::insert(&env.realm.name, &name)?;
    Ok(Ok(freed.chain([taken]).collect()))
}

fn kinds_of_change(before: &User, to: &User) -> impl Iterator<Item = EventKind> + use<> {
    let enabled = match (before.enabled, to.enabled) {
        (false, true) => Some(EventKind::UserEnabled),
        (true, false) => Some(EventKind::UserDisabled),
        _ => None,
    };
    let password = (before.password != to.password).then_some(EventKind::PasswordChanged);
    let rest = User {
        enabled: to.enabled,
        password: to.password.clone(),
        epoch: to.epoch,
        changed: to.changed.clone(),
        logins: to.logins.clone(),
        ..before.clone()
    };
    let rest = (rest != *to).then_some(EventKind::UserChanged);
    enabled.into_iter().chain(password).chain(rest)
}
