//! The life of signing keys: next, active, retiring, gone.
//!
//! Each algorithm in use has an active key, which signs, and a next one, which is published already. A rotation
//! promotes the next, retires the active and makes a new next. A retired key stays published until the last token that
//! it signed has ended. What must happen is a function of the keys, the policy and the time; the caller makes keys and
//! writes the row, so that of several nodes one does it.
//!
//! Two clocks are asked. The wall clock can be set, so nothing is promoted or removed by it alone: this process must
//! also have *watched* the key in its state for that long, on a clock that nobody sets. So a clock that leaps ahead
//! drops no key early, and one that steps back only delays.

use std::collections::HashMap;
use std::time::Duration;

use grantor_jose::{Algorithm, KeyState, Kid};

use crate::base::time::Timestamp;
use crate::records::{SealedSigningKey, SigningKeys};

#[cfg(test)]
mod tests;

/// How long a key is published before a schedule lets it sign.
///
/// We allow caches to keep the key set for 60 seconds. Many libraries have a time of their own instead, mostly of five
/// or ten minutes, and some look again only when that is over; an hour leaves room for them and for a proxy between.
pub const AHEAD: Duration = Duration::from_secs(60 * 60);

/// What the settings ask of signing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// How long a key signs; `None`: until a command rotates it.
    pub rotation: Option<Duration>,
    /// The longest life of anything that is signed, with what clocks may be off.
    pub kept: Duration,
}

/// What this process has seen of keys and clocks.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// Since when keys are known in their states, by a clock that nobody sets.
    since: HashMap<(Kid, KeyState), Duration>,
    /// The latest time that the wall clock showed.
    latest: Timestamp,
}

impl Watched {
    /// Takes note of the keys as they are `now`, `uptime` after the process began.
    pub fn look(&mut self, keys: &SigningKeys, now: Timestamp, uptime: Duration) {
        self.latest = self.latest.max(now);
        let mut seen = std::mem::take(&mut self.since);
        for key in &keys.keys {
            let name = (key.kid.clone(), key.state);
            let since = seen.remove(&name).unwrap_or(uptime);
            self.since.insert(name, since);
        }
    }

    fn time_of(&self, key: &SealedSigningKey, uptime: Duration) -> Duration {
        self.since
            .get(&(key.kid.clone(), key.state))
            .map_or(Duration::ZERO, |since| uptime.saturating_sub(*since))
    }
}

/// What must happen to the keys now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Keys to make, each in its state.
    pub make: Vec<(Algorithm, KeyState)>,
    /// Next keys that sign from now on.
    pub promote: Vec<Kid>,
    /// Active keys that sign no more.
    pub retire: Vec<Kid>,
    /// The latest time that they may have written into what they signed: a clock may have been set back since.
    pub signed_until: Timestamp,
    /// Keys that nobody needs any more.
    pub remove: Vec<Kid>,
    /// Active keys that sign what lives longer than before.
    pub lengthen: Vec<Kid>,
    /// When something more will be due, as far as it can be known.
    pub look_again: Option<Timestamp>,
}

impl Plan {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.make.is_empty()
            && [&self.promote, &self.retire, &self.remove, &self.lengthen]
                .iter()
                .all(|kids| kids.is_empty())
    }

    /// The keys after it: `made` are those of `make`.
    #[must_use]
    pub fn carry_out(
        &self,
        keys: SigningKeys,
        made: impl IntoIterator<Item = SealedSigningKey>,
        policy: &KeyPolicy,
        now: Timestamp,
    ) -> SigningKeys {
        let turned = |key: SealedSigningKey| {
            if self.promote.contains(&key.kid) {
                key.promoted(now, policy.kept)
            } else if self.retire.contains(&key.kid) {
                key.retired(now.max(self.signed_until))
            } else if self.lengthen.contains(&key.kid) {
                key.signing_for(policy.kept)
            } else {
                key
            }
        };
        let kept = keys
            .keys
            .into_iter()
            .filter(|key| !self.remove.contains(&key.kid));
        SigningKeys {
            keys: kept.map(turned).chain(made).collect(),
            superseded: keys.superseded,
        }
    }

    fn later(&mut self, at: Timestamp) {
        self.look_again = Some(self.look_again.map_or(at, |earlier| earlier.min(at)));
    }
}

/// What a server cannot start without: an active key for each algorithm in use.
#[must_use]
pub fn needed(keys: &SigningKeys, in_use: &[Algorithm]) -> Plan {
    let mut plan = Plan::default();
    for &alg in in_use {
        if keys.find(alg, KeyState::Active).is_some() {
            continue;
        }
        match keys.find(alg, KeyState::Next) {
            Some(next) => plan.promote.push(next.kid.clone()),
            None => plan.make.push((alg, KeyState::Active)),
        }
    }
    plan
}

/// What is due `now`, `uptime` after the process began.
///
/// Keys of an algorithm that is in use no more stay as they are: another node may still use it.
#[must_use]
pub fn due(
    keys: &SigningKeys,
    in_use: &[Algorithm],
    policy: &KeyPolicy,
    now: Timestamp,
    watched: &Watched,
    uptime: Duration,
) -> Plan {
    let mut plan = needed(keys, in_use);
    plan.signed_until = watched.latest;
    for &alg in in_use {
        let next = keys
            .find(alg, KeyState::Next)
            .filter(|next| !plan.promote.contains(&next.kid));
        let Some(next) = next else {
            plan.make.push((alg, KeyState::Next));
            continue;
        };
        let (Some(active), Some(period)) = (keys.find(alg, KeyState::Active), policy.rotation)
        else {
            continue;
        };
        let at = (active.since + period).max(next.since + AHEAD);
        if at.is_past(now) && watched.time_of(next, uptime) >= AHEAD {
            rotate(&mut plan, active, next);
        } else {
            plan.later(at);
        }
    }
    for key in &keys.keys {
        match key.state {
            KeyState::Active if key.kept() < policy.kept => plan.lengthen.push(key.kid.clone()),
            KeyState::Retiring => {
                let ends = key.since + key.kept();
                if ends.is_past(now) && watched.time_of(key, uptime) >= key.kept() {
                    plan.remove.push(key.kid.clone());
                } else {
                    plan.later(ends);
                }
            }
            KeyState::Active | KeyState::Next => {}
        }
    }
    plan
}

/// What a command to rotate does, whatever the schedule. An algorithm that is in use no more gives its keys up.
#[must_use]
pub fn by_command(keys: &SigningKeys, in_use: &[Algorithm], watched: &Watched) -> Plan {
    let mut plan = needed(keys, in_use);
    plan.signed_until = watched.latest;
    for alg in Algorithm::ALL {
        let active = keys.find(alg, KeyState::Active);
        let next = keys.find(alg, KeyState::Next);
        match (in_use.contains(&alg), active, next) {
            (true, Some(active), Some(next)) => rotate(&mut plan, active, next),
            // Nothing was published ahead: better late than never.
            (true, Some(active), None) => {
                plan.retire.push(active.kid.clone());
                plan.make.push((alg, KeyState::Active));
                plan.make.push((alg, KeyState::Next));
            }
            (true, None, _) => plan.make.push((alg, KeyState::Next)),
            (false, active, next) => {
                plan.retire.extend(active.map(|key| key.kid.clone()));
                plan.remove.extend(next.map(|key| key.kid.clone()));
            }
        }
    }
    plan
}

fn rotate(plan: &mut Plan, active: &SealedSigningKey, next: &SealedSigningKey) {
    plan.retire.push(active.kid.clone());
    plan.promote.push(next.kid.clone());
    plan.make.push((next.alg, KeyState::Next));
}
