//! Redirect URIs (RFC 6749 section 3.1.2): which may be registered, and how requests match them.

use std::fmt;
use std::str::FromStr;

use grantor_jose::is_loopback_host;
use url::{Url, form_urlencoded};

const MAX_URI_BYTES: usize = 2048;
/// Schemes that no client's app receives: those that run or show the sender's content, and those that are for a program of
/// the user's choice (HTML, "safelisted scheme", and their like).
const NOT_AN_APPS: [&str; 39] = [
    "about",
    "bitcoin",
    "blob",
    "callto",
    "data",
    "file",
    "filesystem",
    "ftp",
    "ftps",
    "geo",
    "gopher",
    "im",
    "irc",
    "ircs",
    "javascript",
    "ldap",
    "magnet",
    "mailto",
    "matrix",
    "mms",
    "news",
    "nntp",
    "openpgp4fpr",
    "sftp",
    "sip",
    "sips",
    "sms",
    "smsto",
    "ssh",
    "tel",
    "telnet",
    "urn",
    "vbscript",
    "view-source",
    "webcal",
    "ws",
    "wss",
    "wtai",
    "xmpp",
];
/// RFC 8252 section 7.3.
const LOOPBACK: [&str; 3] = ["http://127.0.0.1", "http://[::1]", LOCALHOST];
/// It may resolve to another address (RFC 8252 section 8.3), so a port that was registered stays.
const LOCALHOST: &str = "http://localhost";
/// What an authorization response adds to the query (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207 section 2).
pub const RESPONSE_PARAMETERS: [&str; 6] = [
    "code",
    "error",
    "error_description",
    "error_uri",
    "iss",
    "state",
];

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
    #[error(
        "has a scheme that cannot be redirected to: write https, or one of the app's own, such as com.example.app"
    )]
    Scheme,
    /// RFC 9700 section 4.1.3: patterns let an attacker choose the address.
    #[error("has a wildcard for the host, and addresses are compared as text: write each one")]
    HostPattern,
    #[error("has a wildcard for the port: leave it out, and a loopback address takes any port")]
    PortPattern,
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
        match (Loopback::parse(&self.0), Loopback::parse(asked)) {
            (Some(own), Some(asked)) => {
                own.takes_any_port() && (own.host, own.rest) == (asked.host, asked.rest)
            }
            _ => false,
        }
    }

    /// One of these names that the query has, so that a response with it would have it twice.
    #[must_use]
    pub fn has_parameter<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        let (_, query) = self.0.split_once('?')?;
        let mut found = form_urlencoded::parse(query.as_bytes());
        found.find_map(|(name, _)| names.iter().find(|known| **known == name).copied())
    }

    /// A scheme of an app's own, without a domain in it.
    #[must_use]
    pub fn undotted_scheme(&self) -> Option<&str> {
        let (scheme, _) = self.0.split_once(':')?;
        let is_web = ["http", "https"]
            .iter()
            .any(|web| scheme.eq_ignore_ascii_case(web));
        (!is_web && !scheme.contains('.')).then_some(scheme)
    }
}

/// Whether `own` is a loopback origin without a port, and `asked` is of the same host.
#[must_use]
pub fn is_same_loopback_host(own: &str, asked: &str) -> bool {
    match (Loopback::parse(own), Loopback::parse(asked)) {
        (Some(own), Some(asked)) => {
            own.port.is_none() && own.host == asked.host && (own.rest, asked.rest) == ("", "")
        }
        _ => false,
    }
}

/// An http URI of a loopback host.
struct Loopback<'u> {
    host: &'static str,
    port: Option<u16>,
    /// What follows the port.
    rest: &'u str,
}

impl<'u> Loopback<'u> {
    fn parse(uri: &'u str) -> Option<Self> {
        let (host, after) = LOOPBACK
            .iter()
            .find_map(|host| Some((*host, uri.strip_prefix(host)?)))?;
        let (port, rest) = match after.strip_prefix(':') {
            None => (None, after),
            Some(after) => {
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                let (text, rest) = after.split_at(digits);
                // Only the canonical form of a port: no leading zeros, at most 65535.
                let port = text.parse::<u16>().ok().filter(|port| *port > 0)?;
                (Some((port.to_string() == text).then_some(port)?), rest)
            }
        };
        // Anything else would be part of the host: 127.0.0.1.evil.example.
        let is_whole = matches!(rest.as_bytes().first(), None | Some(b'/' | b'?'));
        is_whole.then_some(Self { host, port, rest })
    }

    /// RFC 8252 section 7.3: "The authorization server MUST allow any port to be specified at the time of the request for
    /// loopback IP redirect URIs".
    fn takes_any_port(&self) -> bool {
        self.host != LOCALHOST || self.port.is_none()
    }
}

/// RFC 3986 section 3.2, as text: a parser refuses some of what is looked for.
fn authority(uri: &str) -> &str {
    let after = uri.split_once("://").map_or("", |(_, after)| after);
    after.split(['/', '?', '#']).next().unwrap_or_default()
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
        let host = match authority(text).strip_suffix(":*") {
            Some(host) if !host.contains('*') => return Err(InvalidRedirectUri::PortPattern),
            _ => authority(text),
        };
        if host.contains('*') || host.starts_with('.') {
            return Err(InvalidRedirectUri::HostPattern);
        }
        let url = Url::parse(text).map_err(|_| InvalidRedirectUri::NotAbsolute)?;
        if text.contains('#') {
            return Err(InvalidRedirectUri::Fragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidRedirectUri::UserInfo);
        }
        if NOT_AN_APPS.contains(&url.scheme()) {
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
pub(super) fn is_uri_character(byte: u8) -> bool {
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
            ("mailto:a@app.example", Why::Scheme),
            ("TEL:+15550100", Why::Scheme),
            ("sms:+15550100", Why::Scheme),
            ("file:///etc/passwd", Why::Scheme),
            ("wss://app.example/cb", Why::Scheme),
            ("ftp://app.example/cb", Why::Scheme),
            ("urn:ietf:wg:oauth:2.0:oob", Why::Scheme),
            ("https://*.app.example/cb", Why::HostPattern),
            ("https://*", Why::HostPattern),
            ("https://app.*/cb", Why::HostPattern),
            ("https://.app.example/cb", Why::HostPattern),
            ("https://*.app.example:*/cb", Why::HostPattern),
            ("com.example.app://*", Why::HostPattern),
            ("http://localhost:*/cb", Why::PortPattern),
            ("http://127.0.0.1:*", Why::PortPattern),
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
    }

    #[test]
    fn rfc9700_2_1_localhost_without_a_port_matches_with_any_port() {
        let registered = uri("http://localhost/cb?x=1");
        for asked in ["http://localhost:61023/cb?x=1", "http://localhost/cb?x=1"] {
            assert!(registered.accepts(asked), "{asked}");
        }
        for asked in [
            "http://localhost:61023/cb",
            "http://localhost:61023/cb?x=1&y=2",
            "http://localhost:0/cb?x=1",
            "http://localhost:080/cb?x=1",
            "http://localhost:65536/cb?x=1",
            "http://localhost:/cb?x=1",
            "http://localhost.evil.example/cb?x=1",
            "http://localhost.evil.example:80/cb?x=1",
            "http://localhost:80.evil.example/cb?x=1",
            "http://localhost@evil.example/cb?x=1",
            "http://localhost:80@evil.example/cb?x=1",
            "http://localhost:80#@evil.example/cb?x=1",
            "http://localhost\\@evil.example/cb?x=1",
            "http://evil.example/http://localhost/cb?x=1",
            "http://id.localhost/cb?x=1",
            "http://LOCALHOST:80/cb?x=1",
            "http://localhost./cb?x=1",
            "http://127.0.0.1:80/cb?x=1",
            "http://[::1]:80/cb?x=1",
            "https://localhost:80/cb?x=1",
        ] {
            assert!(!registered.accepts(asked), "{asked}");
        }
        // RFC 8252 section 8.3: the name may not resolve to loopback, so a port that was chosen stays.
        assert!(!uri("http://localhost:3000/cb").accepts("http://localhost:3001/cb"));
        assert!(!uri("http://localhost:80/cb").accepts("http://localhost/cb"));
        assert!(!uri("http://127.0.0.1/cb").accepts("http://localhost:5/cb"));
        assert!(!uri("http://id.localhost/cb").accepts("http://id.localhost:5/cb"));
    }

    #[test]
    fn a_loopback_origin_without_a_port_is_that_of_every_port() {
        for host in ["http://localhost", "http://127.0.0.1", "http://[::1]"] {
            assert!(is_same_loopback_host(host, &format!("{host}:5173")));
            for other in [
                "http://localhost.evil.example:5173".to_owned(),
                format!("{host}:5173/"),
                format!("{host}:5173@evil.example"),
                format!("{host}.evil.example"),
                "http://evil.example".to_owned(),
                "null".to_owned(),
            ] {
                assert!(!is_same_loopback_host(host, &other), "{other}");
            }
            assert!(!is_same_loopback_host(
                &format!("{host}:3000"),
                &format!("{host}:3001")
            ));
        }
        assert!(!is_same_loopback_host(
            "https://app.example",
            "https://app.example:8443"
        ));
    }

    #[test]
    fn what_a_response_adds_is_found_in_the_query_however_it_is_written() {
        let found = |text: &str| uri(text).has_parameter(&RESPONSE_PARAMETERS);
        for (text, name) in [
            ("https://app.example/cb?code=1", "code"),
            ("https://app.example/cb?x=1&st%61te", "state"),
            ("com.example.app:/cb?iss=x", "iss"),
            ("http://localhost/cb?x&error=", "error"),
        ] {
            assert_eq!(found(text), Some(name), "{text}");
        }
        for text in [
            "https://app.example/code/state",
            "https://app.example/cb?Code=1&xstate=code&code%20=1",
            "https://app.example/cb?",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn rfc8252_8_4_a_scheme_without_a_domain_is_known() {
        let found = |text: &str| uri(text).undotted_scheme().map(ToOwned::to_owned);
        assert_eq!(found("myapp:/cb").as_deref(), Some("myapp"));
        assert_eq!(found("myapp://a.example/cb").as_deref(), Some("myapp"));
        for text in ["com.example.app:/cb", "https://app/cb", "HTTP://127.0.0.1"] {
            assert_eq!(found(text), None, "{text}");
        }
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
            host in "(127\\.0\\.0\\.1|localhost)", path in "(/[a-z]{0,3}){0,2}(\\?[a-z=]{0,4})?", asked in "http://(127\\.0\\.0\\.1|\\[::1\\]|localhost|a\\.example)[:@.]?[0-9a-z]{0,6}[ -~]{0,8}"
        ) {
            let registered = uri(&format!("http://{host}{path}"));
            if registered.accepts(&asked) {
                let asked = Url::parse(&asked)?;
                prop_assert_eq!(asked.host_str(), Some(host.as_str()));
                prop_assert!(asked.username().is_empty() && asked.password().is_none());
                let own = Url::parse(registered.as_str())?;
                prop_assert_eq!((asked.path(), asked.query()), (own.path(), own.query()));
            }
        }
    }
}
