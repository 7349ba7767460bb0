//! Removing all access of a client: consent and every grant.

use std::convert::Infallible;

use super::{RemoveAccessReply, already_removed};
use crate::base::error::Failure;
use crate::base::peer::Peer;
use crate::base::row::Row;
use crate::base::time::Timestamp;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{self, Facts, Lookup};
use crate::model::ids::{ClientId, GrantId, UserId};
use crate::people::session;
use crate::records::{self, Consent, Grant};
use crate::tokens::handles::PresentedCookie;

/// Deletes the consent, so that the client gets no new code unasked, and revokes these grants. A client with more grants
/// than [`Self::MAX_GRANTS`] takes several operations.
#[derive(Debug)]
pub struct Disconnect {
    pub cookie: Option<PresentedCookie>,
    pub client: ClientId,
    /// At most [`Self::MAX_GRANTS`], from the list.
    pub grants: Vec<GrantId>,
    pub peer: Peer,
}

impl Disconnect {
    /// With session, last use, user and consent, these grants are one read.
    pub const MAX_GRANTS: usize = 12;

    /// The client's live grants among these rows of a user's list.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] where a row does not hold a grant.
    pub fn listed(
        rows: &[Row],
        user: UserId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, Failure> {
        let mut listed = Vec::new();
        for row in rows {
            if let Lookup::Live(grant) = facts::open::<Grant>(row, now)?
                && grant.record.client == *client
                && grant.record.belongs_to(user)
            {
                listed.push(grant.record.id);
            }
        }
        Ok(listed)
    }
}

impl Task for Disconnect {
    type Reply = RemoveAccessReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<RemoveAccessReply, Infallible>, Halt> {
        let cookie = self.cookie.as_ref();
        let Some(user) = cookie.map(PresentedCookie::user) else {
            return Ok(Decision::reply(RemoveAccessReply::SignIn));
        };
        let consent_key = Consent::key(&env.realm.name, user, &self.client);
        let keys = self.grants.iter().take(Self::MAX_GRANTS);
        let keys: Vec<_> = keys
            .map(|id| records::key::<Grant>(&env.realm.name, &id.to_string()))
            .collect();
        let also: Vec<_> = keys.iter().chain([&consent_key]).collect();
        let Some(signed_in) = session::signed_in(env, facts, cookie, &also)? else {
            return Ok(Decision::reply(RemoveAccessReply::SignIn));
        };
        let mut writes = Vec::new();
        if let Some(consent) = facts.record::<Consent>(env, &consent_key)?.live() {
            writes.push(records::delete(&consent.row)?);
        }
        for key in &keys {
            let grant = facts.record::<Grant>(env, key)?.live();
            if let Some(grant) = grant.filter(|grant| {
                grant.record.client == self.client
                    && grant.record.belongs_to(signed_in.user.record.id)
            }) {
                writes.push(records::delete(&grant.row)?);
            }
        }
        if writes.is_empty() {
            return Ok(already_removed(facts));
        }
        let event = Event::new(EventKind::ClientDisconnected)
            .client(&self.client)
            .user(user)
            .peer(&self.peer);
        Ok(Decision::reply(RemoveAccessReply::Done)
            .writes(writes)
            .writes(signed_in.checks(env))
            .event(event)
            .writes(signed_in.touch))
    }
}
