//! Guesses of a client's secret. Comparing one is too cheap to be worth saving, so the limits are asked with the result.

use std::time::Duration;

use super::{Counter, DAY, HOUR, LimitAnswer, Limits, Quota, per_network};
use crate::base::peer::Peer;
use crate::base::time::Timestamp;

/// Beyond the limit, one secret in this time is still answered by what it is: others can delay the right one, but
/// not lock it out.
const SLOW_INTERVAL: Duration = Duration::from_secs(10);
/// Somewhat more, as a window counts for up to an eighth longer.
const RETRY_AFTER_SECS: u64 = 12;

impl Limits {
    /// Whether the result may be told. An address that presented the right secret within a day is held to its own limit
    /// and not to those of wider networks, which others use up.
    pub(super) fn secret(
        &mut self,
        now: Timestamp,
        client: &str,
        peer: &Peer,
        limit: u32,
        is_right: bool,
    ) -> LimitAnswer {
        let counter = Counter::SecretsPerClientAndNetwork;
        let mut quotas = per_network(peer, counter, client, limit);
        let Some(own) = quotas.next() else {
            return LimitAnswer::Reserved { count: 0 };
        };
        let own_place = self.place(&own);
        let proven = self
            .table(Counter::ProvenSecrets)
            .count(own_place, DAY, now)
            > 0;
        let has_room = |limits: &mut Self, quota: &Quota, place| {
            let table = limits.table(quota.counter);
            table.has_room(place, HOUR, now, quota.limit)
        };
        let mut passes = has_room(self, &own, own_place);
        let mut places = vec![(own, own_place)];
        if !(passes && proven && is_right) {
            for quota in quotas {
                let place = self.place(&quota);
                passes &= proven || has_room(self, &quota, place);
                places.push((quota, place));
            }
        }
        if !passes {
            // The widest network waits as one, or each of its addresses would have guesses of its own.
            let widest = places.last().map_or(own_place, |(_, place)| *place);
            let waits = if proven { own_place } else { widest };
            let slow = self.table(Counter::SecretsBeyondLimit);
            if !slow.has_room(waits, SLOW_INTERVAL, now, 1) {
                return LimitAnswer::Full {
                    retry_after: RETRY_AFTER_SECS,
                };
            }
            slow.add(waits, SLOW_INTERVAL, now, 1);
        }
        if !is_right {
            for (quota, place) in places {
                self.table(quota.counter).add(place, HOUR, now, 1);
            }
        } else if !proven {
            self.table(Counter::ProvenSecrets)
                .add(own_place, DAY, now, 1);
        }
        LimitAnswer::Reserved { count: 0 }
    }
}
