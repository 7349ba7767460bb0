//! What is known only as long as the process lives: when devices polled, and how many guesses there were.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::life::AT_ONCE;
use crate::model::Name;
use grantor_testkit::Spans as _;

/// When a wrong try is forgotten at the latest: after an hour and an eighth.
const FORGOTTEN: Duration = Duration::from_secs(68 * 60);

/// A counter of wrong tries.
pub(crate) struct Wrong {
    pub(crate) what: Name,
    pub(crate) whom: String,
    pub(crate) limit: usize,
}

#[derive(Default)]
pub(crate) struct Tables {
    clocks: BTreeMap<usize, Clock>,
    /// Grants of which this process said that they are decided.
    pub(crate) decided: BTreeSet<usize>,
    /// Tries that a counter has certainly counted, and those that it may have.
    wrong: BTreeMap<(Name, String), Vec<Duration>>,
    perhaps: BTreeMap<(Name, String), Vec<Duration>>,
    /// When codes were given, in time that passed.
    pub(crate) begun: BTreeMap<usize, Duration>,
    /// How often a slot of the pending codes was released for a code that had none: it was from before a restart, or
    /// ended while its decision was under way.
    pub(crate) freed: usize,
    /// Whether the system's clock stepped back: how old a code is that is decided, is then not known exactly.
    pub(crate) stepped_back: bool,
}

/// RFC 8628 section 3.5, of one device, in time that passed.
struct Clock {
    polled: Duration,
    interval: Duration,
    /// When the grant was read last.
    read: Duration,
}

impl Tables {
    /// A device polls; returns whether it is too early.
    pub(crate) fn poll(&mut self, device: usize, now: Duration) -> bool {
        let Some(clock) = self.clocks.get_mut(&device) else {
            let clock = Clock {
                polled: now,
                interval: 5.s(),
                read: now,
            };
            self.clocks.insert(device, clock);
            return false;
        };
        let waited = now - clock.polled + 500.ms();
        clock.polled = now;
        let early = waited < clock.interval;
        if early {
            clock.interval = (clock.interval + 5.s()).min(60.s());
        }
        early
    }

    /// A device was decided on, and this process knows.
    pub(crate) fn decided(&mut self, device: usize, lifetime: Duration, passed: Duration) {
        self.decided.insert(device);
        let begun = self.begun.get(&device);
        let had_ended = begun.is_none_or(|begun| *begun + lifetime <= passed);
        self.freed += usize::from(had_ended);
    }

    pub(crate) fn read(&mut self, device: usize, now: Duration) {
        self.clocks.get_mut(&device).expect("it polled").read = now;
    }

    /// Whether the grant was read within the last second.
    pub(crate) fn is_fresh(&self, device: usize, now: Duration) -> bool {
        now - self.clocks[&device].read < 1.s()
    }

    /// A wrong guess: within any hour, no more than `limit` of them.
    pub(crate) fn wrong(&mut self, wrong: Wrong, at: Duration, passed: Duration) {
        let key = (wrong.what, wrong.whom.clone());
        let tries = self.wrong.entry(key).or_default();
        tries.push(at);
        tries.retain(|at| *at + FORGOTTEN > passed);
        let count = tries.iter().filter(|at| **at + 1.h() > passed).count();
        let Wrong { what, limit, .. } = wrong;
        assert!(count <= limit, "{count} wrong tries within an hour: {what}");
        self.perhaps_wrong(wrong, at);
    }

    /// A wrong guess that this counter may have counted, or another one.
    pub(crate) fn perhaps_wrong(&mut self, wrong: Wrong, at: Duration) {
        let tries = self.perhaps.entry((wrong.what, wrong.whom)).or_default();
        tries.push(at);
    }

    /// Whether an answer may be that there were too many wrong tries: correct ones do not count.
    pub(crate) fn is_used_up(&self, wrong: Wrong, now: Duration) -> bool {
        let Wrong { what, whom, limit } = wrong;
        let tries = self
            .perhaps
            .get(&(what, whom))
            .map_or(&[][..], Vec::as_slice);
        let count = tries.iter().filter(|at| **at + FORGOTTEN > now).count();
        // Wrong guesses under way count too.
        count + AT_ONCE >= limit
    }
}
