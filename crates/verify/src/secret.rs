//! Text that must not be seen: no `Display`, and a `Debug` that says nothing.

use std::fmt;
use std::sync::Arc;

use reqwest::RequestBuilder;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// A bearer token: whoever has it may use it.
///
/// In a handler of `axum` it is an extractor: the token that the layer verified, for a service that exchanges it or
/// hands it on.
#[derive(Clone, PartialEq, Eq)]
pub struct BearerToken(Arc<Zeroizing<String>>);

impl BearerToken {
    /// Takes a token into care.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(token.into())))
    }

    /// The text itself, for the request that carries it.
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

/// Who a service is at the authorization server: a client with a secret.
#[derive(Clone)]
pub struct ClientCredentials {
    id: String,
    secret: Arc<Zeroizing<String>>,
}

impl ClientCredentials {
    /// A client's id and its secret.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            secret: Arc::new(Zeroizing::new(secret.into())),
        }
    }

    /// RFC 6749 section 2.3.1: id and secret are "encoded using the "application/x-www-form-urlencoded" encoding
    /// algorithm" before they go into Basic.
    pub(crate) fn authenticate(&self, request: RequestBuilder) -> RequestBuilder {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let secret = Zeroizing::new(encoded(&self.secret));
        request.basic_auth(encoded(&self.id), Some(secret.as_str()))
    }
}

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
    use crate::testing::http;

    #[test]
    fn secrets_are_not_printed() {
        let token = BearerToken::new("hunter2");
        let credentials = ClientCredentials::new("orders", "hunter2");
        assert_eq!(
            format!("{token:?} {credentials:?}"),
            "BearerToken(…) ClientCredentials { id: \"orders\", .. }"
        );
    }

    #[test]
    fn rfc6749_2_3_1_id_and_secret_are_form_encoded_before_they_go_into_basic() {
        let credentials = ClientCredentials::new("a:b", "c d%+é");
        let request = http().get("http://127.0.0.1");
        let request = credentials.authenticate(request).build().unwrap();
        // a%3Ab:c+d%25%2B%C3%A9
        let expected = "Basic YSUzQWI6YytkJTI1JTJCJUMzJUE5";
        let sent = &request.headers()["authorization"];
        assert_eq!(sent, expected);
        assert!(sent.is_sensitive());
    }
}
