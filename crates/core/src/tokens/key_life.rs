//! The lifecycle of signing keys: next, active, retiring, removed.
//!
//! Each algorithm in use has an active key, which signs, and a next one, which is already published. A rotation
//! promotes the next key, retires the active one and creates a new next one. A retiring key stays published until the
//! last token that it signed has expired. What is due is a function of keys, policy and time; the caller creates keys
//! and writes the row conditionally, so that only one of several nodes does it.
//!
//! The wall clock can be set, so it alone never promotes or removes a key: this process must also have observed the
//! key in its state for that long by a monotonic clock. A wall clock that jumps ahead removes no key early, and one
//! that steps back only delays.

use std::collections::HashMap;
use std::time::Duration;

use grantor_jose::{Algorithm, KeyState, Kid};

use crate::base::time::Timestamp;
use crate::records::{SealedSigningKey, SigningKeys};

#[cfg(test)]
mod tests;

/// How long a key is published before it signs.
///
/// Our responses allow caching the key set for 60 seconds. Many libraries instead cache for a fixed time, mostly five
/// or ten minutes; an hour leaves room for them and for proxies.
pub const PUBLISH_AHEAD: Duration = Duration::from_secs(60 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// How long a key signs; `None` if only a command rotates keys.
    pub rotation: Option<Duration>,
    /// The longest lifetime of anything signed, plus clock skew.
    pub kept: Duration,
}

/// What this process has observed of keys and clocks.
#[derive(Clone, Debug, Default)]
pub struct KeyObservations {
    /// Since when keys were observed in their states, by a monotonic clock.
    since: HashMap<(Kid, KeyState), Duration>,
    /// The latest wall clock time seen.
    latest: Timestamp,
}

impl KeyObservations {
    /// Records the keys as they are `now`, `uptime` after the process started.
    pub fn record(&mut self, keys: &SigningKeys, now: Timestamp, uptime: Duration) {
        self.latest = self.latest.max(now);
        let mut seen = std::mem::take(&mut self.since);
        for key in &keys.keys {
            let name = (key.kid.clone(), key.state);
            let since = seen.remove(&name).unwrap_or(uptime);
            self.since.insert(name, since);
        }
    }

    fn observed_for(&self, key: &SealedSigningKey, uptime: Duration) -> Duration {
        self.since
            .get(&(key.kid.clone(), key.state))
            .map_or(Duration::ZERO, |since| uptime.saturating_sub(*since))
    }
}

/// Changes of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Keys to create, with their states.
    pub create: Vec<(Algorithm, KeyState)>,
    /// Next keys to activate.
    pub promote: Vec<Kid>,
    /// Active keys that stop signing.
    pub retire: Vec<Kid>,
    /// The latest time that tokens of retired keys may contain: the clock may have been set back since.
    pub signed_until: Timestamp,
    pub remove: Vec<Kid>,
    /// Active keys that now sign longer-lived tokens.
    pub extend: Vec<Kid>,
    /// When the next change is expected.
    pub next_check: Option<Timestamp>,
}

impl Plan {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.create.is_empty()
            && [&self.promote, &self.retire, &self.remove, &self.extend]
                .iter()
                .all(|kids| kids.is_empty())
    }

    /// The keys after the changes. `made` are the new keys of `create`.
    #[must_use]
    pub fn apply(
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
            } else if self.extend.contains(&key.kid) {
                key.keep_for(policy.kept)
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

    fn check_at(&mut self, at: Timestamp) {
        self.next_check = Some(self.next_check.map_or(at, |earlier| earlier.min(at)));
    }
}

/// What a server needs to start: an active key for each algorithm in use.
#[must_use]
pub fn needed(keys: &SigningKeys, in_use: &[Algorithm]) -> Plan {
    let mut plan = Plan::default();
    for &alg in in_use {
        if keys.find(alg, KeyState::Active).is_some() {
            continue;
        }
        match keys.find(alg, KeyState::Next) {
            Some(next) => plan.promote.push(next.kid.clone()),
            None => plan.create.push((alg, KeyState::Active)),
        }
    }
    plan
}

/// What is due `now`, `uptime` after the process started.
///
/// Keys of an algorithm that is no longer in use are unchanged, since another node may still use it.
#[must_use]
pub fn due(
    keys: &SigningKeys,
    in_use: &[Algorithm],
    policy: &KeyPolicy,
    now: Timestamp,
    observed: &KeyObservations,
    uptime: Duration,
) -> Plan {
    let mut plan = needed(keys, in_use);
    plan.signed_until = observed.latest;
    for &alg in in_use {
        let next = keys
            .find(alg, KeyState::Next)
            .filter(|next| !plan.promote.contains(&next.kid));
        let Some(next) = next else {
            plan.create.push((alg, KeyState::Next));
            continue;
        };
        let (Some(active), Some(period)) = (keys.find(alg, KeyState::Active), policy.rotation)
        else {
            continue;
        };
        let at = (active.since + period).max(next.since + PUBLISH_AHEAD);
        if at.is_past(now) && observed.observed_for(next, uptime) >= PUBLISH_AHEAD {
            rotate(&mut plan, active, next);
        } else {
            plan.check_at(at);
        }
    }
    for key in &keys.keys {
        match key.state {
            KeyState::Active if key.kept() < policy.kept => plan.extend.push(key.kid.clone()),
            KeyState::Retiring => {
                let ends = key.since + key.kept();
                if ends.is_past(now) && observed.observed_for(key, uptime) >= key.kept() {
                    plan.remove.push(key.kid.clone());
                } else {
                    plan.check_at(ends);
                }
            }
            KeyState::Active | KeyState::Next => {}
        }
    }
    plan
}

/// A rotation by command, regardless of the schedule. Retires the keys of algorithms that are no longer in use.
#[must_use]
pub fn by_command(keys: &SigningKeys, in_use: &[Algorithm], observed: &KeyObservations) -> Plan {
    let mut plan = needed(keys, in_use);
    plan.signed_until = observed.latest;
    for alg in Algorithm::ALL {
        let active = keys.find(alg, KeyState::Active);
        let next = keys.find(alg, KeyState::Next);
        match (in_use.contains(&alg), active, next) {
            (true, Some(active), Some(next)) => rotate(&mut plan, active, next),
            // No key was published ahead, so the new one signs at once.
            (true, Some(active), None) => {
                plan.retire.push(active.kid.clone());
                plan.create.push((alg, KeyState::Active));
                plan.create.push((alg, KeyState::Next));
            }
            (true, None, _) => plan.create.push((alg, KeyState::Next)),
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
    plan.create.push((next.alg, KeyState::Next));
}
