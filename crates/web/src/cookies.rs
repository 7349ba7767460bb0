//! The server's cookies: `__Host-` names under https, not readable by scripts, not sent with POSTs from other sites.

use std::time::Duration;

use grantor_core::base::secret::Secret;
use http::{HeaderMap, HeaderValue, header};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    Session,
    /// Before sign-in: the form token of the sign-in form is bound to it.
    PreSession,
    /// Marks a browser in which the user signed in before.
    KnownBrowser,
    /// The device that this browser looked up last.
    FoundDevice,
}

#[derive(Clone, Debug)]
pub(crate) struct Cookies {
    realm: String,
    secure: bool,
}

impl Cookies {
    pub(crate) fn new(realm: &str, issuer: &str) -> Self {
        Self {
            realm: realm.to_owned(),
            secure: issuer.starts_with("https:"),
        }
    }

    /// RFC 6265bis section 4.1.3.2: `__Host-` binds a cookie to this host, but browsers take it under https only.
    fn name(&self, cookie: Cookie) -> String {
        let prefix = if self.secure { "__Host-" } else { "" };
        let suffix = match cookie {
            Cookie::Session => "",
            Cookie::PreSession => "-pre",
            Cookie::KnownBrowser => "-known",
            Cookie::FoundDevice => "-device",
        };
        format!("{prefix}grantor-{}{suffix}", self.realm)
    }

    /// The value that the browser sent. If there are two, both are ignored, since one may have been planted.
    pub(crate) fn get(&self, headers: &HeaderMap, cookie: Cookie) -> Option<Secret> {
        let name = format!("{}=", self.name(cookie));
        // Other applications on this host may set cookies that are not UTF-8.
        let headers = headers.get_all(header::COOKIE).into_iter();
        let mut values = headers
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes()));
        let value = std::str::from_utf8(values.next()?).ok()?;
        values.next().is_none().then(|| Secret::new(value))
    }

    /// A `Set-Cookie` value. Without `max_age` the cookie lasts until the browser closes.
    pub(crate) fn set(
        &self,
        cookie: Cookie,
        value: &str,
        max_age: Option<Duration>,
    ) -> Option<HeaderValue> {
        let age = max_age
            .map(|age| format!("; Max-Age={}", age.as_secs()))
            .unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}",
            self.name(cookie)
        );
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    pub(crate) fn remove(&self, cookie: Cookie) -> Option<HeaderValue> {
        self.set(cookie, "", Some(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_https_cookie_is_bound_to_the_host() {
        let cookies = Cookies::new("default", "https://id.example.com");
        let set = cookies.set(Cookie::Session, "v", None).unwrap();
        assert_eq!(
            set.to_str().unwrap(),
            "__Host-grantor-default=v; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn cookies_of_other_applications_that_are_not_utf8_are_skipped() {
        let cookies = Cookies::new("default", "http://127.0.0.1");
        let mut headers = HeaderMap::new();
        let sent = b"theirs=caf\xe9; grantor-default=x; \xff=1; grantor-default-pre=\xff";
        headers.insert(header::COOKIE, HeaderValue::from_bytes(sent).unwrap());
        assert_eq!(
            cookies.get(&headers, Cookie::Session).unwrap().reveal(),
            "x"
        );
        assert!(cookies.get(&headers, Cookie::PreSession).is_none());
    }

    #[test]
    fn a_cookie_that_is_sent_twice_is_ignored() {
        let cookies = Cookies::new("default", "http://127.0.0.1");
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            "a=1; grantor-default=x; grantor-default-pre=y"
                .parse()
                .unwrap(),
        );
        assert_eq!(
            cookies.get(&headers, Cookie::Session).unwrap().reveal(),
            "x"
        );
        headers.append(header::COOKIE, "grantor-default=z".parse().unwrap());
        assert!(cookies.get(&headers, Cookie::Session).is_none());
    }
}
