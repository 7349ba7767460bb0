//! What the operator does to accounts by command. Those that the configuration file declares are the file's.

use std::collections::BTreeMap;

use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::model::ids::Epoch;
use crate::model::ids::UserId;
use crate::records::{self, User, Username};
use crate::tokens::grant_liveness;

/// Adds a user.
#[derive(Clone, Debug)]
pub struct AddUser {
    /// The name.
    pub username: String,
    /// The password's hash, a PHC string.
    pub password: String,
    /// The mail address.
    pub email: Option<String>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddUserReply {
    /// The user is there.
    Added {
        /// The new id.
        id: UserId,
    },
    /// Another user has the name.
    NameTaken,
}

impl Operation for AddUser {
    type Reply = AddUserReply;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<AddUserReply>, Stop> {
        let name_key = records::key::<Username>(&env.realm.name, &Username::fold(&self.username));
        if facts.record::<Username>(env, &name_key)?.live().is_some() {
            return Ok(Decision::reply(AddUserReply::NameTaken));
        }
        let id = UserId::random(env.seed.bytes("user"));
        let user = User {
            id,
            username: self.username.clone(),
            enabled: true,
            epoch: Epoch::from_bytes(env.seed.bytes("epoch")),
            password: Some(self.password.clone()),
            email: self.email.clone(),
            from_file: false,
            groups: Vec::new(),
            claims: BTreeMap::new(),
        };
        let name = Username {
            username: self.username.clone(),
            user: id,
        };
        Ok(Decision::reply(AddUserReply::Added { id })
            .write(records::insert(&env.realm.name, &user)?)
            .write(records::insert(&env.realm.name, &name)?)
            .event(Event::new(EventKind::UserAdded).user(id)))
    }
}

/// Disables a user, which cuts off at once whatever was granted and every session; or enables one again,
/// who begins anew.
#[derive(Clone, Debug)]
pub struct SetEnabled {
    /// The name.
    pub username: String,
    /// Whether the user may do anything from now on.
    pub enabled: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetEnabledReply {
    /// The user is as was asked.
    Done {
        /// Whose name it is.
        id: UserId,
        /// Whether it was otherwise before.
        changed: bool,
    },
    /// The configuration file declares the user, and says whether it is enabled.
    OfTheFile,
    /// Nobody has the name.
    Unknown,
}

impl Operation for SetEnabled {
    type Reply = SetEnabledReply;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<SetEnabledReply>, Stop> {
        let name_key = records::key::<Username>(&env.realm.name, &Username::fold(&self.username));
        let Some(name) = facts.record::<Username>(env, &name_key)?.live() else {
            return Ok(Decision::reply(SetEnabledReply::Unknown));
        };
        let id = name.record.user;
        let Some(stored) = facts
            .record::<User>(env, &grant_liveness::user_key(env, id))?
            .live()
        else {
            return Ok(Decision::reply(SetEnabledReply::Unknown));
        };
        if stored.record.from_file {
            return Ok(Decision::reply(SetEnabledReply::OfTheFile));
        }
        let changed = stored.record.enabled != self.enabled;
        let decision = Decision::reply(SetEnabledReply::Done { id, changed });
        if !changed {
            return Ok(decision);
        }
        let (row, user) = (
            stored.row,
            User {
                enabled: self.enabled,
                epoch: Epoch::from_bytes(env.seed.bytes("epoch")),
                ..stored.record
            },
        );
        let kind = if self.enabled {
            EventKind::UserEnabled
        } else {
            EventKind::UserDisabled
        };
        Ok(decision
            .write(records::update(&env.realm.name, &user, &row)?)
            .event(Event::new(kind).user(id)))
    }
}
