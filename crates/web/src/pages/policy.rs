//! The Content-Security-Policy of the pages, and the display of redirect URIs.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use url::{Host, Url};

/// For pages whose forms stay on this server. It allows stylesheets, images and forms of this server only.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// The policy of a page. `redirect_uri` is that of the proven request that the page belongs to: it must be registered.
///
/// Browsers apply `form-action` to every redirect after a form is submitted (CSP 3 section 6.4.1), those of the client's
/// callback included. So the pages of a proven request allow each https address: no one can know where a callback leads.
pub fn content_security_policy(redirect_uri: Option<&str>) -> Cow<'static, str> {
    let Some(url) = redirect_uri.and_then(|uri| Url::parse(uri).ok()) else {
        return Cow::Borrowed(CONTENT_SECURITY_POLICY);
    };
    let own = source(&url).map_or_else(String::new, |source| format!(" {source}"));
    let sources = format!("form-action 'self' https:{own};");
    Cow::Owned(CONTENT_SECURITY_POLICY.replace("form-action 'self';", &sources))
}

/// A redirect URI that is not https as source expressions (CSP 3 section 2.3.1). An app on this machine may redirect to
/// another of its ports. Source expressions cannot name IPv6 addresses.
fn source(url: &Url) -> Option<String> {
    match (url.scheme(), url.host()) {
        ("https", _) => None,
        ("http", Some(Host::Domain("localhost") | Host::Ipv4(Ipv4Addr::LOCALHOST))) => {
            Some("http://127.0.0.1:* http://localhost:*".to_owned())
        }
        ("http", Some(Host::Domain(host))) if is_host_name(host) => {
            Some(format!("http://{host}:*"))
        }
        ("http", Some(Host::Ipv4(address))) => Some(format!("http://{address}:*")),
        ("http", Some(Host::Domain(_))) => None,
        (scheme, _) => Some(format!("{scheme}:")),
    }
}

/// RFC 1123 section 2.1, and the underscore, which some names contain.
fn is_host_name(host: &str) -> bool {
    host.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// A redirect URI for display: host and port, or the scheme if it is not a web address.
pub fn destination(redirect_uri: &str) -> String {
    let Ok(url) = Url::parse(redirect_uri) else {
        return String::new();
    };
    // For a custom scheme, the host is meaningless and may mislead.
    let is_web = matches!(url.scheme(), "http" | "https");
    let authority = is_web.then(|| authority(&url)).flatten();
    authority.unwrap_or_else(|| url.scheme().to_owned())
}

/// Host, and port if it is not the default one.
fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(
        url.port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_action_allows_https_and_what_else_the_redirect_uri_needs() {
        const LOOPBACK: &str = " http://127.0.0.1:* http://localhost:*";
        for (redirect_uri, more) in [
            ("https://app.example.com:8443/cb?x=1", ""),
            ("http://127.0.0.1:49152/", LOOPBACK),
            ("http://localhost:3000/cb", LOOPBACK),
            ("http://app.localhost:3000/cb", " http://app.localhost:*"),
            ("http://127.0.0.2:3000/cb", " http://127.0.0.2:*"),
            ("http://[::1]:49152/cb", " http:"),
            ("com.example.app:/cb", " com.example.app:"),
            ("com.example.app://cb/x", " com.example.app:"),
        ] {
            assert_eq!(
                content_security_policy(Some(redirect_uri)),
                format!(
                    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' https:{more}; \
                     frame-ancestors 'none'; base-uri 'none'"
                ),
            );
        }
        assert_eq!(content_security_policy(None), CONTENT_SECURITY_POLICY);
    }

    #[test]
    fn a_redirect_uri_cannot_inject_into_the_policy() {
        let allowed = CONTENT_SECURITY_POLICY.replace("'self'; frame", "'self' https:; frame");
        for redirect_uri in [
            "https://a;script-src*/",
            "https://a,b/",
            "https://*.example.com/",
            "http://a;script-src*/",
            "http://*.localhost/",
        ] {
            let policy = content_security_policy(Some(redirect_uri));
            assert!(
                policy == allowed || policy == CONTENT_SECURITY_POLICY,
                "{policy}"
            );
        }
        for redirect_uri in ["app://a;script-src%20*/", "/cb", ""] {
            let policy = content_security_policy(Some(redirect_uri));
            assert!(
                !policy.contains("script-src") && !policy.contains('*'),
                "{policy}"
            );
        }
    }

    #[test]
    fn the_destination_is_the_host_or_the_scheme() {
        for (redirect_uri, expected) in [
            ("https://app.example.com/cb", "app.example.com"),
            ("http://[::1]:49152/cb", "[::1]:49152"),
            ("com.example.app:/cb", "com.example.app"),
            ("com.example.app://bank.example/cb", "com.example.app"),
        ] {
            assert_eq!(destination(redirect_uri), expected);
        }
    }
}
