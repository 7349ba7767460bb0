//! A user takes a grant back: a device that is lost, sold or not theirs.

use super::TakenBack;
use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Found, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::model::ids::GrantId;
use crate::people::session;
use crate::records::{self, Grant, WhyRevoked};

/// Revokes this grant of the user of that cookie: every token of it is dead from then on.
#[derive(Debug)]
pub struct RevokeGrant {
    /// The session cookie.
    pub cookie: Option<Secret>,
    /// Which.
    pub grant: GrantId,
    /// The browser that asks.
    pub peer: Peer,
}

impl Operation for RevokeGrant {
    type Reply = TakenBack;

    fn decide(&self, env: &Env<'_>, found: &Found) -> Result<Decision<TakenBack>, Stop> {
        let key = records::key::<Grant>(&env.pool.name, &self.grant.to_string());
        let Some(signed_in) = session::signed_in(env, found, self.cookie.as_ref(), &[&key])? else {
            return Ok(Decision::reply(TakenBack::SignIn));
        };
        let user = signed_in.user.record.id;
        let grant = found.record::<Grant>(env, &key)?.live();
        let Some(grant) = grant.filter(|grant| grant.record.is_of(user)) else {
            // After a commit whose end is unknown, it may be our own doing.
            return Ok(Decision::reply(if found.after_unknown() {
                TakenBack::Done
            } else {
                TakenBack::Gone
            }));
        };
        let event = Event::new(EventKind::GrantRevokedByUser)
            .client(&grant.record.client)
            .user(user)
            .grant(self.grant)
            .peer(&self.peer);
        let revoked = grant.record.revoke(WhyRevoked::ByUser, env.now);
        Ok(Decision::reply(TakenBack::Done)
            .write(records::update(&env.pool.name, &revoked, grant.version)?)
            .writes(signed_in.checks(env))
            .event(event)
            .writes(signed_in.touch))
    }
}
