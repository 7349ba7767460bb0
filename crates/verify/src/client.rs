//! Requests access tokens for calls to other services: by token exchange (RFC 8693) or client credentials (RFC 6749
//! section 4.4).

use std::sync::Arc;

use reqwest::Client;
use serde::Deserialize;

use crate::cached::Cached;
use crate::clock::Clock;
use crate::fetch::{self, FetchError, Limits};
use crate::metadata::Discovery;
use crate::scope::Scopes;
use crate::secret::{BearerToken, ClientCredentials};
use crate::url::IssuerUrl;

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Requests tokens from an issuer, as one of its clients. A clone shares the metadata.
#[derive(Clone, Debug)]
pub struct TokenClient {
    http: Client,
    credentials: ClientCredentials,
    metadata: Arc<Cached<Discovery>>,
}

/// The target and the scope of a token to request. The target is an `audience` (RFC 8693 section 2.1) or a `resource`
/// (RFC 8707 section 2).
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    audience: Option<String>,
    resource: Option<String>,
    scope: Scopes,
}

/// A token that the issuer issued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuedToken {
    /// `access_token`.
    pub access_token: BearerToken,
    /// `expires_in`: its lifetime in seconds, if the issuer says.
    pub expires_in: Option<u64>,
    /// `scope`, if the issuer says.
    pub scope: Option<Scopes>,
}

/// Why no token was issued.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenError {
    /// The issuer refused the request (RFC 6749 section 5.2).
    #[error("the issuer refused the token request: {error}{}", description.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// `error`, the code.
        error: String,
        /// `error_description`.
        description: Option<String>,
    },
    /// The issuer did not answer, or not as expected.
    #[error("the token request failed")]
    Unavailable(#[from] FetchError),
    /// The token is not a bearer token, but of this type.
    #[error("the issuer issued a token of type `{0}`")]
    Type(String),
}

impl TokenRequest {
    /// For the service with this name at the issuer.
    #[must_use]
    pub fn audience(name: impl Into<String>) -> Self {
        Self {
            audience: Some(name.into()),
            ..Self::default()
        }
    }

    /// For the service at this URI.
    #[must_use]
    pub fn resource(uri: impl Into<String>) -> Self {
        Self {
            resource: Some(uri.into()),
            ..Self::default()
        }
    }

    /// Adds a scope, or several separated by spaces.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = self.scope.union(Scopes::from(scope));
        self
    }
}

impl TokenClient {
    /// A client of `issuer` with these credentials. No request is made yet.
    ///
    /// The HTTP client must not follow redirects ([`http_client`](crate::http_client)).
    #[must_use]
    pub fn new(http: Client, issuer: IssuerUrl, credentials: ClientCredentials) -> Self {
        let metadata = Discovery {
            http: http.clone(),
            limits: Limits::default(),
            issuer,
        };
        Self {
            http,
            credentials,
            metadata: Cached::new(metadata, Clock::new()),
        }
    }

    /// Exchanges the token that a caller presented for one for another service, with the same subject: delegation
    /// (RFC 8693 section 1.1). The issuer's policy decides whether it is allowed.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn exchange(
        &self,
        presented: &BearerToken,
        request: &TokenRequest,
    ) -> Result<IssuedToken, TokenError> {
        let form = [
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", presented.reveal()),
            ("subject_token_type", ACCESS_TOKEN),
        ];
        self.send(&form, request).await
    }

    /// Requests a token for the client itself. It is not bound to one request, so reuse it until shortly before it
    /// expires.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn client_credentials(
        &self,
        request: &TokenRequest,
    ) -> Result<IssuedToken, TokenError> {
        let form = [("grant_type", "client_credentials")];
        self.send(&form, request).await
    }

    async fn send(
        &self,
        form: &[(&str, &str)],
        request: &TokenRequest,
    ) -> Result<IssuedToken, TokenError> {
        let metadata = self.metadata.get(|it| it.token_endpoint.is_some()).await?;
        let endpoint = metadata.token_endpoint.clone();
        let endpoint = endpoint.ok_or(FetchError::MissingEndpoint("token_endpoint"))?;
        let scope = request.scope.to_string();
        let more = [
            ("audience", request.audience.as_deref()),
            ("resource", request.resource.as_deref()),
            ("scope", (!scope.is_empty()).then_some(scope.as_str())),
        ];
        let more = more
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)));
        let form: Vec<_> = form.iter().copied().chain(more).collect();
        let post = self.http.post(endpoint.as_ref().clone()).form(&form);
        let post = self.credentials.authenticate(post);
        let answer = fetch::answer(post, endpoint.as_ref(), Limits::default()).await?;
        if matches!(answer.status, 400 | 401)
            && let Ok(Refused {
                error,
                error_description: description,
            }) = serde_json::from_slice(&answer.body)
        {
            return Err(TokenError::Refused { error, description });
        }
        let reply = answer.json::<Reply>()?.value;
        if !reply.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(TokenError::Type(reply.token_type));
        }
        Ok(IssuedToken {
            access_token: BearerToken::new(reply.access_token),
            expires_in: reply.expires_in,
            scope: reply.scope.as_deref().map(Scopes::from),
        })
    }
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    error_description: Option<String>,
}

#[derive(Deserialize)]
struct Reply {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
    scope: Option<String>,
}

#[cfg(test)]
mod tests;
