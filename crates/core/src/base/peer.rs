//! Who sent a request, as far as the network tells.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::base::names::names;

use serde::{Deserialize, Serialize};

/// The longest agent text that is kept, in characters.
const MAX_AGENT: usize = 200;

/// The address and agent of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// The address, behind trusted proxies the one that they forwarded.
    pub address: IpAddr,
    /// The `User-Agent` header, shortened, without control characters.
    pub agent: String,
}

impl Peer {
    /// A request from `address` with this `User-Agent`.
    #[must_use]
    pub fn new(address: IpAddr, agent: &str) -> Self {
        let agent = agent
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_AGENT)
            .collect();
        Self {
            address: address.to_canonical(),
            agent,
        }
    }

    /// What is counted as one address: an IPv4 address, or an IPv6 /64, of which one subscriber has the whole.
    #[must_use]
    pub fn network(&self) -> String {
        match self.address {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("{}/64", Ipv6Addr::from(v6.to_bits() >> 64 << 64)),
        }
    }

    /// Whether the two are likely on one network: the same IPv4 /24 or IPv6 /48, or both this machine.
    /// Different families cannot be compared, which counts as different.
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

/// A header in which proxies write addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, which most proxies append to.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

names!(ForwardedHeader {
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
    fn an_ipv6_subscriber_is_one_address() {
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
    fn networks_are_compared_within_a_family() {
        assert!(peer("192.0.2.1").shares_network_with(&peer("192.0.2.200")));
        assert!(!peer("192.0.2.1").shares_network_with(&peer("192.0.3.1")));
        assert!(!peer("192.0.2.1").shares_network_with(&peer("2001:db8::1")));
        assert!(peer("127.0.0.1").shares_network_with(&peer("::1")));
    }

    #[test]
    fn an_agent_is_short_and_without_control_characters() {
        let peer = Peer::new(
            "127.0.0.1".parse().unwrap(),
            &format!("a\n\u{1b}b{}", "x".repeat(999)),
        );
        assert!(peer.agent.starts_with("abx") && peer.agent.len() == MAX_AGENT);
    }
}
