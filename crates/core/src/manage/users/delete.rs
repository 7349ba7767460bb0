//! Deletes a user. Sessions, grants and consents end at once, and whoever gets the name later inherits nothing.

use crate::base::row::Key;
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::manage::admitted::ApiOperation;
use crate::manage::caller::Caller;
use crate::manage::judge;
use crate::manage::precondition::{ETag, IfMatch};
use crate::manage::refusal::{ApiCode, ApiRefusal};
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::people;

#[derive(Clone, Debug)]
pub struct DeleteManagedUser {
    pub id: String,
    pub if_match: IfMatch,
}

impl ApiOperation for DeleteManagedUser {
    type Reply = ();

    fn needs(&self) -> &'static [Right] {
        &[Right::UsersWrite]
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        super::key(realm, &self.id).into_iter().collect()
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<(), ApiRefusal>, Stop<ApiRefusal>> {
        let stored = match super::find(env, facts, caller, &self.id) {
            // It may be this very request that deleted it.
            Err(Stop::Refuse(_)) if facts.after_unknown() => return Ok(Decision::reply(())),
            found => found?,
        };
        judge::may_touch(env.realm, caller, &stored.record)?;
        judge::may_make(env.realm, caller, &stored.record)?;
        let current = ETag::from(stored.row.version);
        self.if_match.check(&current)?;
        if stored.record.from_file && !stored.record.is_withdrawn() {
            return Err(ApiRefusal::new(
                ApiCode::Declared,
                "The configuration file declares this user: remove it there first.",
            )
            .into());
        }
        let Decision { writes, events, .. } = people::deleted_user(env, facts, &stored)?;
        let events = events.into_iter().map(|event| caller.did(event));
        Ok(Decision::reply(()).writes(writes).events(events))
    }
}
