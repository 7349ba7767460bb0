//! A user signs out everywhere: the remedy for what the page shows and they do not know.

use crate::base::peer::Peer;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::model::ids::Epoch;
use crate::model::ids::UserId;
use crate::people::session;
use crate::records::{self, User};

/// Cuts the user of this cookie off from all that was ever given: every session, grant and consent, by one write.
#[derive(Debug)]
pub struct SignOutEverywhere {
    /// The session cookie.
    pub cookie: Option<Secret>,
    /// The browser that asks.
    pub peer: Peer,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOutEverywhereReply {
    /// Sign-in comes first.
    SignIn,
    /// Signed out, in this browser too. Rows of sessions are left that count no more: [`super::EndCutOff`] ends them,
    /// so that clients are told.
    SignedOut {
        /// Who.
        user: UserId,
    },
}

impl Operation for SignOutEverywhere {
    type Reply = SignOutEverywhereReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<SignOutEverywhereReply>, Stop> {
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
