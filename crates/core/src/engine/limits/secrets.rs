//! Guesses of a client's secret. Comparing one is too cheap to be worth saving, so the limits are asked with the result.

use std::time::Duration;

use super::windows::Room;
use super::{Counter, DAY, HOUR, Limits, Quota, QuotaAnswer, per_network};
use crate::base::peer::Peer;
use crate::base::time::Timestamp;

/// Beyond the limit, one secret in this time is still answered by what it is. At a proven address right ones have that of
/// their own, so that wrong ones do not lock them out.
const SLOW_INTERVAL: Duration = Duration::from_secs(10);
/// Somewhat more, as a window counts for up to an eighth longer.
const RETRY_AFTER_SECS: u64 = 12;
/// Wrong ones of a day at a proven address beyond its limit, in limits of an hour. After so many, right ones wait with
/// the wrong ones: if they always passed, the answers would tell any number of guesses.
const HOURS_WORTH_BEYOND_LIMIT: u32 = 100;

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
    ) -> QuotaAnswer {
        let counter = Counter::SecretsPerClientAndNetwork;
        let mut quotas = per_network(peer, counter, client, limit);
        let Some(own) = quotas.next() else {
            return QuotaAnswer::Reserved { count: 0 };
        };
        let own_place = self.place(&own);
        let marks = self.table(Counter::ProvenSecrets);
        let proven = marks.count(own_place, DAY, now) > 0;
        let mut places = vec![(own, own_place)];
        if !(proven && is_right) {
            for quota in quotas {
                let place = self.place(&quota);
                places.push((quota, place));
            }
        }
        let (passes, waits) = if proven {
            let passes = self.passes_proven(&places[0].0, own_place, now, is_right);
            (passes, own_place)
        } else {
            // The widest network waits as one, or each of its addresses would have guesses of its own.
            let widest = places.last().map_or(own_place, |(_, place)| *place);
            let mut all = places.iter();
            let passes = all.all(|(quota, place)| self.has_room(quota, *place, now));
            (passes, widest)
        };
        if !passes && !self.take_slow(Counter::SecretsBeyondLimit, waits, now) {
            return QuotaAnswer::Full {
                retry_after: RETRY_AFTER_SECS,
            };
        }
        if is_right {
            // Each one renews the mark.
            let marks = self.table(Counter::ProvenSecrets);
            marks.add(own_place, DAY, now, u32::MAX, 1);
        } else {
            for (quota, place) in places {
                let table = self.table(quota.counter);
                table.add(place, HOUR, now, quota.limit, 1);
            }
        }
        QuotaAnswer::Reserved { count: 0 }
    }

    /// Within the address's limit, or beyond it a right one. Beyond it, wrong ones are counted by the day, answered or not.
    fn passes_proven(&mut self, own: &Quota, place: u64, now: Timestamp, is_right: bool) -> bool {
        let room = self.table(own.counter).room(place, now, own.limit);
        if room == Room::Free {
            return true;
        }
        let limit = own.limit.saturating_mul(HOURS_WORTH_BEYOND_LIMIT);
        let wrong = self.table(Counter::WrongSecretsBeyondLimit);
        let within = wrong.room(place, now, limit) == Room::Free;
        if !is_right {
            wrong.add(place, DAY, now, limit, 1);
        }
        match room {
            Room::UsedUp if is_right => {
                within && self.take_slow(Counter::RightSecretsBeyondLimit, place, now)
            }
            Room::UsedUp => false,
            Room::NoSlot | Room::Free => within,
        }
    }

    /// Takes the one secret of this interval that is still answered.
    fn take_slow(&mut self, counter: Counter, place: u64, now: Timestamp) -> bool {
        let slow = self.table(counter);
        let free = slow.room(place, now, 1) == Room::Free;
        if free {
            slow.add(place, SLOW_INTERVAL, now, 1, 1);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::peer::Width;
    use crate::engine::limits::{QuotaQuery, Window};

    const LIMIT: u32 = 100;

    fn present(limits: &mut Limits, now: Timestamp, address: &str, is_right: bool) -> bool {
        let secret = QuotaQuery::Secret {
            client: "orders".parse().unwrap(),
            peer: Peer::new(address.parse().unwrap(), ""),
            limit: LIMIT,
            is_right,
        };
        matches!(limits.quota(now, &secret), QuotaAnswer::Reserved { .. })
    }

    fn quota(counter: Counter, network: &str) -> Quota {
        Quota {
            counter,
            subject: format!("orders\0{network}"),
            limit: LIMIT,
        }
    }

    #[test]
    fn wrong_secrets_that_are_answered_beyond_the_limit_evict_no_count_near_it() {
        let mut limits = Limits::new(&[1; 32]);
        let now = Timestamp::from_secs(1_000_000);
        let site = |n| Quota {
            limit: 10 * LIMIT,
            ..quota(
                Counter::SecretsPerClientAndNetwork(Width::Site),
                &format!("site {n}"),
            )
        };
        for n in 0..80_000 {
            limits.preload(now, &site(n), Window::Hour, 600);
        }
        let counted = |limits: &mut Limits| {
            let counts = (0..80_000).filter(|&n| limits.counted(now, &site(n), Window::Hour) > 0);
            counts.count()
        };
        let before = counted(&mut limits);
        let answered = (0..1000).filter(|n| {
            let address = format!("2001:db8:{n:x}::1");
            present(&mut limits, now, &address, false)
        });
        assert!(answered.count() > 900, "each in the slot of its network");
        assert_eq!(counted(&mut limits), before);
    }

    #[test]
    fn an_address_stays_proven_while_the_right_secret_comes_from_it() {
        let mut limits = Limits::new(&[1; 32]);
        let now = |n: u32| Timestamp::from_secs(1_000_000 + u64::from(n));
        let mark = quota(Counter::ProvenSecrets, "192.0.2.1");
        for n in 0..80_000_u32 {
            if n % 100 == 0 {
                let marks = limits.counted(now(n), &mark, Window::Day);
                assert!(marks > 0 || n == 0, "after {n}");
                assert!(present(&mut limits, now(n), "192.0.2.1", true));
            }
            let [a, b] = [n / 250, n % 250];
            present(
                &mut limits,
                now(n),
                &format!("10.{}.{}.{b}", a / 250, a % 250),
                true,
            );
        }
    }
}
