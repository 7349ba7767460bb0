//! Ends what exceeds the limits of a user's access ([`AccessLimits`]): the least recently used.
//!
//! The shell lists after the commit that added something, so the limits may be exceeded by what is under way at the same
//! time. A list may lag: each row is read again, and a grant that was used since it was listed is kept.

use std::convert::Infallible;

use crate::base::error::Failure;
use crate::base::row::{Key, MAX_KEYS, Row, Version};
use crate::base::time::Timestamp;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{self, Facts, Lookup};
use crate::model::ids::{ClientId, SessionId, UserId};
use crate::model::realm::AccessLimits;
use crate::people::session;
use crate::records::{self, Grant, GrantState, Seen, Session};

/// Of more sessions, only the last uses of those with the oldest sign-ins are read, by so many reads.
const SEEN_READS: usize = 5;

/// Ends the least recently used of these sessions.
#[derive(Debug)]
pub struct EndExcessSessions {
    pub user: UserId,
    /// The session that was just started is kept.
    pub new: SessionId,
    /// From the list.
    pub listed: Vec<Row>,
}

impl EndExcessSessions {
    /// Each session is two writes at most.
    pub const MAX_ENDED: usize = 12;

    /// How many rows of the list are read: a list with more takes several sign-ins.
    #[must_use]
    pub const fn rows_to_list(limits: &AccessLimits) -> usize {
        limits.sessions + 4 * Self::MAX_ENDED
    }
}

impl Task for EndExcessSessions {
    /// How many sessions were ended.
    type Reply = usize;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<usize, Infallible>, Halt> {
        let mut sessions = super::live::<Session>(&self.listed, env.now)?;
        sessions.retain(|session| session.user == self.user && session.id != self.new);
        let excess = (sessions.len() + 1).saturating_sub(env.realm.access.sessions);
        if excess == 0 {
            return Ok(Decision::reply(0));
        }
        sessions.sort_by_key(|session| session.auth_time);
        sessions.truncate(SEEN_READS * MAX_KEYS);
        let seen: Vec<Key> = sessions
            .iter()
            .map(|session| super::seen_key(env, session.id))
            .collect();
        for keys in seen.chunks(MAX_KEYS) {
            facts.need(&keys.iter().collect::<Vec<_>>())?;
        }
        let mut by_use = Vec::new();
        for (session, key) in sessions.iter().zip(&seen) {
            let seen = facts.record::<Seen>(env, key)?.live();
            // One that was used in the future only is dead, so it ends first.
            let used = session::last_use(session, seen.as_ref(), env.now);
            by_use.push((used, session::key(env, session.id)));
        }
        by_use.sort_by_key(|(used, _)| *used);
        by_use.truncate(excess.min(Self::MAX_ENDED));
        facts.need(&by_use.iter().map(|(_, key)| key).collect::<Vec<_>>())?;
        let mut decision = Decision::reply(0);
        let mut ended = 0;
        for (_, key) in &by_use {
            let session = facts.record::<Session>(env, key)?.live();
            if let Some(session) = session.filter(|session| session.record.user == self.user) {
                ended += 1;
                decision = decision
                    .writes(session::end(env, &session)?)
                    .event(Event::new(EventKind::SessionEndedByLimit).user(self.user));
            }
        }
        decision.reply = Ok(ended);
        Ok(decision)
    }
}

/// Ends these grants, unless they were used since they were listed.
#[derive(Debug)]
pub struct EndExcessGrants {
    pub user: UserId,
    /// At most [`Self::MAX_ENDED`], by [`Self::choose`].
    pub grants: Vec<(Key, Version)>,
}

impl EndExcessGrants {
    /// One read.
    pub const MAX_ENDED: usize = MAX_KEYS;
    /// How many grants of one list are ended at most. More than are made between two lists, which are 16 on average.
    const MAX_CHOSEN: usize = 8 * Self::MAX_ENDED;

    /// How many rows of the list are read.
    #[must_use]
    pub const fn rows_to_list(limits: &AccessLimits) -> usize {
        2 * limits.grants + Self::MAX_CHOSEN
    }

    /// The grants to end among these rows of a user's list. Codes that were not redeemed count for themselves, with the
    /// same limits: any website can make a browser ask for them, and must not end access that is in use.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] where a row does not hold a grant.
    pub fn choose(
        rows: &[Row],
        client: &ClientId,
        limits: &AccessLimits,
        now: Timestamp,
    ) -> Result<Vec<(Key, Version)>, Failure> {
        let (mut redeemed, mut codes) = (Vec::new(), Vec::new());
        for row in rows {
            if let Lookup::Live(grant) = facts::open::<Grant>(row, now)? {
                let of_client = grant.record.client == *client;
                // A use in the future is no recent one.
                let used = Some(grant.record.last_used()).filter(|at| at.age(now).is_some());
                let listed = (used, of_client, row);
                match grant.record.state {
                    GrantState::CodeIssued(_) => codes.push(listed),
                    _ => redeemed.push(listed),
                }
            }
        }
        let mut chosen = Self::excess(redeemed, limits);
        chosen.extend(Self::excess(codes, limits));
        Ok(chosen)
    }

    /// Those that exceed the limit of the client, then those that exceed the limit of the user. Of each: its last use, and
    /// whether it is of the client.
    fn excess(
        mut grants: Vec<(Option<Timestamp>, bool, &Row)>,
        limits: &AccessLimits,
    ) -> Vec<(Key, Version)> {
        grants.sort_by_key(|(used, ..)| *used);
        let of_client = grants.iter().filter(|(_, of_client, _)| *of_client).count();
        let of_client = of_client.saturating_sub(limits.grants_per_client);
        let in_all = grants.len().saturating_sub(limits.grants);
        let (own, others): (Vec<_>, Vec<_>) = grants.into_iter().partition(|(_, own, _)| *own);
        let (ended, kept) = own.split_at(of_client.min(own.len()));
        let mut rest: Vec<_> = kept.iter().chain(&others).collect();
        rest.sort_by_key(|(used, ..)| *used);
        let rest = rest.into_iter().take(in_all.saturating_sub(ended.len()));
        let chosen = ended.iter().chain(rest).take(Self::MAX_CHOSEN);
        chosen
            .map(|(_, _, row)| (row.key.clone(), row.version))
            .collect()
    }
}

impl Task for EndExcessGrants {
    /// How many grants were ended.
    type Reply = usize;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<usize, Infallible>, Halt> {
        let grants = &self.grants[..self.grants.len().min(Self::MAX_ENDED)];
        facts.need(&grants.iter().map(|(key, _)| key).collect::<Vec<_>>())?;
        let mut decision = Decision::reply(0);
        let mut ended = 0;
        for (key, listed) in grants {
            let grant = facts.record::<Grant>(env, key)?.live();
            if let Some(grant) = grant
                .filter(|grant| grant.row.version == *listed && grant.record.belongs_to(self.user))
            {
                ended += 1;
                decision = decision.write(records::delete(&grant.row)?).event(
                    Event::new(EventKind::GrantEndedByLimit)
                        .client(&grant.record.client)
                        .user(self.user)
                        .grant(grant.record.id),
                );
            }
        }
        decision.reply = Ok(ended);
        Ok(decision)
    }
}
