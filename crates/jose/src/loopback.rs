//! Which hosts are this machine. No JOSE: the rule is here because all crates share this one, and must agree.

use std::net::IpAddr;

/// Whether a URL's host is this machine: `localhost`, a name below it (RFC 6761 section 6.3), or a loopback address.
///
/// The host is in the form of the URL standard: lower case, IPv6 addresses in brackets.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    address.parse().map_or_else(
        |_| host == "localhost" || host.strip_suffix(".localhost").is_some_and(is_name),
        is_loopback_address,
    )
}

fn is_name(name: &str) -> bool {
    name.split('.').all(|label| !label.is_empty())
}

/// Whether an address is this machine's loopback, also as an IPv4-mapped IPv6 address.
#[must_use]
pub fn is_loopback_address(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_loopback_addresses_are_this_machine() {
        for here in [
            "localhost",
            "id.localhost",
            "127.0.0.1",
            "127.9.8.7",
            "[::1]",
            "[::ffff:7f00:1]",
        ] {
            assert!(is_loopback_host(here), "{here}");
        }
        for elsewhere in [
            "",
            "localhost.example.com",
            "notlocalhost",
            ".localhost",
            "..localhost",
            "a..localhost",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "[::ffff:a00:1]",
            "[::1",
        ] {
            assert!(!is_loopback_host(elsewhere), "{elsewhere}");
        }
    }
}
