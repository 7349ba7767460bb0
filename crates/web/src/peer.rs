//! Who sent a request: the socket's address, or what a trusted proxy forwarded.

use std::net::{IpAddr, SocketAddr};

use grantor_core::base::peer::{ForwardedHeader, Peer};
use http::{HeaderMap, header};
use ipnet::IpNet;

use crate::request::Socket;

/// The proxies in front of the server, and how they say for whom they ask.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Whose forwarded addresses count.
    pub trusted: Vec<IpNet>,
    /// The header that they write. Any other comes from clients, passed through, and is ignored.
    pub header: ForwardedHeader,
}

impl Proxies {
    pub(crate) fn trust(&self, address: &IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(address))
    }
}

/// The peer of a request. What was forwarded counts only as far as trusted proxies wrote it: from the right, the
/// first address that is no trusted proxy's is the client's.
pub(crate) fn of(socket: SocketAddr, headers: &HeaderMap, proxies: &Proxies) -> Peer {
    let mut address = socket.ip().to_canonical();
    for hop in forwarded(headers, proxies.header).into_iter().rev() {
        if !proxies.trust(&address) {
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

/// Whether a client sent its request without TLS: to us, past the proxies, or to the proxy, which says so.
pub(crate) fn in_the_clear(socket: Socket, headers: &HeaderMap, proxies: &Proxies) -> bool {
    let address = socket.address.ip().to_canonical();
    if proxies.trust(&address) {
        scheme(headers, proxies.header).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
    } else {
        !socket.tls && !address.is_loopback()
    }
}

/// By which scheme the outermost proxy was asked, as far as it says so. A client that writes this header itself
/// deceives nobody but itself: only a refusal comes of it.
fn scheme(headers: &HeaderMap, header: ForwardedHeader) -> Option<&str> {
    let name = match header {
        ForwardedHeader::XForwardedFor => "x-forwarded-proto",
        ForwardedHeader::Forwarded => "forwarded",
    };
    let first = headers.get(name)?.to_str().ok()?.split(',').next()?;
    match header {
        ForwardedHeader::XForwardedFor => Some(first.trim()),
        ForwardedHeader::Forwarded => pair(first, "proto="),
    }
}

/// The hops that proxies wrote, in order; none for what is no address. Clients can write before them what they
/// like, bytes that are no text too, so each element stands for itself.
fn forwarded(headers: &HeaderMap, header: ForwardedHeader) -> Vec<Option<IpAddr>> {
    let (name, parse): (_, fn(&str) -> Option<IpAddr>) = match header {
        ForwardedHeader::XForwardedFor => ("x-forwarded-for", address),
        ForwardedHeader::Forwarded => ("forwarded", node),
    };
    let values = headers.get_all(name).into_iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|element| std::str::from_utf8(element).ok().and_then(parse))
        .collect()
}

/// RFC 7239 section 4: the `for` of one element.
fn node(element: &str) -> Option<IpAddr> {
    pair(element, "for=").and_then(address)
}

/// What one element of `Forwarded` says after this `name=`.
fn pair<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = element.split(';').map(str::trim);
    let value = pairs.find_map(|pair| {
        let (start, value) = pair.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some(value)
    });
    value.map(|value| value.trim_matches('"'))
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
        let header = match name {
            "forwarded" => ForwardedHeader::Forwarded,
            _ => ForwardedHeader::XForwardedFor,
        };
        behind(header, socket, &headers)
    }

    fn behind(header: ForwardedHeader, socket: &str, headers: &HeaderMap) -> String {
        let proxies = Proxies {
            trusted: vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
            header,
        };
        of(format!("{socket}:1").parse().unwrap(), headers, &proxies)
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
    fn a_header_that_the_proxies_do_not_write_is_the_clients_and_is_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", "for=6.6.6.6".parse().unwrap());
        headers.insert("x-forwarded-for", "1.1.1.1".parse().unwrap());
        for (header, address) in [
            (ForwardedHeader::XForwardedFor, "1.1.1.1"),
            (ForwardedHeader::Forwarded, "6.6.6.6"),
        ] {
            assert_eq!(behind(header, "10.0.0.1", &headers), address);
        }
    }

    #[test]
    fn what_is_no_text_hides_nothing_that_a_proxy_wrote_after_it() {
        let mut headers = HeaderMap::new();
        let value = http::HeaderValue::from_bytes(b"\xff, 1.1.1.1").unwrap();
        headers.insert("x-forwarded-for", value);
        let header = ForwardedHeader::XForwardedFor;
        assert_eq!(behind(header, "10.0.0.1", &headers), "1.1.1.1");
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

    #[test]
    fn what_came_without_tls_is_known_by_the_socket_or_by_the_proxys_word() {
        let x = ("x-forwarded-proto", ForwardedHeader::XForwardedFor);
        let rfc = ("forwarded", ForwardedHeader::Forwarded);
        for (address, tls, (name, header), value, clear) in [
            ("203.0.113.9:1", false, x, "", true),
            ("203.0.113.9:1", false, x, "https", true),
            ("203.0.113.9:1", true, x, "http", false),
            ("127.0.0.1:1", false, x, "", false),
            ("[::ffff:127.0.0.1]:1", false, x, "", false),
            ("10.0.0.1:1", false, x, "", false),
            ("10.0.0.1:1", false, x, "https", false),
            ("10.0.0.1:1", false, x, "HTTP", true),
            ("10.0.0.1:1", true, x, "http, https", true),
            ("10.0.0.1:1", false, rfc, "for=1.1.1.1;Proto=http", true),
            (
                "10.0.0.1:1",
                false,
                rfc,
                "for=1.1.1.1;proto=\"https\"",
                false,
            ),
            ("10.0.0.1:1", false, rfc, "for=1.1.1.1", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            let proxies = Proxies {
                trusted: vec!["10.0.0.0/8".parse().unwrap()],
                header,
            };
            let address = address.parse().unwrap();
            assert_eq!(
                in_the_clear(Socket { address, tls }, &headers, &proxies),
                clear,
                "{address} {tls} {value}"
            );
        }
    }
}
