//! Remembers which users the file declares.

use std::convert::Infallible;

use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::ids::UserId;
use crate::records::{self, DeclaredUsers};

/// Once they are written, and those of before are disabled.
#[derive(Clone, Debug)]
pub struct RememberDeclared {
    pub users: Vec<UserId>,
}

impl Task for RememberDeclared {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<(), Infallible>, Halt> {
        let realm = &env.realm.name;
        let stored = facts
            .record::<DeclaredUsers>(env, &DeclaredUsers::key(realm))?
            .live();
        let mut users = self.users.clone();
        users.sort_unstable();
        let declared = DeclaredUsers { users };
        let fits = declared.users.len() <= DeclaredUsers::MAX;
        let write = match &stored {
            Some(stored) if stored.record == declared => None,
            Some(stored) if !fits => Some(records::delete(&stored.row)?),
            Some(stored) => Some(records::update(realm, &declared, &stored.row)?),
            None if !fits => None,
            None => Some(records::insert(realm, &declared)?),
        };
        Ok(Decision::reply(()).writes(write))
    }
}
