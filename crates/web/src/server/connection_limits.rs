//! Limits the open connections of each address, so that one client cannot take them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grantor_core::base::peer::{Peer, Width};

/// The number of open connections by network: an IPv4 address or an IPv6 /64.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionLimits(Arc<Mutex<HashMap<String, usize>>>);

/// Permission for one open connection. Dropping it releases it.
#[derive(Debug)]
pub(super) struct Permit {
    limits: ConnectionLimits,
    network: String,
}

impl ConnectionLimits {
    /// A permit for one more connection from `address`, if it has fewer than `limit`.
    pub(super) fn try_acquire(&self, address: IpAddr, limit: usize) -> Option<Permit> {
        let network = Peer::new(address, "").network(Width::Address);
        let mut counts = self.counts();
        let count = counts.get(&network).copied().unwrap_or_default();
        if count >= limit {
            return None;
        }
        counts.insert(network.clone(), count + 1);
        let limits = self.clone();
        Some(Permit { limits, network })
    }

    /// The guard must not be held across an await.
    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.limits.counts();
        match counts.get_mut(&self.network) {
            Some(count) if *count > 1 => *count -= 1,
            // Networks without connections must not use memory.
            _ => drop(counts.remove(&self.network)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropping_a_permit_releases_it_and_frees_its_memory() {
        let limits = ConnectionLimits::default();
        let acquire = |address: &str| limits.try_acquire(address.parse().unwrap(), 2);
        let (first, second) = (acquire("2001:db8::1"), acquire("2001:db8::2"));
        assert!(first.is_some() && second.is_some());
        assert!(acquire("2001:db8::3").is_none(), "they share a /64");
        let other = acquire("2001:db8:0:1::1");
        assert!(other.is_some());
        drop(first);
        let third = acquire("2001:db8::3");
        assert!(third.is_some());
        drop((second, third, other));
        assert!(limits.counts().is_empty());
    }
}
