//! In-memory limits: failed attempts, pending codes, and when each device last polled.
//!
//! Each counter has a table of its own, of fixed size, so that floods neither exhaust memory nor evict counts of another
//! kind. A decision asks them ([`QuotaQuery`], [`PollQuery`]), and changes them ([`Effect`]) after its commit. They run on the monotonic
//! clock: setting the system's clock neither extends nor ends a limit.

use std::time::Duration;

use aws_lc_rs::hmac;

use crate::base::peer::{Peer, Width};
use crate::base::time::Timestamp;
use crate::model::ids::{ClientId, ClientInstance, GrantId};

mod counters;
pub mod pending;
mod poll_clock;
mod secrets;
mod windows;

pub use counters::Counter;
pub use poll_clock::Poll;
use poll_clock::PollClock;
use windows::{Room, Windows};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A limit on one counter of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    pub counter: Counter,
    /// A user's id, a network or a client's id. Kept only as a MAC.
    pub subject: String,
    /// The maximum count within the window.
    pub limit: u32,
}

/// One quota for each width of the peer's network: `limit` for its address, and more for the wider networks.
pub(crate) fn per_network(
    peer: &Peer,
    counter: impl Fn(Width) -> Counter,
    subject: &str,
    limit: u32,
) -> impl Iterator<Item = Quota> {
    peer.networks().map(move |network| Quota {
        counter: counter(network.width),
        subject: format!("{subject}\0{}", network.name),
        limit: limit.saturating_mul(network.width.factor()),
    })
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaQuery {
    /// Reserves one of each quota, or none if any is used up.
    Reserve { quotas: Vec<Quota>, window: Window },
    /// Asks before a secret is compared, and again before anyone learns the result. A wrong one counts. Where a quota is
    /// used up, the answer is that, even for a right one: so simultaneous guesses reveal no more than the limit, and
    /// simultaneous right ones use up nothing.
    Check {
        quotas: Vec<Quota>,
        window: Window,
        guess: Guess,
    },
    /// Asks with the result of a comparison that was too cheap to ask before it. See `secrets`.
    Secret {
        client: ClientId,
        peer: Peer,
        /// Wrong ones per address and hour.
        limit: u32,
        is_right: bool,
    },
}

/// A device polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollQuery {
    pub grant: GrantId,
    /// The interval that the device was given initially.
    pub interval: Duration,
}

/// What is known of a secret that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    NotCompared,
    Right,
    Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Hour,
    Day,
    /// For pending codes: their lifetime.
    Custom(Duration),
}

impl Window {
    const fn length(self) -> Duration {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Custom(length) => length,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaAnswer {
    /// Within all quotas, and counted.
    Reserved {
        /// The highest count, including this one, among quotas without a limit.
        count: u32,
    },
    Full {
        /// Seconds until part of it is available again.
        retry_after: u64,
    },
}

/// A change of the tables after a decision's commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Releases a reservation.
    Release {
        quotas: Vec<Quota>,
        window: Window,
        /// How long ago it was made.
        age: Duration,
    },
    /// The grant is decided, so its polls are no longer answered from memory.
    ClearPoll(GrantId),
    /// A managed client authenticated.
    SecretUsed(UsedSecret),
}

/// A secret of a managed client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsedSecret {
    pub client: ClientId,
    pub instance: ClientInstance,
    /// Its id.
    pub secret: Box<str>,
}

#[derive(Debug)]
pub struct Limits {
    key: hmac::Key,
    /// Made on first use.
    tables: Vec<(Counter, Windows)>,
    polls: PollClock,
}

impl Limits {
    /// `key`: 32 random bytes of this process that make slots unpredictable.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            tables: Vec::new(),
            polls: PollClock::new(),
        }
    }

    /// `now` is the time of the monotonic clock.
    pub fn poll(&mut self, now: Timestamp, ask: &PollQuery) -> Poll {
        self.polls.poll(now, ask.grant, ask.interval)
    }

    /// `now` is the time of the monotonic clock.
    pub fn quota(&mut self, now: Timestamp, ask: &QuotaQuery) -> QuotaAnswer {
        match ask {
            QuotaQuery::Reserve { quotas, window } => self.count(now, quotas, *window, 1),
            QuotaQuery::Secret {
                client,
                peer,
                limit,
                is_right,
            } => self.secret(now, client.as_str(), peer, *limit, *is_right),
            QuotaQuery::Check {
                quotas,
                window,
                guess,
            } => self.count(now, quotas, *window, u32::from(*guess == Guess::Wrong)),
        }
    }

    /// `now` is the time of the monotonic clock.
    pub fn apply(&mut self, now: Timestamp, effect: &Effect) {
        match effect {
            Effect::ClearPoll(grant) => self.polls.mark_decided(*grant),
            Effect::Release {
                quotas,
                window,
                age,
            } => {
                self.release(quotas, window.length(), now - *age);
            }
            // Not a limit: the shell keeps it.
            Effect::SecretUsed(_) => {}
        }
    }

    /// Releases all quotas or none, so that they go on to agree. `at` may be somewhat inexact, so the parts of the window
    /// next to it are looked at, too.
    fn release(&mut self, quotas: &[Quota], window: Duration, at: Timestamp) {
        let places: Vec<u64> = quotas.iter().map(|quota| self.place(quota)).collect();
        let part = windows::part(window);
        for at in [at, at + part, at - part] {
            let mut counted = quotas.iter().zip(&places);
            if counted.all(|(quota, &place)| {
                let counted = self.table(quota.counter).counted_at(place, at);
                // It had no slot then either, or has lost it.
                counted.unwrap_or(quota.counter.is_bounded_elsewhere())
            }) {
                for (quota, place) in quotas.iter().zip(places) {
                    self.table(quota.counter).release(place, at);
                }
                return;
            }
        }
    }

    /// Counts `n` at startup: what the store still contains from before.
    pub fn preload(&mut self, now: Timestamp, quota: &Quota, window: Window, n: u32) {
        let place = self.place(quota);
        self.table(quota.counter)
            .add(place, window.length(), now, quota.limit, n);
    }

    pub fn counted(&mut self, now: Timestamp, quota: &Quota, window: Window) -> u32 {
        let place = self.place(quota);
        self.table(quota.counter).count(place, window.length(), now)
    }

    fn table(&mut self, counter: Counter) -> &mut Windows {
        let known = self.tables.iter().position(|(of, _)| *of == counter);
        let at = known.unwrap_or_else(|| {
            self.tables.push((counter, Windows::new()));
            self.tables.len() - 1
        });
        &mut self.tables[at].1
    }

    /// Counts `n` more in each quota, or in none if any is used up.
    fn count(&mut self, now: Timestamp, quotas: &[Quota], window: Window, n: u32) -> QuotaAnswer {
        let places: Vec<u64> = quotas.iter().map(|quota| self.place(quota)).collect();
        let length = window.length();
        let mut used_up = quotas
            .iter()
            .zip(&places)
            .filter(|(quota, place)| !self.has_room(quota, **place, now));
        let first = used_up.next().map(|(quota, _)| quota.counter);
        let only = first.is_some() && used_up.next().is_none();
        let full = match first {
            None => false,
            Some(Counter::PendingPerClientAndNetwork) if only => {
                let counts = quotas.iter().zip(&places).map(|(quota, place)| {
                    let count = self.table(quota.counter).count(*place, length, now);
                    (quota, count)
                });
                !pending::may_exceed_share(counts)
            }
            Some(_) => true,
        };
        if full {
            // The oldest eighth of the window is dropped first.
            let retry_after = (length.as_secs() / 8).max(1);
            return QuotaAnswer::Full { retry_after };
        }
        let mut count = 0;
        for (place, quota) in places.into_iter().zip(quotas).filter(|_| n > 0) {
            let table = self.table(quota.counter);
            let counted = table.add(place, length, now, quota.limit, n);
            if quota.limit == u32::MAX {
                count = count.max(counted);
            }
        }
        QuotaAnswer::Reserved { count }
    }

    fn has_room(&mut self, quota: &Quota, place: u64, now: Timestamp) -> bool {
        let table = self.table(quota.counter);
        match table.room(place, now, quota.limit) {
            Room::Free => true,
            Room::UsedUp => false,
            Room::NoSlot => quota.counter.is_bounded_elsewhere(),
        }
    }

    /// The slot of a quota: 64 bits of a MAC, so that attackers cannot choose a slot next to another.
    fn place(&self, quota: &Quota) -> u64 {
        let mut place = [0; 8];
        let tag = hmac::sign(&self.key, quota.subject.as_bytes());
        place.copy_from_slice(&tag.as_ref()[..8]);
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
        let ask = QuotaQuery::Reserve {
            quotas: quota(subject, 20),
            window: Window::Hour,
        };
        matches!(
            limits.quota(Timestamp::from_secs(1_000_000 + secs), &ask),
            QuotaAnswer::Reserved { .. }
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
            let release = Effect::Release {
                quotas: quota("alice", 20),
                window: Window::Hour,
                age: Duration::ZERO,
            };
            limits.apply(at, &release);
        }
    }

    #[test]
    fn all_quotas_are_reserved_or_none() {
        let mut limits = Limits::new(&[1; 32]);
        let both = [quota("full", 0), quota("free", 1)].concat();
        let now = Timestamp::from_secs(1_000_000);
        let ask = QuotaQuery::Reserve {
            quotas: both,
            window: Window::Hour,
        };
        assert!(matches!(limits.quota(now, &ask), QuotaAnswer::Full { .. }));
        let free = QuotaQuery::Reserve {
            quotas: quota("free", 1),
            window: Window::Hour,
        };
        assert!(matches!(
            limits.quota(now, &free),
            QuotaAnswer::Reserved { .. }
        ));
    }

    #[test]
    fn a_flood_of_one_kind_evicts_no_count_of_another() {
        let mut limits = Limits::new(&[1; 32]);
        let now = Timestamp::from_secs(1_000_000);
        let mut password = quota("alice", 10);
        password[0].counter = Counter::PasswordsPerAccount;
        let check = |quotas: Vec<Quota>, guess| QuotaQuery::Check {
            quotas,
            window: Window::Hour,
            guess,
        };
        for _ in 0..10 {
            limits.quota(now, &check(password.clone(), Guess::Wrong));
        }
        // Wrong secrets come fast, and their limit is high: their counts outnumber and exceed those of passwords.
        for client in 0..200_000 {
            let secret = Quota {
                counter: Counter::SecretsPerClientAndNetwork(Width::Address),
                subject: client.to_string(),
                limit: 100,
            };
            for _ in 0..11 {
                limits.quota(now, &check(vec![secret.clone()], Guess::Wrong));
            }
        }
        assert!(matches!(
            limits.quota(now, &check(password, Guess::NotCompared)),
            QuotaAnswer::Full { .. }
        ));
    }
}
