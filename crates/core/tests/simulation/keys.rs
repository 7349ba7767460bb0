//! The signing keys, as another node rotates them: one that never restarts, so it has seen every time that
//! the clock showed.

use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::time::Timestamp;
use grantor_core::records::{SealedSigningKey, SigningKeys};
use grantor_core::tokens::key_life::{KeyObservations, KeyPolicy, Plan, by_command, due};
use grantor_jose::{Algorithm, Jwk, KeySet, KeyState, Kid};

use crate::life::Life;
use grantor_testkit::{Spans as _, public_keys};

const IN_USE: &[Algorithm] = &[Algorithm::Es256];

/// The row of keys, and what is known of it.
#[derive(Default)]
pub(crate) struct Ring {
    record: SigningKeys,
    observed: KeyObservations,
}

impl Ring {
    fn change(&mut self, plan: &Plan, policy: &KeyPolicy, now: Timestamp) {
        let record = std::mem::take(&mut self.record);
        // A removed key may be used again: there are only a few.
        let gone = |jwk: &&Jwk| {
            let kid = jwk.kid.as_ref();
            record.keys.iter().all(|key| Some(&key.kid) != kid)
        };
        let spare = public_keys().1.iter().filter(gone);
        let made = plan.create.iter().zip(spare).map(|((alg, state), jwk)| {
            let key = SealedSigningKey {
                kid: jwk.kid.clone().expect("it has an id"),
                alg: *alg,
                state: KeyState::Next,
                created_at: now,
                since: now,
                kept_secs: 0,
                private: String::new(),
            };
            match state {
                KeyState::Active => key.promoted(now, policy.kept),
                _ => key,
            }
        });
        let made: Vec<_> = made.collect();
        self.record = plan.apply(record, made, policy, now);
    }

    /// What is published: these keys, and the RSA key, which does not rotate here.
    pub(crate) fn published(&self) -> KeySet {
        let (fixed, spare) = public_keys();
        let keys = self.record.keys.iter().filter_map(|key| {
            let jwk = spare.iter().find(|jwk| jwk.kid.as_ref() == Some(&key.kid));
            Some((jwk?.clone(), key.state))
        });
        let rsa = fixed
            .iter()
            .filter(|jwk| jwk.algorithm == Some(Algorithm::Rs256));
        let rsa = rsa.map(|jwk| (jwk.clone(), KeyState::Active));
        KeySet::new(keys.chain(rsa)).expect("different keys")
    }
}

impl Life {
    /// Performs the rotation steps that are due. A request lasts seconds, and the keys that it began with stay for longer; here it
    /// may last for hours, so nothing is done while one is under way.
    pub(crate) fn look_at_keys(&mut self, command: bool) {
        let (now, uptime) = (self.world.now, self.passed);
        let at_rest = !self.is_under_way();
        let Ring { record, observed } = &mut self.keys;
        observed.record(record, now, uptime);
        if !at_rest {
            return;
        }
        let policy = KeyPolicy {
            rotation: Some(1.h()),
            kept: self.manner.access_lifetime.max(10.mins()) + Duration::from_secs(65),
        };
        // Of those that retire, only so many have a key to follow them.
        let plan = if command && record.keys.len() < public_keys().1.len() - 1 {
            by_command(record, IN_USE, observed)
        } else {
            due(record, IN_USE, &policy, now, observed, uptime)
        };
        if plan.is_empty() || record.keys.len() + plan.create.len() > public_keys().1.len() {
            return;
        }
        self.keys.change(&plan, &policy, now);
        self.forget_tokens_of(&plan.remove);
        for (what, happened) in [
            ("keys: one is promoted", !plan.promote.is_empty()),
            ("keys: one is gone", !plan.remove.is_empty()),
        ] {
            if happened {
                self.count(what);
            }
        }
        self.configure();
        self.tell(|| format!("the keys: {plan:?}"));
    }

    /// A key is removed after the last of its tokens ended. A clock that went back so far would find those valid again.
    fn forget_tokens_of(&mut self, gone: &[Kid]) {
        let now = self.world.now.as_secs();
        let devices = self.things.devices.iter_mut();
        for token in devices.flat_map(|device| &mut device.access) {
            let header = grantor_jose::decode(&token.text).ok();
            let kid = header.and_then(|token| token.header().kid.clone());
            if kid.is_some_and(|kid| gone.contains(&kid)) {
                assert!(token.claims.exp <= now, "a key goes before its token");
                token.forgotten = true;
            }
        }
    }

    /// The configuration as it is now.
    pub(crate) fn configure(&mut self) {
        let mut realm = self.manner.realm(&self.disabled);
        let changed = Arc::get_mut(&mut realm).expect("the only reference");
        changed.signing = self.keys.published().into();
        for client in changed.clients.values_mut().map(std::sync::Arc::make_mut) {
            let known = self.instances.get(&client.id);
            client.instance = known.copied().unwrap_or_default();
        }
        self.world.realm = realm;
    }
}
