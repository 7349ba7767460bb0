//! A page is asked for: who sits at the browser?

use super::session::{self, Visitor};
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;

/// A visit with this session cookie.
#[derive(Debug)]
pub struct Visit {
    /// The cookie.
    pub cookie: Option<Secret>,
}

impl Operation for Visit {
    type Reply = Option<Visitor>;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<Self::Reply>, Stop> {
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[])? else {
            return Ok(Decision::reply(None));
        };
        Ok(Decision::reply(Some(signed_in.visitor())).writes(signed_in.touch))
    }
}
