//! Addresses that secrets may be sent to and keys may be fetched from.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use url::Url;

/// An https URL, or an http URL on loopback, whose traffic does not leave this machine. Without user information and
/// fragment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecureUrl(Url);

/// An issuer's identifier: a [`SecureUrl`] without a query.
///
/// It is compared with `iss` as text, without normalization (RFC 8414 section 3.3: "identical").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IssuerUrl {
    text: Arc<str>,
    url: SecureUrl,
}

/// The text is not such a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither an https URL nor an http URL on loopback, or has a part that is not allowed"
)]
pub struct UrlError(String);

impl AsRef<Url> for SecureUrl {
    fn as_ref(&self) -> &Url {
        &self.0
    }
}

impl FromStr for SecureUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let secure = Url::parse(text).ok().filter(|url| {
            (url.scheme() == "https" || is_loopback_http(url))
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
        secure.map(Self).ok_or_else(|| UrlError(text.to_owned()))
    }
}

impl IssuerUrl {
    /// The identifier as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Discovery section 4: "any terminating / MUST be removed before appending /.well-known/openid-configuration".
    #[cfg(feature = "fetch")]
    pub(crate) fn metadata_url(&self) -> Url {
        let mut url = self.url.0.clone();
        let path = url.path().trim_end_matches('/');
        let path = format!("{path}/.well-known/openid-configuration");
        url.set_path(&path);
        url
    }

    /// Parses an endpoint of the issuer's metadata. It may be on another host; http on loopback is allowed only if the
    /// issuer is on loopback too.
    #[cfg(feature = "fetch")]
    pub(crate) fn endpoint(&self, text: &str) -> Option<SecureUrl> {
        let url = text.parse::<SecureUrl>().ok()?;
        let is_allowed = url.0.scheme() == "https" || is_loopback_http(&self.url.0);
        is_allowed.then_some(url)
    }
}

impl FromStr for IssuerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let url = text.parse::<SecureUrl>()?;
        if url.0.query().is_some() {
            return Err(UrlError(text.to_owned()));
        }
        let text = text.into();
        Ok(Self { text, url })
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_loopback_http(url: &Url) -> bool {
    url.scheme() == "http" && url.host_str().is_some_and(grantor_jose::is_loopback_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_http_on_loopback_are_secure() {
        for good in [
            "https://auth.example.com",
            "https://auth.example.com:8443/realm/",
            "http://localhost:8080",
            "http://id.localhost:8080",
            "http://127.0.0.1:8080/a",
            "http://[::1]:8080",
        ] {
            assert_eq!(good.parse::<IssuerUrl>().unwrap().as_str(), good);
        }
        for bad in [
            "http://auth.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "https://user@auth.example.com",
            "https://:secret@auth.example.com",
            "https://auth.example.com/#a",
            "auth.example.com",
            "",
        ] {
            assert!(bad.parse::<SecureUrl>().is_err(), "{bad}");
        }
        assert!("https://auth.example.com/?a".parse::<IssuerUrl>().is_err());
    }

    #[cfg(feature = "fetch")]
    #[test]
    fn discovery_4_the_well_known_path_is_appended_to_the_issuers_path() {
        for (issuer, url) in [
            (
                "https://a.example",
                "https://a.example/.well-known/openid-configuration",
            ),
            (
                "https://a.example/",
                "https://a.example/.well-known/openid-configuration",
            ),
            (
                "https://a.example/b/",
                "https://a.example/b/.well-known/openid-configuration",
            ),
        ] {
            let issuer: IssuerUrl = issuer.parse().unwrap();
            assert_eq!(issuer.metadata_url().as_str(), url);
        }
    }

    #[cfg(feature = "fetch")]
    #[test]
    fn a_remote_issuer_cannot_name_http_endpoints_on_this_machine() {
        let far: IssuerUrl = "https://auth.example.com".parse().unwrap();
        assert!(far.endpoint("https://keys.example.com/jwks").is_some());
        assert!(far.endpoint("http://127.0.0.1:2375/jwks").is_none());
        let near: IssuerUrl = "http://127.0.0.1:8080".parse().unwrap();
        assert!(near.endpoint("http://127.0.0.1:8080/jwks").is_some());
        assert!(near.endpoint("http://auth.example.com/jwks").is_none());
    }
}
