//! What is counted in memory: wrong tries, pending codes, and when a device polled last.
//!
//! Tables of fixed size, so that no flood fills the memory. They are inputs and outputs of a decision:
//! a decision *asks* ([`Ask`]) before it looks anything up, and its *effects* ([`Effect`]) come after its commit.
//! A try is reserved before the look-up and given back when it was right, so parallel guesses cannot pass.

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

/// An hour: the time over which wrong tries are counted.
const HOUR: Duration = Duration::from_secs(3600);

/// What is counted, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is counted.
    pub what: Counter,
    /// Who is counted: a user's id, an address, a client's id. Kept as a MAC only.
    pub whom: String,
    /// The most within the counter's time.
    pub limit: u32,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Wrong user codes of an account, an hour.
    UserCodesOfAccount,
    /// Wrong user codes of an address, an hour.
    UserCodesOfAddress,
    /// Wrong user codes of a realm, an hour: never a lock.
    UserCodesOfRealm,
    /// Wrong passwords for one account from one address, an hour.
    PasswordsOfAccountAndAddress,
    /// Wrong passwords from one address, an hour.
    PasswordsOfAddress,
    /// Wrong passwords for one account, an hour.
    PasswordsOfAccount,
    /// Wrong client secrets for one client from one address, an hour.
    SecretsOfClientAndAddress,
    /// Device codes of a client that nobody decided on yet.
    PendingOfClient,
    /// Device codes begun from an address that nobody decided on yet.
    PendingOfAddress,
    /// Device codes of a realm that nobody decided on yet.
    PendingOfRealm,
}

/// A question to the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// One of each quota, all or none, over this time.
    Reserve {
        /// The quotas.
        quotas: Vec<Quota>,
        /// The time over which they count.
        window: Window,
    },
    /// How a secret that was looked at already stands to its quotas: a wrong one counts, a right one does not, and
    /// neither passes once they are used up. For what is checked so fast that nothing must be reserved before.
    Check {
        /// The quotas.
        quotas: Vec<Quota>,
        /// The time over which they count.
        window: Window,
        /// Whether it was wrong.
        wrong: bool,
    },
    /// A poll for a grant by a device that was told this interval.
    Poll {
        /// The grant.
        grant: GrantId,
        /// The interval of its first polls.
        interval: Duration,
    },
}

/// The time over which something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Wrong tries.
    Hour,
    /// Pending codes: as long as one lives.
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

/// An answer of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Within the quotas; a reservation counts in them from now on.
    Reserved {
        /// The highest count among the quotas that have no limit, this one included.
        count: u32,
        /// When it was reserved: to give it back there.
        at: Timestamp,
    },
    /// Some quota is used up.
    Full {
        /// Seconds until some of it is free again.
        retry_after: u64,
    },
    /// What to do with a poll.
    Poll(Poll),
}

/// What a decision does to the tables once it is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Gives back what was reserved at this moment.
    GiveBack {
        /// The quotas.
        quotas: Vec<Quota>,
        /// The time over which they count.
        window: Window,
        /// When it was reserved.
        at: Timestamp,
    },
    /// Somebody decided on this grant, or it is seen to be decided: no poll of it is answered from memory any more.
    ClearPoll(GrantId),
}

/// The tables of one node.
#[derive(Debug)]
pub struct Limits {
    key: hmac::Key,
    /// Wrong tries. A table of their own, so that no flood of codes pushes them out.
    tries: Windows,
    /// Pending codes.
    pending: Windows,
    polls: PollClock,
}

impl Limits {
    /// Empty tables. `key` makes places in them unpredictable: 32 random bytes of this process.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            tries: Windows::new(),
            pending: Windows::new(),
            polls: PollClock::new(),
        }
    }

    /// Answers a question.
    pub fn answer(&mut self, now: Timestamp, ask: &Ask) -> Answer {
        match ask {
            Ask::Poll { grant, interval } => Answer::Poll(self.polls.poll(now, *grant, *interval)),
            Ask::Reserve { quotas, window } => self.count(now, quotas, *window, 1),
            Ask::Check {
                quotas,
                window,
                wrong,
            } => self.count(now, quotas, *window, u32::from(*wrong)),
        }
    }

    /// Applies what a decision did.
    pub fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::ClearPoll(grant) => self.polls.decided(*grant),
            Effect::GiveBack { quotas, window, at } => {
                for quota in quotas {
                    let place = self.place(quota);
                    self.table(*window).give_back(place, window.length(), *at);
                }
            }
        }
    }

    /// Counts `n` at once, at start: what a store still holds from an earlier life of the process.
    pub fn preload(&mut self, now: Timestamp, quota: &Quota, window: Window, n: u32) {
        let place = self.place(quota);
        self.table(window).add(place, window.length(), now, n);
    }

    /// What is counted in a quota now.
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

    /// Counts `n` more in each quota, or in none where one is used up.
    fn count(&mut self, now: Timestamp, quotas: &[Quota], window: Window, n: u32) -> Answer {
        let places: Vec<u64> = quotas.iter().map(|quota| self.place(quota)).collect();
        let (table, length) = (self.table(window), window.length());
        let full = places
            .iter()
            .zip(quotas)
            .any(|(&place, quota)| table.count(place, length, now) >= quota.limit);
        if full {
            // The oldest eighth of the window is forgotten first.
            let retry_after = (length.as_secs() / 8).max(1);
            return Answer::Full { retry_after };
        }
        let mut count = 0;
        for (place, quota) in places.into_iter().zip(quotas).filter(|_| n > 0) {
            let counted = table.add(place, length, now, n);
            if quota.limit == u32::MAX {
                count = count.max(counted);
            }
        }
        Answer::Reserved { count, at: now }
    }

    /// Where a quota is counted: 64 bits of a MAC, so that nobody chooses a place beside somebody else's.
    fn place(&self, quota: &Quota) -> u64 {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&[quota.what as u8]);
        context.update(quota.whom.as_bytes());
        let mut place = [0; 8];
        place.copy_from_slice(&context.sign().as_ref()[..8]);
        u64::from_be_bytes(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(whom: &str, limit: u32) -> Vec<Quota> {
        vec![Quota {
            what: Counter::UserCodesOfAccount,
            whom: whom.to_owned(),
            limit,
        }]
    }

    fn ask(limits: &mut Limits, secs: u64, whom: &str) -> bool {
        let ask = Ask::Reserve {
            quotas: quota(whom, 20),
            window: Window::Hour,
        };
        matches!(
            limits.answer(Timestamp::from_secs(1_000_000 + secs), &ask),
            Answer::Reserved { .. }
        )
    }

    #[test]
    fn twenty_tries_an_hour_and_no_more_in_any_hour() {
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
    fn a_try_given_back_can_be_used_again() {
        let mut limits = Limits::new(&[1; 32]);
        for _ in 0..100 {
            assert!(ask(&mut limits, 0, "alice"));
            let at = Timestamp::from_secs(1_000_000);
            limits.apply(&Effect::GiveBack {
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
        let ask = Ask::Reserve {
            quotas: both,
            window: Window::Hour,
        };
        assert!(matches!(limits.answer(now, &ask), Answer::Full { .. }));
        let free = Ask::Reserve {
            quotas: quota("free", 1),
            window: Window::Hour,
        };
        assert!(matches!(limits.answer(now, &free), Answer::Reserved { .. }));
    }
}
