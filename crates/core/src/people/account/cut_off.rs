//! Ends sessions that count no more, so that the clients that got codes in them are told.

use crate::base::row::{Key, Row};
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::model::ids::{SessionId, UserId};
use crate::people::session;
use crate::records::{Session, User};
use crate::tokens::grant_liveness;

/// Ends those of these sessions that a new epoch of the user cut off. Nobody is asked whether they may: it only writes
/// down what is so.
#[derive(Debug)]
pub struct EndCutOff {
    /// Whose.
    pub user: UserId,
    /// At most [`EndCutOff::AT_ONCE`], as the list had them.
    pub sessions: Vec<SessionId>,
}

impl EndCutOff {
    /// The most sessions of one operation: each end is two writes at most.
    pub const AT_ONCE: usize = 12;

    /// The sessions of these rows of a user's list.
    #[must_use]
    pub fn listed(rows: &[Row]) -> Vec<SessionId> {
        super::ids_of(rows).collect()
    }
}

impl Operation for EndCutOff {
    /// How many were ended.
    type Reply = usize;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<usize>, Stop> {
        let user_key = grant_liveness::user_key(env, self.user);
        let sessions = self.sessions.iter().take(Self::AT_ONCE);
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
