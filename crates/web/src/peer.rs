//! The client's address: that of the socket, or the one that a trusted proxy forwarded.

use std::net::{IpAddr, SocketAddr};

use grantor_core::base::peer::{ForwardedHeader, Peer};
use http::{HeaderMap, header};
use ipnet::IpNet;

use crate::request::Socket;

/// The reverse proxies in front of the server.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    pub trusted: Vec<IpNet>,
    /// The header that they set. Any other may come from clients and is ignored.
    pub header: ForwardedHeader,
}

impl Proxies {
    pub(crate) fn is_trusted(&self, address: &IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(address))
    }
}

/// The peer of a request: from the right of the forwarded addresses, the first one that is not a trusted proxy's.
pub(crate) fn from_request(socket: SocketAddr, headers: &HeaderMap, proxies: &Proxies) -> Peer {
    let mut address = socket.ip().to_canonical();
    for hop in forwarded(headers, proxies.header).into_iter().rev() {
        if !proxies.is_trusted(&address) {
            break;
        }
        // A hop without an address (`unknown`, a name): the rest cannot be trusted.
        let Some(hop) = hop else { break };
        address = hop;
    }
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    Peer::new(address, agent.unwrap_or_default())
}

/// Whether the client's request was sent without TLS, directly or to a proxy that reports it.
pub(crate) fn is_plaintext(socket: Socket, headers: &HeaderMap, proxies: &Proxies) -> bool {
    let address = socket.address.ip().to_canonical();
    if proxies.is_trusted(&address) {
        scheme(headers, proxies.header).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
    } else {
        !socket.tls && !address.is_loopback()
    }
}

/// The scheme of the request to the outermost proxy, if known. A client may forge it, but can only cause a refusal of
/// its own request.
fn scheme(headers: &HeaderMap, header: ForwardedHeader) -> Option<&str> {
    let name = match header {
        ForwardedHeader::XForwardedFor => "x-forwarded-proto",
        ForwardedHeader::Forwarded => "forwarded",
    };
    let first = headers.get(name)?.to_str().ok()?.split(',').next()?;
    match header {
        ForwardedHeader::XForwardedFor => Some(first.trim()),
        ForwardedHeader::Forwarded => parameter(first, "proto="),
    }
}

/// The forwarded hops in order; `None` for one that is not an address. Each is parsed on its own: clients can put
/// anything before those of the proxies, even bytes that are not text.
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
    parameter(element, "for=").and_then(address)
}

/// The value after `name=` in an element of `Forwarded`.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = element.split(';').map(str::trim);
    let value = pairs.find_map(|pair| {
        let (start, value) = pair.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some(value)
    });
    value.map(|value| value.trim_matches('"'))
}

/// Parses an address with or without quotes, brackets and port.
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

    fn client_address(socket: &str, name: &'static str, value: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let header = match name {
            "forwarded" => ForwardedHeader::Forwarded,
            _ => ForwardedHeader::XForwardedFor,
        };
        address_behind(header, socket, &headers)
    }

    fn address_behind(header: ForwardedHeader, socket: &str, headers: &HeaderMap) -> String {
        let proxies = Proxies {
            trusted: vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
            header,
        };
        from_request(format!("{socket}:1").parse().unwrap(), headers, &proxies)
            .address
            .to_string()
    }

    #[test]
    fn only_addresses_from_trusted_proxies_are_used() {
        assert_eq!(
            client_address("203.0.113.9", "x-forwarded-for", "1.1.1.1"),
            "203.0.113.9"
        );
        assert_eq!(
            client_address("10.0.0.1", "x-forwarded-for", "1.1.1.1"),
            "1.1.1.1"
        );
        assert_eq!(
            client_address("10.0.0.1", "x-forwarded-for", "6.6.6.6, 1.1.1.1, 10.0.0.2"),
            "1.1.1.1"
        );
        assert_eq!(
            client_address("10.0.0.1", "x-forwarded-for", "6.6.6.6, unknown"),
            "10.0.0.1"
        );
    }

    #[test]
    fn a_header_that_the_proxies_do_not_set_is_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", "for=6.6.6.6".parse().unwrap());
        headers.insert("x-forwarded-for", "1.1.1.1".parse().unwrap());
        for (header, address) in [
            (ForwardedHeader::XForwardedFor, "1.1.1.1"),
            (ForwardedHeader::Forwarded, "6.6.6.6"),
        ] {
            assert_eq!(address_behind(header, "10.0.0.1", &headers), address);
        }
    }

    #[test]
    fn bytes_that_are_not_text_do_not_hide_later_addresses() {
        let mut headers = HeaderMap::new();
        let value = http::HeaderValue::from_bytes(b"\xff, 1.1.1.1").unwrap();
        headers.insert("x-forwarded-for", value);
        let header = ForwardedHeader::XForwardedFor;
        assert_eq!(address_behind(header, "10.0.0.1", &headers), "1.1.1.1");
    }

    #[test]
    fn rfc7239_forwarded_is_parsed() {
        assert_eq!(
            client_address("10.0.0.1", "forwarded", "for=1.1.1.1;proto=https"),
            "1.1.1.1"
        );
        assert_eq!(
            client_address(
                "10.0.0.1",
                "forwarded",
                "proto=https;For=\"[2001:db8::7]:4711\""
            ),
            "2001:db8::7"
        );
        assert_eq!(
            client_address("[::1]", "forwarded", "for=6.6.6.6, for=1.1.1.1:80"),
            "1.1.1.1"
        );
    }

    #[test]
    fn plaintext_is_detected_by_the_socket_or_the_header_of_a_proxy() {
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
                is_plaintext(Socket { address, tls }, &headers, &proxies),
                clear,
                "{address} {tls} {value}"
            );
        }
    }
}
