//! The Content-Security-Policy of the pages, and where a redirect URI leads.

use std::borrow::Cow;

use url::{Host, Url};

/// For every page whose forms stay here: our own stylesheet, images and forms, and nothing else. No script, no frame,
/// no base.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// As [`CONTENT_SECURITY_POLICY`], for a page whose form leads on to addresses of a client: browsers hold the redirects
/// that answer a form to `form-action` too, and those that follow them (CSP 3 section 6.4.1).
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

/// A redirect URI as a source expression (CSP 3 section 2.3.1): its origin; its scheme where it has no host, or one that
/// cannot be written there, which an IPv6 address cannot. `None` for what would say more than one thing in a header.
fn source(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    let scheme = url.scheme();
    match url.host() {
        Some(Host::Domain(host)) if !is_host_name(host) => None,
        Some(Host::Domain(_) | Host::Ipv4(_)) => Some(format!("{scheme}://{}", authority(&url)?)),
        Some(Host::Ipv6(_)) | None => Some(format!("{scheme}:")),
    }
}

/// RFC 1123 section 2.1, and the underscore that some names have.
fn is_host_name(host: &str) -> bool {
    host.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Where a redirect URI leads, for people: host and port, or the scheme of an app where there is no host.
pub fn destination(redirect_uri: &str) -> String {
    let Ok(url) = Url::parse(redirect_uri) else {
        return String::new();
    };
    // What stands where a host would says nothing of an app with a scheme of its own.
    let of_the_web = matches!(url.scheme(), "http" | "https");
    let authority = of_the_web.then(|| authority(&url)).flatten();
    authority.unwrap_or_else(|| url.scheme().to_owned())
}

/// Host, and port where it is not the scheme's own.
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
    fn a_form_may_lead_to_the_origin_of_the_redirect_uri_and_nowhere_else() {
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
    fn no_redirect_uri_adds_a_rule_of_its_own() {
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
    fn people_are_told_the_host() {
        for (redirect_uri, told) in [
            ("https://app.example.com/cb", "app.example.com"),
            ("http://[::1]:49152/cb", "[::1]:49152"),
            ("com.example.app:/cb", "com.example.app"),
            ("com.example.app://bank.example/cb", "com.example.app"),
        ] {
            assert_eq!(destination(redirect_uri), told);
        }
    }
}
