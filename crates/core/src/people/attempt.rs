//! An attempt to guess a secret, counted before the guess is checked, so that parallel guesses stay within the limits.

use crate::base::error::Failure;
use crate::base::time::Timestamp;
use crate::engine::decide::{Facts, Stop};
use crate::engine::limits::{Effect, LimitAnswer, LimitQuery, Quota, Window};

pub(super) struct Attempt {
    /// The highest count among the quotas without a limit, this attempt included.
    pub(super) count: u32,
    quotas: Vec<Quota>,
    at: Timestamp,
}

pub(super) struct LimitReached {
    /// In seconds.
    pub(super) retry_after: u64,
}

impl Attempt {
    pub(super) fn reserve(
        facts: &Facts,
        quotas: Vec<Quota>,
    ) -> Result<Result<Self, LimitReached>, Stop> {
        let reserved = facts.ask(LimitQuery::Reserve {
            quotas: quotas.clone(),
            window: Window::Hour,
        })?;
        match reserved {
            LimitAnswer::Reserved { count, at } => Ok(Ok(Self { count, quotas, at })),
            LimitAnswer::Full { retry_after } => Ok(Err(LimitReached { retry_after })),
            LimitAnswer::Poll(_) => Err(Failure::Bug("a try was answered as a poll").into()),
        }
    }

    /// A right guess does not count.
    pub(super) fn release(self) -> Effect {
        Effect::Release {
            quotas: self.quotas,
            window: Window::Hour,
            at: self.at,
        }
    }
}
