//! The operator's commands on one user. What the configuration file declares is changed only there.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::administer::{find, username_key};
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
        let kind = EventKind::PasswordChanged;
        written(env, facts, &user, changed, kind, Sharing::Kept)
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
        let moves_address =
            self.change.email.is_some() || self.change.claims.contains_key(EMAIL_VERIFIED);
        if moves_address && let Err(why) = check_name(&changed) {
            return ChangeUserReply::Refused(why).decide();
        }
        let sharing = match moves_address {
            true => Sharing::Refused,
            false => Sharing::Kept,
        };
        written(env, facts, &user, changed, EventKind::UserChanged, sharing)
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
        let (old_key, new_key) = (
            username_key(env, &user.record.username),
            username_key(env, &self.to),
        );
        let changed = User {
            username: self.to.clone(),
            ..user.record.clone()
        };
        let is_other = fold_login(&self.to) != fold_login(&user.record.username);
        if is_other && let Err(why) = check_name(&changed) {
            return ChangeUserReply::Refused(why).decide();
        }
        let kind = EventKind::UserChanged;
        let decision = written(env, facts, &user, changed, kind, Sharing::Refused)?;
        if decision.writes.is_empty() || old_key == new_key {
            return Ok(decision);
        }
        if facts.record::<Username>(env, &new_key)?.live().is_some() {
            return ChangeUserReply::Refused(LoginRefused::NameTaken).decide();
        }
        let name = Username {
            username: self.to.clone(),
            user: user.record.id,
        };
        Ok(decision
            .writes(free_name(env, facts, &user)?)
            .write(records::insert(&env.realm.name, &name)?))
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
        Ok(Decision::reply(ChangeUserReply::Done { id, changed: true })
            .write(records::delete(&user.row)?)
            .writes(free_name(env, facts, &user)?)
            .writes(free_logins(env, facts, &user)?)
            .event(Event::new(EventKind::UserDeleted).user(id)))
    }
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

/// The write of the user, those of the names and addresses to sign in with, and the event; or nothing where nothing changes.
fn written(
    env: &Env<'_>,
    facts: &Facts,
    user: &Versioned<User>,
    mut to: User,
    kind: EventKind,
    sharing: Sharing,
) -> Result<Decision<ChangeUserReply, Infallible>, Halt> {
    let id = user.record.id;
    let changed = user.record != to;
    let decision = Decision::reply(ChangeUserReply::Done { id, changed });
    if !changed {
        return Ok(decision);
    }
    let logins = match assign_own(env, facts, Some(&user.record), &mut to, sharing)? {
        Ok(writes) => writes,
        Err(why) => return ChangeUserReply::Refused(why).decide(),
    };
    Ok(decision
        .write(records::update(&env.realm.name, &to, &user.row)?)
        .writes(logins)
        .event(Event::new(kind).user(id)))
}
