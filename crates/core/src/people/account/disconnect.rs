//! A user takes everything back from a client: consent, and every grant.

use super::RemoveAccessReply;
use crate::base::error::Failure;
use crate::base::peer::Peer;
use crate::base::row::Row;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::{self, Decision, Facts, Lookup, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::model::ids::{ClientId, GrantId, UserId};
use crate::people::session;
use crate::records::{self, Consent, Grant, RevocationReason};

/// Takes back what this client has of the user of that cookie: consent, so that nothing new comes silently, and these
/// of its grants. Of more grants than [`Disconnect::AT_ONCE`], by as many operations.
#[derive(Debug)]
pub struct Disconnect {
    /// The session cookie.
    pub cookie: Option<Secret>,
    /// From whom.
    pub client: ClientId,
    /// At most [`Disconnect::AT_ONCE`] grants, as the list had them.
    pub grants: Vec<GrantId>,
    /// The browser that asks.
    pub peer: Peer,
}

impl Disconnect {
    /// The most grants of one operation: with session, use, user and consent they are one read.
    pub const AT_ONCE: usize = 12;

    /// Of the rows of a user's list of grants, those of this client that live.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] where a row holds no grant.
    pub fn listed(
        rows: &[Row],
        user: UserId,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<Vec<GrantId>, Failure> {
        let mut listed = Vec::new();
        for row in rows {
            if let Lookup::Live(grant) = decide::open::<Grant>(row, now)?
                && grant.record.client == *client
                && grant.record.belongs_to(user)
            {
                listed.push(grant.record.id);
            }
        }
        Ok(listed)
    }
}

impl Operation for Disconnect {
    type Reply = RemoveAccessReply;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<RemoveAccessReply>, Stop> {
        let cookie = self.cookie.as_ref();
        let Some(user) = session::user_of(env, cookie) else {
            return Ok(Decision::reply(RemoveAccessReply::SignIn));
        };
        let consent_key = Consent::key(&env.realm.name, user, &self.client);
        let keys = self.grants.iter().take(Self::AT_ONCE);
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
                let revoked = grant.record.revoke(RevocationReason::ByUser, env.now);
                writes.push(records::update(&env.realm.name, &revoked, &grant.row)?);
            }
        }
        if writes.is_empty() {
            // After a commit whose end is unknown, it may be our own doing.
            return Ok(Decision::reply(if facts.after_unknown() {
                RemoveAccessReply::Done
            } else {
                RemoveAccessReply::Gone
            }));
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
