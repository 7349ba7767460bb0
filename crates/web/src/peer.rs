//! Who sent a request: the socket's address, or what a trusted proxy forwarded.

use std::net::{IpAddr, SocketAddr};

use grantor_core::peer::Peer;
use http::{HeaderMap, header};
use ipnet::IpNet;

/// The peer of a request. `Forwarded` (RFC 7239) and `X-Forwarded-For` count only as far as trusted proxies wrote
/// them: from the right, the first address that is no trusted proxy's is the client's.
pub(crate) fn of(socket: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Peer {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut address = socket.ip().to_canonical();
    for hop in forwarded(headers).into_iter().rev() {
        if !is_trusted(&address) {
            break;
        }
        // What a proxy wrote and is no address (`unknown`, a name) ends what can be known.
        let Some(hop) = hop else { break };
        address = hop;
    }
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    Peer::new(address, agent.unwrap_or_default())
}

/// The hops that proxies wrote, in order; none for what is no address.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let values = |name| {
        headers
            .get_all(name)
            .into_iter()
            .filter_map(|value: &http::HeaderValue| value.to_str().ok())
    };
    let standard: Vec<&str> = values("forwarded")
        .flat_map(|value| value.split(','))
        .collect();
    if standard.is_empty() {
        return values("x-forwarded-for")
            .flat_map(|value| value.split(','))
            .map(address)
            .collect();
    }
    let node = |element: &str| {
        let pair = element.split(';').map(str::trim).find(|pair| {
            pair.get(..4)
                .is_some_and(|name| name.eq_ignore_ascii_case("for="))
        });
        pair.and_then(|pair| address(&pair[4..]))
    };
    standard.into_iter().map(node).collect()
}

/// An address as proxies write it: quoted or not, with or without brackets and port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let parsed = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse());
    parsed.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(socket: &str, name: &'static str, value: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        of(format!("{socket}:1").parse().unwrap(), &headers, &trusted)
            .address
            .to_string()
    }

    #[test]
    fn only_what_a_trusted_proxy_wrote_counts() {
        assert_eq!(
            seen("203.0.113.9", "x-forwarded-for", "1.1.1.1"),
            "203.0.113.9"
        );
        assert_eq!(seen("10.0.0.1", "x-forwarded-for", "1.1.1.1"), "1.1.1.1");
        assert_eq!(
            seen("10.0.0.1", "x-forwarded-for", "6.6.6.6, 1.1.1.1, 10.0.0.2"),
            "1.1.1.1"
        );
        assert_eq!(
            seen("10.0.0.1", "x-forwarded-for", "6.6.6.6, unknown"),
            "10.0.0.1"
        );
    }

    #[test]
    fn rfc7239_forwarded_is_read_as_well() {
        assert_eq!(
            seen("10.0.0.1", "forwarded", "for=1.1.1.1;proto=https"),
            "1.1.1.1"
        );
        assert_eq!(
            seen(
                "10.0.0.1",
                "forwarded",
                "proto=https;For=\"[2001:db8::7]:4711\""
            ),
            "2001:db8::7"
        );
        assert_eq!(
            seen("[::1]", "forwarded", "for=6.6.6.6, for=1.1.1.1:80"),
            "1.1.1.1"
        );
    }
}
