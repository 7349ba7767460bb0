//! URIs of resources, which are compared by their normal form: clients write `https://mcp.example.com` and
//! `https://mcp.example.com/`.

use std::borrow::Cow;

use url::{Position, Url};

use crate::model::redirect_uri::is_uri_character;

/// The normal form of a URI (RFC 3986 sections 6.2.2 and 6.2.3): lower case of scheme and host, no needless
/// percent-encoding, no dot segments, no default port, and a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NormalUri(String);

impl NormalUri {
    /// `None` where the text is no absolute URI. RFC 8707 section 2: it "MUST NOT include a fragment component".
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains('#') || !text.bytes().all(is_uri_character) {
            return None;
        }
        let text = decode_unreserved(text)?;
        let mut url = Url::parse(&text).ok()?;
        // The parser lowers the host of well-known schemes only.
        if let Some(host) = url.host_str().map(str::to_ascii_lowercase) {
            url.set_host(Some(&host)).ok()?;
        }
        // An empty query is not the same as none, but an empty path with an authority is (section 6.2.3).
        let needs_path = url.has_authority() && url.path().is_empty();
        let path = if needs_path { "/" } else { "" };
        let (before, after) = (&url[..Position::BeforePath], &url[Position::BeforePath..]);
        Some(Self(format!("{before}{path}{after}")))
    }
}

/// RFC 3986 section 6.2.2.2, and upper case of what stays encoded (section 6.2.2.1). `None` for a lone `%`.
fn decode_unreserved(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut parts = text.split('%');
    let mut decoded = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        // A sign is no digit.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        match byte {
            b'-' | b'.' | b'_' | b'~' => decoded.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => decoded.push(byte.into()),
            byte => decoded.push_str(&format!("%{byte:02X}")),
        }
        decoded.push_str(rest);
    }
    Some(Cow::Owned(decoded))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(one: &str, other: &str) -> bool {
        let normal = |text| NormalUri::parse(text).unwrap_or_else(|| panic!("{text} is no URI"));
        normal(one) == normal(other)
    }

    #[test]
    fn rfc3986_6_2_equivalent_uris_have_one_normal_form() {
        for (one, other) in [
            ("https://mcp.example.com", "https://mcp.example.com/"),
            ("https://mcp.example.com", "HTTPS://MCP.Example.com:443"),
            ("http://a.example:/x", "http://a.example:80/x"),
            (
                "https://a.example/%7Eb/%c3%a9",
                "https://a.example/~b/%C3%A9",
            ),
            ("https://a.example/b/../c", "https://a.example/./c"),
            ("https://a.example/%2e%2e/c", "https://a.example/c"),
            ("https://a.example?x", "https://a.example/?x"),
            ("api://Orders/Read", "API://orders/Read"),
            ("api://orders", "api://orders/"),
            ("urn:example:orders", "URN:example:orders"),
        ] {
            assert!(same(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn rfc3986_6_2_what_may_differ_stays_apart() {
        for (one, other) in [
            ("https://a.example/mcp", "https://a.example/mcp/"),
            ("https://a.example/mcp", "https://a.example/MCP"),
            ("https://a.example/", "http://a.example/"),
            ("https://a.example/", "https://a.example:8443/"),
            ("https://a.example/a%2Fb", "https://a.example/a/b"),
            ("https://a.example/?", "https://a.example/"),
            ("https://a.example/", "https://a.example.evil.example/"),
            ("https://a.example/", "https://a.example@evil.example/"),
            ("urn:example:orders", "urn:example:Orders"),
        ] {
            assert!(!same(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn rfc8707_2_texts_that_are_no_absolute_uri_have_no_normal_form() {
        for text in [
            "",
            "orders",
            "//a.example",
            "https://",
            "https://a.example/#x",
            "https://a.example\\@evil.example",
            "https://a example",
            "https://a.example/%",
            "https://a.example/%4",
            "https://a.example/%+1",
            "https://\u{e9}.example",
        ] {
            assert_eq!(NormalUri::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own(path in "(/([a-z.%~]|%[0-9a-f]{2}){0,4}){0,4}(\\?[a-z]{0,3})?") {
            if let Some(normal) = NormalUri::parse(&format!("https://A.example{path}")) {
                prop_assert_eq!(NormalUri::parse(&normal.0), Some(normal));
            }
        }
    }
}
