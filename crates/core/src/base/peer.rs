//! Who sent a request: network address and user agent.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::base::names::config_names;

use serde::{Deserialize, Serialize};

const MAX_AGENT_CHARS: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Behind trusted proxies, the address that they forwarded.
    pub address: IpAddr,
    /// The `User-Agent` header, truncated, without control characters.
    pub agent: String,
}

impl Peer {
    #[must_use]
    pub fn new(address: IpAddr, agent: &str) -> Self {
        let agent = agent
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_AGENT_CHARS)
            .collect();
        Self {
            address: address.to_canonical(),
            agent,
        }
    }

    /// What limits count as one address: an IPv4 address, or an IPv6 /64, which usually belongs to one subscriber.
    #[must_use]
    pub fn network(&self) -> String {
        match self.address {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("{}/64", Ipv6Addr::from(v6.to_bits() >> 64 << 64)),
        }
    }

    /// Whether both are likely on one network: the same IPv4 /24 or IPv6 /48, or both loopback.
    /// Addresses of different families count as different networks.
    #[must_use]
    pub fn shares_network_with(&self, other: &Self) -> bool {
        match (self.address, other.address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => a.to_bits() >> 8 == b.to_bits() >> 8,
            (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() >> 80 == b.to_bits() >> 80,
            (a, b) => a.is_loopback() && b.is_loopback(),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// The header in which proxies forward the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

config_names!(ForwardedHeader {
    XForwardedFor = "x-forwarded-for",
    Forwarded = "forwarded",
});

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Peer {
        Peer::new(address.parse().unwrap(), "curl/8.5.0")
    }

    #[test]
    fn an_ipv6_64_counts_as_one_address() {
        assert_eq!(
            peer("2001:db8::1").network(),
            peer("2001:db8::ffff:2").network()
        );
        assert_ne!(
            peer("2001:db8::1").network(),
            peer("2001:db8:0:1::1").network()
        );
        assert_eq!(peer("::ffff:192.0.2.1").network(), "192.0.2.1");
    }

    #[test]
    fn networks_of_different_address_families_differ() {
        assert!(peer("192.0.2.1").shares_network_with(&peer("192.0.2.200")));
        assert!(!peer("192.0.2.1").shares_network_with(&peer("192.0.3.1")));
        assert!(!peer("192.0.2.1").shares_network_with(&peer("2001:db8::1")));
        assert!(peer("127.0.0.1").shares_network_with(&peer("::1")));
    }

    #[test]
    fn a_user_agent_is_truncated_and_has_no_control_characters() {
        let peer = Peer::new(
            "127.0.0.1".parse().unwrap(),
            &format!("a\n\u{1b}b{}", "x".repeat(999)),
        );
        assert!(peer.agent.starts_with("abx") && peer.agent.len() == MAX_AGENT_CHARS);
    }
}
