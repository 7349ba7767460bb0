//! Ending one of the user's sessions, in this browser or another.

use std::convert::Infallible;

use crate::base::peer::Peer;
use crate::base::row::Write;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::model::ids::SessionId;
use crate::people::session::{self, SignedIn};
use crate::records::Session;
use crate::tokens::grant_liveness;
use crate::tokens::handles::PresentedCookie;

#[derive(Debug)]
pub struct EndSession {
    pub cookie: Option<PresentedCookie>,
    pub session: SessionId,
    pub peer: Peer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSessionReply {
    /// The user is not signed in.
    SignIn,
    /// This browser's session ended.
    SignedOut,
    /// Another browser's session ended.
    Ended,
    /// The user has no such session, or no longer.
    Gone,
}

impl EndSession {
    /// Ending the current session is signing out.
    fn sign_out(
        &self,
        env: &Env<'_>,
        signed_in: &SignedIn,
    ) -> Result<Decision<EndSessionReply, Infallible>, Halt> {
        let user = &signed_in.user;
        Ok(Decision::reply(EndSessionReply::SignedOut)
            .writes(session::end(env, &signed_in.session)?)
            .write(Write::Check {
                key: grant_liveness::user_key(env, user.record.id),
                expect: user.row.version,
            })
            .event(self.event(EventKind::SignedOut, signed_in)))
    }

    fn event(&self, kind: EventKind, signed_in: &SignedIn) -> Event {
        let user = signed_in.user.record.id;
        Event::new(kind).user(user).peer(&self.peer)
    }
}

impl Task for EndSession {
    type Reply = EndSessionReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<EndSessionReply, Infallible>, Halt> {
        let key = session::key(env, self.session);
        let cookie = self.cookie.as_ref();
        let own = cookie.map(PresentedCookie::session) == Some(self.session);
        let also = if own { None } else { Some(&key) };
        let signed_in = session::signed_in(env, facts, cookie, also.as_slice())?;
        let Some(signed_in) = signed_in else {
            return Ok(Decision::reply(EndSessionReply::SignIn));
        };
        if own {
            return self.sign_out(env, &signed_in);
        }
        let target = facts.record::<Session>(env, &key)?.live();
        let Some(target) = target.filter(|target| target.record.user == signed_in.user.record.id)
        else {
            // After a commit with an unknown outcome, it may be this very request that ended it.
            return Ok(Decision::reply(if facts.after_unknown() {
                EndSessionReply::Ended
            } else {
                EndSessionReply::Gone
            }));
        };
        Ok(Decision::reply(EndSessionReply::Ended)
            .writes(session::end(env, &target)?)
            .writes(signed_in.checks(env))
            .event(self.event(EventKind::SessionEndedByUser, &signed_in))
            .writes(signed_in.touch))
    }
}
