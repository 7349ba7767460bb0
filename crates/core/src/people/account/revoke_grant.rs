//! Revoking one grant, such as that of a lost device.

use std::convert::Infallible;

use super::{RemoveAccessReply, already_removed};
use crate::base::peer::Peer;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::model::ids::GrantId;
use crate::people::session;
use crate::records::{self, Grant};
use crate::tokens::handles::PresentedCookie;

#[derive(Debug)]
pub struct RevokeGrant {
    pub cookie: Option<PresentedCookie>,
    pub grant: GrantId,
    pub peer: Peer,
}

impl Task for RevokeGrant {
    type Reply = RemoveAccessReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<RemoveAccessReply, Infallible>, Halt> {
        let key = records::key::<Grant>(&env.realm.name, &self.grant.to_string());
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[&key])? else {
            return Ok(Decision::reply(RemoveAccessReply::SignIn));
        };
        let user = signed_in.user.record.id;
        let grant = facts.record::<Grant>(env, &key)?.live();
        let Some(grant) = grant.filter(|grant| grant.record.belongs_to(user)) else {
            return Ok(already_removed(facts));
        };
        let event = Event::new(EventKind::GrantRevokedByUser)
            .client(&grant.record.client)
            .user(user)
            .grant(self.grant)
            .peer(&self.peer);
        Ok(Decision::reply(RemoveAccessReply::Done)
            .write(records::delete(&grant.row)?)
            .writes(signed_in.checks(env))
            .event(event)
            .writes(signed_in.touch))
    }
}
