//! Secrets: types without `Display`, whose `Debug` shows nothing.

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "fetch")]
use reqwest::RequestBuilder;
#[cfg(feature = "fetch")]
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// A bearer token: anyone who has it may use it.
///
/// In a handler of `axum` it is an extractor: the token that the layer verified, for a service that exchanges or
/// forwards it.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(Arc<Zeroizing<String>>);

impl BearerToken {
    /// Wraps a token.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(token.into())))
    }

    /// The token as text, for a request.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

/// The credentials of a service at its authorization server: client id and secret.
#[cfg(feature = "fetch")]
#[derive(Clone)]
pub struct ClientCredentials {
    id: String,
    secret: Arc<Zeroizing<String>>,
}

#[cfg(feature = "fetch")]
impl ClientCredentials {
    /// Client id and secret.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: Arc::new(Zeroizing::new(secret.into())),
        }
    }

    /// RFC 6749 section 2.3.1: id and secret are "encoded using the "application/x-www-form-urlencoded" encoding
    /// algorithm" for HTTP Basic authentication.
    pub(crate) fn authenticate(&self, request: RequestBuilder) -> RequestBuilder {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let secret = Zeroizing::new(encoded(&self.secret));
        request.basic_auth(encoded(&self.id), Some(secret.as_str()))
    }
}

#[cfg(feature = "fetch")]
impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let token = BearerToken::new("hunter2");
        assert_eq!(format!("{token:?}"), "BearerToken(…)");
        #[cfg(feature = "fetch")]
        assert_eq!(
            format!("{:?}", ClientCredentials::new("orders", "hunter2")),
            "ClientCredentials { id: \"orders\", .. }"
        );
    }

    #[cfg(feature = "fetch")]
    #[test]
    fn rfc6749_2_3_1_id_and_secret_are_form_encoded_for_basic_authentication() {
        let credentials = ClientCredentials::new("a:b", "c d%+é");
        let request = crate::testing::http().get("http://127.0.0.1");
        let request = credentials.authenticate(request).build().unwrap();
        // a%3Ab:c+d%25%2B%C3%A9
        let expected = "Basic YSUzQWI6YytkJTI1JTJCJUMzJUE5";
        let sent = &request.headers()["authorization"];
        assert_eq!(sent, expected);
        assert!(sent.is_sensitive());
    }
}
