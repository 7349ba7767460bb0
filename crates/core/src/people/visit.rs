//! Finds the signed-in user of a page request.

use std::convert::Infallible;

use super::session::{self, Visitor};
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::tokens::handles::PresentedCookie;

#[derive(Debug)]
pub struct Visit {
    pub cookie: Option<PresentedCookie>,
}

impl Task for Visit {
    type Reply = Option<Visitor>;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply, Infallible>, Halt> {
        let Some(signed_in) = session::signed_in(env, facts, self.cookie.as_ref(), &[])? else {
            return Ok(Decision::reply(None));
        };
        Ok(Decision::reply(Some(signed_in.visitor())).writes(signed_in.touch))
    }
}
