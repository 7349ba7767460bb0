//! Attempts to guess a secret. The limits are asked before the secret is compared, which costs something, and again
//! before anyone learns the result: parallel guesses stay within the limits, and right ones in flight use up nothing.

use crate::engine::decide::Stop;
use crate::engine::facts::Facts;
use crate::engine::limits::{Guess, Quota, QuotaAnswer, QuotaQuery, Window};

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
    /// # Errors
    /// [`LimitReached`] if no secret may be compared.
    pub(super) fn begin(&self, facts: &Facts) -> Result<(), Stop<LimitReached>> {
        self.ask(facts, Guess::NotCompared).map(|_| ())
    }

    /// The highest count among the quotas without a limit, a wrong one included.
    ///
    /// # Errors
    /// [`LimitReached`] if the result may not be told.
    pub(super) fn end(&self, facts: &Facts, is_right: bool) -> Result<u32, Stop<LimitReached>> {
        self.ask(facts, if is_right { Guess::Right } else { Guess::Wrong })
    }

    fn ask(&self, facts: &Facts, guess: Guess) -> Result<u32, Stop<LimitReached>> {
        let answer = facts.quota(QuotaQuery::Check {
            quotas: self.quotas.clone(),
            window: self.window,
            guess,
        })?;
        match answer {
            QuotaAnswer::Reserved { count } => Ok(count),
            QuotaAnswer::Full { retry_after } => Err(Stop::Refuse(LimitReached { retry_after })),
        }
    }
}
