//! Redirect URIs (RFC 6749 section 3.1.2): which may be registered, and how requests match them.

use std::fmt;
use std::str::FromStr;

use grantor_jose::is_loopback_host;
use url::Url;

const MAX_URI_BYTES: usize = 2048;
/// Schemes that run or show the sender's content instead of opening an app.
const DANGEROUS: [&str; 7] = [
    "about",
    "blob",
    "data",
    "file",
    "filesystem",
    "javascript",
    "vbscript",
];
/// RFC 8252 section 7.3. Not `localhost`, which may resolve to another address (section 8.3).
const LOOPBACK: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];

/// A registered redirect URI, exactly as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedirectUri(String);

/// Why a redirect URI is invalid. The texts are public and contain no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedirectUri {
    #[error("is longer than 2048 bytes")]
    Long,
    /// RFC 3986 section 2. Browsers interpret other characters differently.
    #[error("contains a character that is not allowed in a URI: write it as %XX")]
    Character,
    /// No scheme, or no host.
    #[error("is not an absolute URI")]
    NotAbsolute,
    /// RFC 6749 section 3.1.2: "The endpoint URI MUST NOT include a fragment component."
    #[error("has a fragment")]
    Fragment,
    /// The host of `https://good.example@evil.example` is `evil.example`.
    #[error("has a user name in front of the host")]
    UserInfo,
    #[error("has a scheme that cannot be redirected to")]
    Scheme,
    /// RFC 9700 section 2.6: "the authorization server MUST NOT allow redirect URIs that use the http scheme except for
    /// native clients that use loopback interface redirection".
    #[error("is http on another machine: use https")]
    PlainHttp,
}

impl RedirectUri {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// RFC 9700 section 4.1.3: authorization servers "MUST utilize exact string matching except for port numbers in
    /// localhost redirection URIs of native apps". Nothing is normalised, so parsers cannot disagree.
    #[must_use]
    pub fn accepts(&self, asked: &str) -> bool {
        if self.0 == asked {
            return true;
        }
        // RFC 8252 section 7.3: "The authorization server MUST allow any port to be specified at the time of the
        // request for loopback IP redirect URIs".
        match (without_port(&self.0), without_port(asked)) {
            (Some(own), Some(asked)) => own == asked,
            _ => false,
        }
    }
}

/// The address and the part after the port of a loopback redirect URI.
fn without_port(uri: &str) -> Option<(&'static str, &str)> {
    let (address, after) = LOOPBACK
        .iter()
        .find_map(|address| Some((*address, uri.strip_prefix(address)?)))?;
    let rest = match after.strip_prefix(':') {
        None => after,
        Some(after) => {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (port, rest) = after.split_at(digits);
            // Only the canonical form of a port: no leading zeros, at most 65535.
            let canonical = port.parse::<u16>().ok().filter(|port| *port > 0)?;
            (canonical.to_string() == port).then_some(rest)?
        }
    };
    // Anything else would be part of the host: 127.0.0.1.evil.example.
    matches!(rest.as_bytes().first(), None | Some(b'/' | b'?')).then_some((address, rest))
}

impl FromStr for RedirectUri {
    type Err = InvalidRedirectUri;

    fn from_str(text: &str) -> Result<Self, InvalidRedirectUri> {
        if text.len() > MAX_URI_BYTES {
            return Err(InvalidRedirectUri::Long);
        }
        if !text.bytes().all(is_uri_character) {
            return Err(InvalidRedirectUri::Character);
        }
        let url = Url::parse(text).map_err(|_| InvalidRedirectUri::NotAbsolute)?;
        if text.contains('#') {
            return Err(InvalidRedirectUri::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidRedirectUri::UserInfo);
        }
        if DANGEROUS.contains(&url.scheme()) {
            return Err(InvalidRedirectUri::Scheme);
        }
        // The parser strips nothing before the scheme: spaces and control characters were refused above.
        let after_scheme = &text[url.scheme().len() + 1..];
        // As in RFC 3986 section 3. Browsers also accept `https:evil.example` and `https:///evil.example`.
        let has_authority = after_scheme
            .strip_prefix("//")
            .is_some_and(|rest| !rest.starts_with('/'));
        match (url.scheme(), url.host_str()) {
            ("http" | "https", _) if !has_authority => Err(InvalidRedirectUri::NotAbsolute),
            ("http", Some(host)) if !is_loopback_host(host) => Err(InvalidRedirectUri::PlainHttp),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

/// RFC 3986 sections 2.1 to 2.3.
fn is_uri_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uri(text: &str) -> RedirectUri {
        text.parse().unwrap()
    }

    #[test]
    fn rfc6749_3_1_2_a_redirect_uri_is_absolute_and_has_no_fragment() {
        use InvalidRedirectUri as Why;
        for right in [
            "https://app.example/callback",
            "https://app.example/callback?tenant=a%20b",
            "https://[2001:db8::1]:8443/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:3000/cb",
            "http://localhost:3000/cb",
            "com.example.app:/callback",
        ] {
            assert_eq!(uri(right).as_str(), right);
        }
        for (wrong, why) in [
            ("", Why::NotAbsolute),
            ("/callback", Why::NotAbsolute),
            ("https:app.example/cb", Why::NotAbsolute),
            ("https:app.example/?x=://", Why::NotAbsolute),
            ("https:///app.example/cb", Why::NotAbsolute),
            ("https://", Why::NotAbsolute),
            ("https://app.example/#x", Why::Fragment),
            ("https://app.example/cb#", Why::Fragment),
            ("https://good.example@evil.example/", Why::UserInfo),
            ("https://:x@evil.example/", Why::UserInfo),
            ("javascript:alert(1)", Why::Scheme),
            ("data:text/html,x", Why::Scheme),
            ("http://app.example/cb", Why::PlainHttp),
            ("http://127.0.0.1.evil.example/cb", Why::PlainHttp),
            ("https://app.example/a b", Why::Character),
            ("https://app.example\\cb", Why::Character),
            ("https://app.example/\u{e9}", Why::Character),
            ("https://app.example/\n", Why::Character),
        ] {
            assert_eq!(wrong.parse::<RedirectUri>(), Err(why), "{wrong:?}");
        }
        let long = format!("https://app.example/{}", "a".repeat(MAX_URI_BYTES));
        assert_eq!(long.parse::<RedirectUri>(), Err(Why::Long));
    }

    #[test]
    fn rfc9700_4_1_3_only_the_exact_string_matches() {
        let registered = uri("https://app.example/cb");
        assert!(registered.accepts("https://app.example/cb"));
        for other in [
            "https://app.example/cb/",
            "https://app.example/cb?",
            "https://app.example/CB",
            "https://APP.example/cb",
            "https://app.example:443/cb",
            "https://app.example/./cb",
            "https://app.example/%63b",
            "https://app.example/cb/../cb",
            "https://evil.example/cb",
            "http://app.example/cb",
            "",
        ] {
            assert!(!registered.accepts(other), "{other}");
        }
    }

    #[test]
    fn rfc8252_7_3_a_loopback_address_matches_with_any_port() {
        let registered = uri("http://127.0.0.1:3000/cb?x=1");
        for asked in ["http://127.0.0.1:61023/cb?x=1", "http://127.0.0.1/cb?x=1"] {
            assert!(registered.accepts(asked), "{asked}");
        }
        for asked in [
            "http://127.0.0.1:61023/cb",
            "http://127.0.0.1:0/cb?x=1",
            "http://127.0.0.1:065/cb?x=1",
            "http://127.0.0.1:65536/cb?x=1",
            "http://127.0.0.1:/cb?x=1",
            "http://127.0.0.1:+80/cb?x=1",
            "http://127.0.0.1:80@evil.example/cb?x=1",
            "http://127.0.0.1.evil.example/cb?x=1",
            "http://127.0.0.2:80/cb?x=1",
            "http://[::1]:80/cb?x=1",
            "https://127.0.0.1:80/cb?x=1",
        ] {
            assert!(!registered.accepts(asked), "{asked}");
        }
        assert!(uri("http://[::1]/cb").accepts("http://[::1]:5/cb"));
        assert!(uri("http://127.0.0.1").accepts("http://127.0.0.1:5"));
        // RFC 8252 section 8.3: the name may not resolve to loopback.
        assert!(!uri("http://localhost:3000/cb").accepts("http://localhost:3001/cb"));
    }

    proptest! {
        #[test]
        fn a_valid_uri_is_kept_as_written_and_matches_itself(text in "[a-z]{1,6}:(//)?[!-~]{0,40}") {
            if let Ok(uri) = text.parse::<RedirectUri>() {
                prop_assert_eq!(uri.as_str(), &text);
                prop_assert!(uri.accepts(&text));
            }
        }

        #[test]
        fn only_the_port_of_a_loopback_address_may_differ(
            path in "(/[a-z]{0,3}){0,2}(\\?[a-z=]{0,4})?", asked in "http://(127\\.0\\.0\\.1|\\[::1\\]|localhost|a\\.example)[:@.]?[0-9a-z]{0,6}[ -~]{0,8}"
        ) {
            let registered = uri(&format!("http://127.0.0.1{path}"));
            if registered.accepts(&asked) {
                let asked = Url::parse(&asked)?;
                prop_assert_eq!(asked.host_str(), Some("127.0.0.1"));
                prop_assert!(asked.username().is_empty() && asked.password().is_none());
                let own = Url::parse(registered.as_str())?;
                prop_assert_eq!((asked.path(), asked.query()), (own.path(), own.query()));
            }
        }
    }
}
