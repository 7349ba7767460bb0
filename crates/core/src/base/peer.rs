//! Who sent a request: network address and user agent.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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

/// How much of an address a limit counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// An IPv4 address, or an IPv6 /64, which usually belongs to one subscriber.
    Address,
    /// An IPv6 /56, which many providers give to one subscriber.
    Block,
    /// An IPv4 /24 or IPv6 /48, which many providers give to one organization.
    Site,
}

impl Width {
    /// A wider network has more people, so its limit is the one of an address times this.
    #[must_use]
    pub const fn factor(self) -> u32 {
        match self {
            Self::Address => 1,
            Self::Block => 2,
            Self::Site => 10,
        }
    }
}

/// A network that a peer is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub width: Width,
    pub name: String,
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

    /// The network of this width, as limits name it.
    #[must_use]
    pub fn network(&self, width: Width) -> String {
        match self.address {
            IpAddr::V4(v4) => match width {
                Width::Address | Width::Block => v4.to_string(),
                Width::Site => format!("{}/24", Ipv4Addr::from(v4.to_bits() >> 8 << 8)),
            },
            IpAddr::V6(v6) => {
                let bits = match width {
                    Width::Address => 64,
                    Width::Block => 56,
                    Width::Site => 48,
                };
                let prefix = v6.to_bits() >> (128 - bits) << (128 - bits);
                format!("{}/{bits}", Ipv6Addr::from(prefix))
            }
        }
    }

    /// What limits count of this peer, the narrowest first.
    pub fn networks(&self) -> impl Iterator<Item = Network> {
        let widths: &[Width] = match self.address {
            IpAddr::V4(_) => &[Width::Address, Width::Site],
            IpAddr::V6(_) => &[Width::Address, Width::Block, Width::Site],
        };
        widths.iter().map(|&width| Network {
            width,
            name: self.network(width),
        })
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
    fn limits_count_three_widths_of_ipv6_and_two_of_ipv4() {
        let names = |address| -> Vec<String> {
            let peer = peer(address);
            peer.networks().map(|network| network.name).collect()
        };
        let v6 = [
            "2001:db8:1:203::/64",
            "2001:db8:1:200::/56",
            "2001:db8:1::/48",
        ];
        assert_eq!(names("2001:db8:1:203::ffff:2"), v6);
        assert_eq!(names("192.0.2.1"), ["192.0.2.1", "192.0.2.0/24"]);
        assert_eq!(names("::ffff:192.0.2.1"), names("192.0.2.1"));
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
