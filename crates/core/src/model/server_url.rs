//! URLs of other servers, to which requests and secrets are sent.

use std::fmt;
use std::str::FromStr;

use grantor_jose::is_loopback_host;
use url::Url;

pub use grantor_jose::is_loopback_address;

/// The URL of another server: https, or http on this machine. Without user information and fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    text: String,
    url: Url,
}

/// Why a text is no such URL. The texts do not repeat it: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidServerUrl {
    #[error("is not a URL")]
    NotAbsolute,
    #[error("is not an https URL")]
    Scheme,
    #[error("has a fragment")]
    Fragment,
    #[error("holds a user or password")]
    UserInfo,
    #[error("is http on a host that is not loopback; use https")]
    PlainHttp,
}

impl ServerUrl {
    /// The URL, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Whether its host is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.url.host_str().is_some_and(is_loopback_host)
    }
}

impl FromStr for ServerUrl {
    type Err = InvalidServerUrl;

    fn from_str(text: &str) -> Result<Self, InvalidServerUrl> {
        let url = Url::parse(text).map_err(|_| InvalidServerUrl::NotAbsolute)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidServerUrl::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidServerUrl::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(InvalidServerUrl::Fragment);
        }
        let url = Self {
            text: text.to_owned(),
            url,
        };
        if url.is_plain_http() && !url.is_loopback() {
            return Err(InvalidServerUrl::PlainHttp);
        }
        Ok(url)
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sent_by_https_or_stay_on_this_machine() {
        for valid in [
            "https://a.example/logout?x=1",
            "HTTP://localhost:3000",
            "http://id.localhost:8080/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert_eq!(valid.parse::<ServerUrl>().unwrap().as_str(), valid);
        }
        for (invalid, why) in [
            ("a.example", InvalidServerUrl::NotAbsolute),
            ("/logout", InvalidServerUrl::NotAbsolute),
            ("com.example.app:/logout", InvalidServerUrl::Scheme),
            ("https://a.example/#", InvalidServerUrl::Fragment),
            ("https://user@a.example", InvalidServerUrl::UserInfo),
            ("https://:secret@a.example", InvalidServerUrl::UserInfo),
            ("http://a.example", InvalidServerUrl::PlainHttp),
        ] {
            assert_eq!(invalid.parse::<ServerUrl>(), Err(why), "{invalid}");
        }
    }
}
