//! Limits the open connections of each network, so that no client and no site can take them all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grantor_core::base::peer::{Peer, Width};

/// The number of open connections by network, of every width.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionLimits(Arc<Mutex<HashMap<String, usize>>>);

/// Permission for one open connection. Dropping it releases it.
#[derive(Debug)]
pub(super) struct Permit {
    limits: ConnectionLimits,
    networks: Vec<String>,
}

/// How many times the connections of an address a network may have. A site has less than on other limits: with 1,000 for
/// an address these are half of all.
const fn factor(width: Width) -> usize {
    match width {
        Width::Address => 1,
        Width::Block => 2,
        Width::Site => 5,
    }
}

impl ConnectionLimits {
    /// A permit for one more connection from `address`, if it has fewer than `limit`, and its wider networks fewer than
    /// theirs. Without a limit (`usize::MAX`) it is not counted, so that its neighbours keep theirs.
    pub(super) fn try_acquire(&self, address: IpAddr, limit: usize) -> Option<Permit> {
        let mut networks = Vec::new();
        if limit < usize::MAX {
            let mut counts = self.counts();
            for network in Peer::new(address, "").networks() {
                let count = counts.get(&network.name).copied().unwrap_or_default();
                if count >= limit.saturating_mul(factor(network.width)) {
                    return None;
                }
                networks.push(network.name);
            }
            for network in &networks {
                *counts.entry(network.clone()).or_default() += 1;
            }
        }
        let limits = self.clone();
        Some(Permit { limits, networks })
    }

    /// The guard must not be held across an await.
    fn counts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.limits.counts();
        for network in &self.networks {
            match counts.get_mut(network) {
                Some(count) if *count > 1 => *count -= 1,
                // Networks without connections must not use memory.
                _ => drop(counts.remove(network)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_block_and_no_site_holds_the_connections_of_all() {
        type Address = fn(usize) -> String;
        // An address has 10.
        let floods: [(Address, usize); 4] = [
            (|n| format!("2001:db8::{n:x}"), 10),
            (|n| format!("2001:db8:0:{:x}::1", n % 256), 20),
            (|n| format!("2001:db8:0:{:x}::1", 64 * n), 50),
            (|n| format!("198.51.100.{}", n % 250), 50),
        ];
        for (address, most) in floods {
            let limits = ConnectionLimits::default();
            let acquire = |address: &str| limits.try_acquire(address.parse().unwrap(), 10);
            let held: Vec<Permit> = (0..500).filter_map(|n| acquire(&address(n))).collect();
            assert_eq!(held.len(), most, "{}", address(0));
            let others: Vec<Permit> = ["2001:db8:1::1", "203.0.113.1"]
                .into_iter()
                .filter_map(acquire)
                .collect();
            assert_eq!(others.len(), 2);
            drop((held, others));
            assert!(limits.counts().is_empty());
        }
    }

    #[test]
    fn a_proxy_without_a_limit_uses_up_nothing_of_its_neighbours() {
        let limits = ConnectionLimits::default();
        let acquire = |address: &str, limit| limits.try_acquire(address.parse().unwrap(), limit);
        let proxy: Vec<_> = (0..500).map(|_| acquire("10.0.0.1", usize::MAX)).collect();
        assert!(proxy.iter().all(Option::is_some));
        assert!(acquire("10.0.0.2", 1).is_some());
    }

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
