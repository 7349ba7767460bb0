//! Signing out everywhere.

use std::convert::Infallible;

use crate::base::peer::Peer;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::model::ids::Epoch;
use crate::model::ids::UserId;
use crate::people::session;
use crate::records::{self, User};
use crate::tokens::handles::PresentedCookie;

/// Ends every session, grant and consent of the user by one write: a new epoch.
#[derive(Debug)]
pub struct SignOutEverywhere {
    pub cookie: Option<PresentedCookie>,
    pub peer: Peer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOutEverywhereReply {
    /// The user is not signed in.
    SignIn,
    /// Invalid rows of other sessions remain. [`super::EndRevokedSessions`] ends them, so that their clients are notified.
    SignedOut { user: UserId },
}

impl Task for SignOutEverywhere {
    type Reply = SignOutEverywhereReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<SignOutEverywhereReply, Infallible>, Halt> {
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[])? else {
            return Ok(Decision::reply(SignOutEverywhereReply::SignIn));
        };
        let (user, row) = (signed_in.user.record, signed_in.user.row);
        let id = user.id;
        let user = User {
            epoch: Epoch::from_bytes(env.seed.bytes("epoch")),
            ..user
        };
        let event = Event::new(EventKind::SignedOutEverywhere);
        Ok(
            Decision::reply(SignOutEverywhereReply::SignedOut { user: id })
                .write(records::update(&env.realm.name, &user, &row)?)
                .writes(session::end(env, &signed_in.session)?)
                .event(event.user(id).peer(&self.peer)),
        )
    }
}
