//! How many connections each address has, so that one alone cannot take them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grantor_core::base::peer::Peer;

/// The connections that are open, counted by address; a /64 counts as one in IPv6.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<HashMap<String, usize>>>);

/// One connection's place. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    network: String,
}

impl Seats {
    /// A place for one more connection of `address`, where it has fewer than `most`.
    pub(super) fn take(&self, address: IpAddr, most: usize) -> Option<Seat> {
        let network = Peer::new(address, "").network();
        let mut counts = self.counts();
        let count = counts.get(&network).copied().unwrap_or_default();
        if count >= most {
            return None;
        }
        counts.insert(network.clone(), count + 1);
        let seats = self.clone();
        Some(Seat { seats, network })
    }

    /// Held for a look, never across an await.
    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.seats.counts();
        match counts.get_mut(&self.network) {
            Some(count) if *count > 1 => *count -= 1,
            // What has no connection takes no memory.
            _ => drop(counts.remove(&self.network)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_and_leaves_nothing() {
        let seats = Seats::default();
        let take = |address: &str| seats.take(address.parse().unwrap(), 2);
        let (first, second) = (take("2001:db8::1"), take("2001:db8::2"));
        assert!(first.is_some() && second.is_some());
        assert!(take("2001:db8::3").is_none(), "they share a /64");
        let other = take("2001:db8:0:1::1");
        assert!(other.is_some());
        drop(first);
        let third = take("2001:db8::3");
        assert!(third.is_some());
        drop((second, third, other));
        assert!(seats.counts().is_empty());
    }
}
