//! Attempts to guess a secret. The limits are asked before the secret is compared, which costs something, and again
//! before anyone learns the result: parallel guesses stay within the limits, and right ones in flight use up nothing.

use crate::base::error::Failure;
use crate::engine::decide::{Facts, Stop};
use crate::engine::limits::{Guess, LimitAnswer, LimitQuery, Quota, Window};

/// The quotas that a wrong guess counts in.
pub(super) struct Attempt {
    pub(super) quotas: Vec<Quota>,
    pub(super) window: Window,
}

pub(super) struct LimitReached {
    /// In seconds.
    pub(super) retry_after: u64,
}

impl Attempt {
    /// Whether a secret may be compared.
    pub(super) fn begin(&self, facts: &Facts) -> Result<Result<(), LimitReached>, Stop> {
        Ok(self.ask(facts, Guess::NotCompared)?.map(|_| ()))
    }

    /// Whether the result may be told. Returns the highest count among the quotas without a limit, a wrong one included.
    pub(super) fn end(
        &self,
        facts: &Facts,
        is_right: bool,
    ) -> Result<Result<u32, LimitReached>, Stop> {
        self.ask(facts, if is_right { Guess::Right } else { Guess::Wrong })
    }

    fn ask(&self, facts: &Facts, guess: Guess) -> Result<Result<u32, LimitReached>, Stop> {
        let answer = facts.ask(LimitQuery::Check {
            quotas: self.quotas.clone(),
            window: self.window,
            guess,
        })?;
        match answer {
            LimitAnswer::Reserved { count } => Ok(Ok(count)),
            LimitAnswer::Full { retry_after } => Ok(Err(LimitReached { retry_after })),
            LimitAnswer::Poll(_) => Err(Failure::Bug("an attempt was answered as a poll").into()),
        }
    }
}
