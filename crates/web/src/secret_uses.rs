//! When the secrets of managed clients were last used: kept here, and written at most once an hour for each.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use grantor_core::base::time::Timestamp;
use grantor_core::engine::limits::UsedSecret;
use grantor_core::manage::clients::RecordSecretUses;
use grantor_core::records::SecretUses;

/// Uses of further secrets are not recorded, until what was written makes room.
const MAX_SECRETS: usize = 10_000;

/// By wall clock, as they are shown.
#[derive(Default)]
pub(crate) struct UsedSecrets(Mutex<HashMap<UsedSecret, Use>>);

struct Use {
    at: Timestamp,
    /// What the store has.
    written: Option<Timestamp>,
}

impl Use {
    fn is_due(&self, now: Timestamp) -> bool {
        self.written
            .is_none_or(|written| self.at > written && now.since(written) >= SecretUses::INTERVAL)
    }
}

impl UsedSecrets {
    pub(crate) fn add(&self, used: &UsedSecret, now: Timestamp) {
        let mut known = self.lock();
        if let Some(known) = known.get_mut(used) {
            known.at = now;
            return;
        }
        if known.len() >= MAX_SECRETS {
            // What is forgotten is written no sooner again: the row says when it was.
            known.retain(|_, it| it.written.is_none());
        }
        if known.len() < MAX_SECRETS {
            let first = Use {
                at: now,
                written: None,
            };
            known.insert(used.clone(), first);
        }
    }

    /// What is to be written now, by client.
    pub(crate) fn take(&self, now: Timestamp) -> Vec<RecordSecretUses> {
        let mut clients = HashMap::new();
        for (used, known) in &mut *self.lock() {
            if known.is_due(now) {
                known.written = Some(known.at);
                let uses = clients.entry((used.client.clone(), used.instance));
                let uses: &mut BTreeMap<_, _> = uses.or_default();
                uses.insert(used.secret.to_string(), known.at);
            }
        }
        let clients = clients.into_iter();
        clients
            .map(|((client, instance), uses)| RecordSecretUses {
                client,
                instance,
                uses,
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UsedSecret, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn used(secret: &str) -> UsedSecret {
        UsedSecret {
            client: "nightly".parse().expect("an id"),
            instance: Default::default(),
            secret: secret.into(),
        }
    }

    #[test]
    fn a_use_is_written_soon_and_then_once_an_hour() {
        let (uses, start) = (UsedSecrets::default(), Timestamp::from_secs(1_000_000));
        let after = |minutes: u64| start + Duration::from_secs(60 * minutes);
        let count = |minutes: u64| uses.take(after(minutes)).len();
        uses.add(&used("a"), start);
        assert_eq!((count(0), count(0)), (1, 0));
        uses.add(&used("a"), after(10));
        assert_eq!((count(10), count(59), count(70)), (0, 0, 1));
        assert_eq!(count(300), 0, "nothing new");
        uses.add(&used("a"), after(301));
        uses.add(&used("b"), after(301));
        let written = uses.take(after(301));
        assert_eq!(written.len(), 1, "of one client");
        assert_eq!(written[0].uses.len(), 2);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (uses, now) = (UsedSecrets::default(), Timestamp::from_secs(1_000_000));
        for n in 0..=MAX_SECRETS {
            uses.add(&used(&n.to_string()), now);
        }
        assert_eq!(uses.lock().len(), MAX_SECRETS);
        uses.take(now);
        uses.add(&used("new"), now);
        assert_eq!(uses.lock().len(), 1, "the store has the others");
    }
}
