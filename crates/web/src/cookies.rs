//! Our cookies: `__Host-` names under https, never readable by scripts, never sent from other sites' forms.

use std::time::Duration;

use grantor_core::base::secret::Secret;
use http::{HeaderMap, HeaderValue, header};

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The session.
    Session,
    /// Before sign-in: what the form token of the sign-in form is bound to.
    PreSession,
    /// That this browser signed in before.
    KnownBrowser,
}

/// The cookies of one realm.
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
        };
        format!("{prefix}grantor-{}{suffix}", self.realm)
    }

    /// A cookie that the browser sent. Of two with one name, neither is taken: one was planted.
    pub(crate) fn get(&self, headers: &HeaderMap, cookie: Cookie) -> Option<Secret> {
        let name = format!("{}=", self.name(cookie));
        // Cookies of other applications of this host may hold any bytes, and are none of ours to read.
        let headers = headers.get_all(header::COOKIE).into_iter();
        let mut found = headers
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes()));
        let value = std::str::from_utf8(found.next()?).ok()?;
        found.next().is_none().then(|| Secret::new(value))
    }

    /// A header that sets a cookie for as long as the browser runs, or for this long.
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

    /// A header that removes a cookie.
    pub(crate) fn remove(&self, cookie: Cookie) -> Option<HeaderValue> {
        self.set(cookie, "", Some(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_https_a_cookie_is_bound_to_the_host() {
        let cookies = Cookies::new("default", "https://id.example.com");
        let set = cookies.set(Cookie::Session, "v", None).unwrap();
        assert_eq!(
            set.to_str().unwrap(),
            "__Host-grantor-default=v; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn a_cookie_of_another_application_that_is_no_text_locks_nobody_out() {
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
    fn of_two_cookies_with_one_name_neither_is_taken() {
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
