//! The Content-Security-Policy of the pages, and the display of redirect URIs.

use std::borrow::Cow;

use url::{Host, Url};

/// For pages whose forms stay on this server. It allows stylesheets, images and forms of this server only.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// As [`CONTENT_SECURITY_POLICY`], for a page whose form redirects to a client. Browsers apply `form-action` to all
/// redirects after a form is submitted (CSP 3 section 6.4.1).
pub fn content_security_policy(form_targets: &[String]) -> Cow<'static, str> {
    let mut sources: Vec<String> = form_targets.iter().filter_map(|uri| source(uri)).collect();
    sources.sort_unstable();
    sources.dedup();
    if sources.is_empty() {
        return Cow::Borrowed(CONTENT_SECURITY_POLICY);
    }
    Cow::Owned(CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'",
        &format!("form-action 'self' {}", sources.join(" ")),
    ))
}

/// A redirect URI as a source expression (CSP 3 section 2.3.1): its origin, or only its scheme if it has no host or an
/// IPv6 address, which source expressions do not support. `None` if it could inject another expression or directive.
fn source(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    let scheme = url.scheme();
    match url.host() {
        Some(Host::Domain(host)) if !is_host_name(host) => None,
        Some(Host::Domain(_) | Host::Ipv4(_)) => Some(format!("{scheme}://{}", authority(&url)?)),
        Some(Host::Ipv6(_)) | None => Some(format!("{scheme}:")),
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
    fn form_action_allows_only_the_origin_of_the_redirect_uri() {
        for (redirect_uri, source) in [
            ("https://app.example.com/cb?x=1", "https://app.example.com"),
            (
                "https://app.example.com:8443/cb",
                "https://app.example.com:8443",
            ),
            ("http://127.0.0.1:49152/", "http://127.0.0.1:49152"),
            ("http://localhost:3000/cb", "http://localhost:3000"),
            ("http://[::1]:49152/cb", "http:"),
            ("com.example.app:/cb", "com.example.app:"),
            ("com.example.app://cb/x", "com.example.app://cb"),
        ] {
            assert_eq!(
                content_security_policy(&[redirect_uri.to_owned()]),
                format!(
                    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {source}; \
                     frame-ancestors 'none'; base-uri 'none'"
                ),
            );
        }
    }

    #[test]
    fn a_redirect_uri_cannot_inject_into_the_policy() {
        for redirect_uri in [
            "https://a;script-src*/",
            "https://a,b/",
            "https://*.example.com/",
            "app://a;script-src%20*/",
            "/cb",
            "",
        ] {
            assert_eq!(
                content_security_policy(&[redirect_uri.to_owned()]),
                CONTENT_SECURITY_POLICY,
                "{redirect_uri}"
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
