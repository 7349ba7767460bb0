//! The write of changed signing keys. Of several nodes that change the same keys, one succeeds.

use std::convert::Infallible;

use crate::base::row::Version;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Lookup};
use crate::records::{self, Record as _, SigningKeys};

#[derive(Debug)]
pub struct ReplaceSigningKeys {
    /// The version of the row that the change was planned for; `None` if there was none.
    pub planned_for: Option<Version>,
    pub keys: SigningKeys,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    Written,
    /// Another node wrote the row in between: the change must be planned again.
    Outdated,
}

impl Task for ReplaceSigningKeys {
    type Reply = Replaced;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<Replaced, Infallible>, Halt> {
        let realm = &env.realm.name;
        let key = records::key::<SigningKeys>(realm, &self.keys.name());
        let write = match facts.record::<SigningKeys>(env, &key)? {
            Lookup::Live(now) if Some(now.row.version) == self.planned_for => {
                records::update(realm, &self.keys, &now.row)?
            }
            Lookup::Absent if self.planned_for.is_none() => records::insert(realm, &self.keys)?,
            _ => return Ok(Decision::reply(Replaced::Outdated)),
        };
        Ok(Decision::reply(Replaced::Written).write(write))
    }
}
