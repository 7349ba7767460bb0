//! Signing out of this browser.

use super::session;
use crate::decide::{Decision, Found, Operation, Stop};
use crate::env::Env;
use crate::event::{Event, EventKind};
use crate::secret::Secret;

/// A sign-out with this session cookie.
#[derive(Debug)]
pub struct SignOut {
    /// The cookie.
    pub cookie: Option<Secret>,
}

impl Operation for SignOut {
    type Reply = ();

    /// One row goes; grants that name the session are refused from then on.
    fn decide(&self, env: &Env<'_>, found: &Found) -> Result<Decision<()>, Stop> {
        let Some(signed_in) = session::signed_in(env, found, self.cookie.as_ref(), &[])? else {
            return Ok(Decision::reply(()));
        };
        let session = signed_in.session;
        Ok(Decision::reply(())
            .writes(session::end(env, &session)?)
            .event(Event::new(EventKind::SignedOut).user(session.record.user)))
    }
}
