//! The server's cookies: bound to the issuer, not readable by scripts, not sent with POSTs from other sites.

use std::time::Duration;

use aws_lc_rs::digest;
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

impl Cookie {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Session => "",
            Self::PreSession => "-pre",
            Self::KnownBrowser => "-known",
            Self::FoundDevice => "-device",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Cookies {
    /// With the issuer's hash: browsers keep cookies by host, whatever the port, and several issuers may share one.
    base: String,
    /// What versions before named them: the same for all issuers of a host.
    earlier_base: String,
    secure: bool,
    path: String,
}

impl Cookies {
    /// `path` is the issuer's, without a slash at its end.
    pub(crate) fn new(realm: &str, issuer: &str, path: &str) -> Self {
        let secure = issuer.starts_with("https:");
        // RFC 6265bis section 4.1.3: `__Host-` binds a cookie to this host and to the path `/`; browsers take both under https
        // only.
        let prefix = match (secure, path.is_empty()) {
            (false, _) => "",
            (true, true) => "__Host-",
            (true, false) => "__Secure-",
        };
        let earlier_prefix = if secure { "__Host-" } else { "" };
        let digest = digest::digest(&digest::SHA256, issuer.as_bytes());
        let hash = digest.as_ref().iter().take(6);
        let hash: String = hash.map(|byte| format!("{byte:02x}")).collect();
        Self {
            base: format!("{prefix}grantor-{hash}"),
            earlier_base: format!("{earlier_prefix}grantor-{realm}"),
            secure,
            path: if path.is_empty() { "/" } else { path }.to_owned(),
        }
    }

    fn name(&self, cookie: Cookie) -> String {
        format!("{}{}", self.base, cookie.suffix())
    }

    fn earlier_name(&self, cookie: Cookie) -> String {
        format!("{}{}", self.earlier_base, cookie.suffix())
    }

    /// The value that the browser sent. If there are two, both are ignored, since one may have been planted. One of the
    /// earlier name counts only where none of the present one came, and it is sealed: no one can plant what opens.
    pub(crate) fn get(&self, headers: &HeaderMap, cookie: Cookie) -> Option<Secret> {
        let is_sealed = matches!(cookie, Cookie::Session | Cookie::KnownBrowser);
        match values(headers, &self.name(cookie)) {
            Sent::None if is_sealed => self.get_earlier(headers, cookie),
            sent => sent.only(),
        }
    }

    /// The one of the earlier name, beside which there may be one of the present name.
    pub(crate) fn get_earlier(&self, headers: &HeaderMap, cookie: Cookie) -> Option<Secret> {
        values(headers, &self.earlier_name(cookie)).only()
    }

    /// A `Set-Cookie` value. Without `max_age` the cookie lasts until the browser closes.
    pub(crate) fn set(
        &self,
        cookie: Cookie,
        value: &str,
        max_age: Option<Duration>,
    ) -> Option<HeaderValue> {
        self.header(&self.name(cookie), &self.path, value, max_age)
    }

    pub(crate) fn remove(&self, cookie: Cookie) -> Option<HeaderValue> {
        self.set(cookie, "", Some(Duration::ZERO))
    }

    pub(crate) fn remove_earlier(&self, cookie: Cookie) -> Option<HeaderValue> {
        let name = self.earlier_name(cookie);
        self.header(&name, "/", "", Some(Duration::ZERO))
    }

    fn header(
        &self,
        name: &str,
        path: &str,
        value: &str,
        max_age: Option<Duration>,
    ) -> Option<HeaderValue> {
        let age = max_age
            .map(|age| format!("; Max-Age={}", age.as_secs()))
            .unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}{age}");
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

enum Sent<'h> {
    None,
    One(&'h [u8]),
    Several,
}

impl Sent<'_> {
    fn only(self) -> Option<Secret> {
        match self {
            Self::One(value) => std::str::from_utf8(value).ok().map(Secret::new),
            Self::None | Self::Several => None,
        }
    }
}

fn values<'h>(headers: &'h HeaderMap, name: &str) -> Sent<'h> {
    // Other applications on this host may set cookies that are not UTF-8.
    let headers = headers.get_all(header::COOKIE).into_iter();
    let mut values = headers
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
            value.strip_prefix(b"=")
        });
    match (values.next(), values.next()) {
        (None, _) => Sent::None,
        (Some(value), None) => Sent::One(value),
        (Some(_), Some(_)) => Sent::Several,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_https_cookie_is_bound_to_the_host() {
        let cookies = Cookies::new("default", "https://id.example.com", "");
        let set = cookies.set(Cookie::Session, "v", None).unwrap();
        assert_eq!(
            set.to_str().unwrap(),
            "__Host-grantor-3d38e146cf9f=v; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
    }

    /// A path cannot have `__Host-`, so the cookie is kept to the path.
    #[test]
    fn a_cookie_of_an_issuer_with_a_path_is_kept_to_that_path() {
        let cookies = Cookies::new("default", "https://id.example.com/auth", "/auth");
        let set = cookies.set(Cookie::PreSession, "v", None).unwrap();
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Secure-grantor-"), "{set}");
        assert!(
            set.ends_with("-pre=v; Path=/auth; HttpOnly; SameSite=Lax; Secure"),
            "{set}"
        );
    }

    #[test]
    fn issuers_of_one_host_have_cookies_of_their_own() {
        let of = |issuer, path| Cookies::new("default", issuer, path);
        let names: std::collections::BTreeSet<_> = [
            of("http://127.0.0.1:8080", ""),
            of("http://127.0.0.1:8081", ""),
            of("https://id.example.com", ""),
            of("https://id.example.com:8443", ""),
            of("https://id.example.com/a", "/a"),
            of("https://id.example.com/a/b", "/a/b"),
        ]
        .iter()
        .map(|cookies| cookies.name(Cookie::Session))
        .collect();
        assert_eq!(names.len(), 6, "{names:?}");
    }

    #[test]
    fn an_earlier_name_counts_only_where_none_of_the_present_name_came() {
        let cookies = Cookies::new("default", "https://id.example.com", "");
        let get = |sent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, sent.parse().unwrap());
            let value = cookies.get(&headers, Cookie::Session);
            value.map(|value| value.reveal().to_owned())
        };
        let (old, new) = ("__Host-grantor-default", "__Host-grantor-3d38e146cf9f");
        assert_eq!(get(&format!("{old}=a")).as_deref(), Some("a"));
        assert_eq!(get(&format!("{old}=a; {new}=b")).as_deref(), Some("b"));
        assert_eq!(get(&format!("{new}=b; {old}=a")).as_deref(), Some("b"));
        // One of the two was planted: the earlier one is no way around that.
        assert_eq!(get(&format!("{old}=a; {new}=b; {new}=c")), None);
        assert_eq!(get(&format!("{old}=a; {old}=b")), None);
        assert_eq!(get(&format!("{old}-pre=a; grantor-default=b")), None);
    }

    #[test]
    fn cookies_of_other_applications_that_are_not_utf8_are_skipped() {
        let cookies = Cookies::new("default", "http://127.0.0.1", "");
        let mut headers = HeaderMap::new();
        let name = cookies.name(Cookie::Session);
        let sent = format!("theirs=caf@; {name}=x; @=1; {name}-pre=@").into_bytes();
        let sent: Vec<u8> = (sent.into_iter())
            .map(|byte| if byte == b'@' { 0xff } else { byte })
            .collect();
        headers.insert(header::COOKIE, HeaderValue::from_bytes(&sent).unwrap());
        assert_eq!(
            cookies.get(&headers, Cookie::Session).unwrap().reveal(),
            "x"
        );
        assert!(cookies.get(&headers, Cookie::PreSession).is_none());
    }

    #[test]
    fn a_cookie_that_is_sent_twice_is_ignored() {
        let cookies = Cookies::new("default", "http://127.0.0.1", "");
        let name = cookies.name(Cookie::Session);
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            format!("a=1; {name}=x; {name}-pre=y").parse().unwrap(),
        );
        assert_eq!(
            cookies.get(&headers, Cookie::Session).unwrap().reveal(),
            "x"
        );
        headers.append(header::COOKIE, format!("{name}=z").parse().unwrap());
        assert!(cookies.get(&headers, Cookie::Session).is_none());
    }
}
