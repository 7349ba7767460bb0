//! In-memory limits: failed attempts, pending codes, and when each device last polled.
//!
//! The tables have a fixed size, so that floods cannot exhaust memory. A decision asks them ([`LimitQuery`]) before
//! any lookup, and changes them ([`Effect`]) after its commit. An attempt is reserved before the lookup and
//! released if it succeeds, so parallel guesses cannot exceed the limit.

use std::time::Duration;

use aws_lc_rs::hmac;

use crate::base::time::Timestamp;
use crate::model::ids::GrantId;

pub mod pending;
mod poll_clock;
mod windows;

pub use poll_clock::Poll;
use poll_clock::PollClock;
use windows::Windows;

const HOUR: Duration = Duration::from_secs(3600);

/// A limit on one counter of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    pub counter: Counter,
    /// A user's id, an address or a client's id. Kept only as a MAC.
    pub subject: String,
    /// The maximum count within the window.
    pub limit: u32,
}

/// Wrong user codes, passwords and client secrets per hour, and undecided device codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    UserCodesPerAccount,
    UserCodesPerAddress,
    /// Only reported and delayed, never refused.
    UserCodesPerRealm,
    PasswordsPerAccountAndAddress,
    PasswordsPerAddress,
    PasswordsPerAccount,
    SecretsPerClientAndAddress,
    PendingPerClient,
    PendingPerAddress,
    PendingPerRealm,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitQuery {
    /// Reserves one of each quota, or none if any is used up.
    Reserve { quotas: Vec<Quota>, window: Window },
    /// Checks the quotas for a secret that was already compared. A wrong one counts; no secret passes once a quota is
    /// used up. For comparisons that are too fast to need a reservation.
    Check {
        quotas: Vec<Quota>,
        window: Window,
        wrong: bool,
    },
    Poll {
        grant: GrantId,
        /// The interval that the device was given initially.
        interval: Duration,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// For failed attempts.
    Hour,
    /// For pending codes: their lifetime.
    Custom(Duration),
}

impl Window {
    const fn length(self) -> Duration {
        match self {
            Self::Hour => HOUR,
            Self::Custom(length) => length,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitAnswer {
    /// Within all quotas, and counted.
    Reserved {
        /// The highest count, including this one, among quotas without a limit.
        count: u32,
        /// When it was reserved, for releasing it.
        at: Timestamp,
    },
    Full {
        /// Seconds until part of it is available again.
        retry_after: u64,
    },
    Poll(Poll),
}

/// A change of the tables after a decision's commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Releases a reservation.
    Release {
        quotas: Vec<Quota>,
        window: Window,
        at: Timestamp,
    },
    /// The grant is decided, so its polls are no longer answered from memory.
    ClearPoll(GrantId),
}

#[derive(Debug)]
pub struct Limits {
    key: hmac::Key,
    /// Failed attempts. Separate, so that a flood of codes cannot evict them.
    tries: Windows,
    pending: Windows,
    polls: PollClock,
}

impl Limits {
    /// `key`: 32 random bytes of this process that make slots unpredictable.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            tries: Windows::new(),
            pending: Windows::new(),
            polls: PollClock::new(),
        }
    }

    pub fn answer(&mut self, now: Timestamp, ask: &LimitQuery) -> LimitAnswer {
        match ask {
            LimitQuery::Poll { grant, interval } => {
                LimitAnswer::Poll(self.polls.poll(now, *grant, *interval))
            }
            LimitQuery::Reserve { quotas, window } => self.count(now, quotas, *window, 1),
            LimitQuery::Check {
                quotas,
                window,
                wrong,
            } => self.count(now, quotas, *window, u32::from(*wrong)),
        }
    }

    pub fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::ClearPoll(grant) => self.polls.mark_decided(*grant),
            Effect::Release { quotas, window, at } => {
                for quota in quotas {
                    let place = self.place(quota);
                    self.table(*window).release(place, window.length(), *at);
                }
            }
        }
    }

    /// Counts `n` at startup: what the store still contains from before.
    pub fn preload(&mut self, now: Timestamp, quota: &Quota, window: Window, n: u32) {
        let place = self.place(quota);
        self.table(window).add(place, window.length(), now, n);
    }

    pub fn counted(&mut self, now: Timestamp, quota: &Quota, window: Window) -> u32 {
        let place = self.place(quota);
        self.table(window).count(place, window.length(), now)
    }

    fn table(&mut self, window: Window) -> &mut Windows {
        match window {
            Window::Hour => &mut self.tries,
            Window::Custom(_) => &mut self.pending,
        }
    }

    /// Counts `n` more in each quota, or in none if any is used up.
    fn count(&mut self, now: Timestamp, quotas: &[Quota], window: Window, n: u32) -> LimitAnswer {
        let places: Vec<u64> = quotas.iter().map(|quota| self.place(quota)).collect();
        let (table, length) = (self.table(window), window.length());
        let full = places
            .iter()
            .zip(quotas)
            .any(|(&place, quota)| table.count(place, length, now) >= quota.limit);
        if full {
            // The oldest eighth of the window is dropped first.
            let retry_after = (length.as_secs() / 8).max(1);
            return LimitAnswer::Full { retry_after };
        }
        let mut count = 0;
        for (place, quota) in places.into_iter().zip(quotas).filter(|_| n > 0) {
            let counted = table.add(place, length, now, n);
            if quota.limit == u32::MAX {
                count = count.max(counted);
            }
        }
        LimitAnswer::Reserved { count, at: now }
    }

    /// The slot of a quota: 64 bits of a MAC, so that attackers cannot choose a slot next to another.
    fn place(&self, quota: &Quota) -> u64 {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&[quota.counter as u8]);
        context.update(quota.subject.as_bytes());
        let mut place = [0; 8];
        place.copy_from_slice(&context.sign().as_ref()[..8]);
        u64::from_be_bytes(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(subject: &str, limit: u32) -> Vec<Quota> {
        vec![Quota {
            counter: Counter::UserCodesPerAccount,
            subject: subject.to_owned(),
            limit,
        }]
    }

    fn ask(limits: &mut Limits, secs: u64, subject: &str) -> bool {
        let ask = LimitQuery::Reserve {
            quotas: quota(subject, 20),
            window: Window::Hour,
        };
        matches!(
            limits.answer(Timestamp::from_secs(1_000_000 + secs), &ask),
            LimitAnswer::Reserved { .. }
        )
    }

    #[test]
    fn no_hour_has_more_than_twenty_attempts() {
        let mut limits = Limits::new(&[1; 32]);
        let mut passed = Vec::new();
        for second in 0..20_000 {
            if ask(&mut limits, second, "alice") {
                passed.push(second);
            }
        }
        for (i, start) in passed.iter().enumerate() {
            let within = passed[i..]
                .iter()
                .take_while(|at| *at - start < 3600)
                .count();
            assert!(
                within <= 20,
                "{within} tries within an hour of second {start}"
            );
        }
        assert!(
            passed.len() >= 80,
            "and the hour does end: {}",
            passed.len()
        );
        assert!(ask(&mut limits, 0, "bob"), "another account is not touched");
    }

    #[test]
    fn a_released_attempt_can_be_used_again() {
        let mut limits = Limits::new(&[1; 32]);
        for _ in 0..100 {
            assert!(ask(&mut limits, 0, "alice"));
            let at = Timestamp::from_secs(1_000_000);
            limits.apply(&Effect::Release {
                quotas: quota("alice", 20),
                window: Window::Hour,
                at,
            });
        }
    }

    #[test]
    fn all_quotas_are_reserved_or_none() {
        let mut limits = Limits::new(&[1; 32]);
        let both = [quota("full", 0), quota("free", 1)].concat();
        let now = Timestamp::from_secs(1_000_000);
        let ask = LimitQuery::Reserve {
            quotas: both,
            window: Window::Hour,
        };
        assert!(matches!(limits.answer(now, &ask), LimitAnswer::Full { .. }));
        let free = LimitQuery::Reserve {
            quotas: quota("free", 1),
            window: Window::Hour,
        };
        assert!(matches!(
            limits.answer(now, &free),
            LimitAnswer::Reserved { .. }
        ));
    }
}
