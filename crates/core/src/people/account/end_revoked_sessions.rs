//! Ends sessions that a new epoch revoked, so that their clients are notified.

use std::convert::Infallible;

use crate::base::row::{Key, Row};
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::ids::{SessionId, UserId};
use crate::people::session;
use crate::records::{Session, User};
use crate::tokens::grant_liveness;

/// Ends those of these sessions that an old epoch already made invalid. So it needs no authorization.
#[derive(Debug)]
pub struct EndRevokedSessions {
    pub user: UserId,
    /// At most [`Self::MAX_SESSIONS`], from the list.
    pub sessions: Vec<SessionId>,
}

impl EndRevokedSessions {
    /// Each session is two writes at most.
    pub const MAX_SESSIONS: usize = 12;

    /// The sessions of these rows of a user's list.
    #[must_use]
    pub fn listed(rows: &[Row]) -> Vec<SessionId> {
        super::session_ids(rows).collect()
    }
}

impl Task for EndRevokedSessions {
    /// How many sessions were ended.
    type Reply = usize;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<usize, Infallible>, Halt> {
        let user_key = grant_liveness::user_key(env, self.user);
        let sessions = self.sessions.iter().take(Self::MAX_SESSIONS);
        let keys: Vec<Key> = sessions.map(|id| session::key(env, *id)).collect();
        facts.need(&keys.iter().chain([&user_key]).collect::<Vec<_>>())?;
        let Some(user) = facts.record::<User>(env, &user_key)?.live() else {
            return Ok(Decision::reply(0));
        };
        let (mut ended, mut writes) = (0, Vec::new());
        for key in &keys {
            let session = facts.record::<Session>(env, key)?.live();
            if let Some(session) = session.filter(|session| {
                session.record.user == self.user && !user.record.is_current(session.record.epoch)
            }) {
                writes.extend(session::end(env, &session)?);
                ended += 1;
            }
        }
        Ok(Decision::reply(ended).writes(writes))
    }
}
