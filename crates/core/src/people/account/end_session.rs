//! A user ends one of their sessions: in a browser that was left somewhere, or in this one.

use crate::base::peer::Peer;
use crate::base::row::Write;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::model::ids::SessionId;
use crate::people::session::{self, SignedIn};
use crate::records::Session;
use crate::tokens::grant_liveness;

/// Ends this session of the user of that cookie.
#[derive(Debug)]
pub struct EndSession {
    /// The session cookie.
    pub cookie: Option<Secret>,
    /// Which.
    pub session: SessionId,
    /// The browser that asks.
    pub peer: Peer,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndSessionReply {
    /// Sign-in comes first.
    SignIn,
    /// It was this browser's: signed out.
    SignedOut,
    /// Another browser is signed out.
    Ended,
    /// There is no such session of this user's, or no more.
    Gone,
}

impl EndSession {
    /// To end one's own session is to sign out.
    fn sign_out(
        &self,
        env: &Env<'_>,
        signed_in: &SignedIn,
    ) -> Result<Decision<EndSessionReply>, Stop> {
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

impl Operation for EndSession {
    type Reply = EndSessionReply;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<EndSessionReply>, Stop> {
        let key = session::key(env, self.session);
        let cookie = self.cookie.as_ref();
        let own = session::named_by(env, cookie) == Some(self.session);
        let also = if own { None } else { Some(&key) };
        let signed_in = session::signed_in(env, facts, cookie, also.as_slice())?;
        let Some(signed_in) = signed_in else {
            return Ok(Decision::reply(EndSessionReply::SignIn));
        };
        if own {
            return self.sign_out(env, &signed_in);
        }
        let target = facts.record::<Session>(env, &key)?.live();
        let Some(target) = target.filter(|of| of.record.user == signed_in.user.record.id) else {
            // After a commit whose end is unknown, it may be our own doing.
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
