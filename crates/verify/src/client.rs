//! Tokens for what a service asks of others: for its user (RFC 8693), or in its own name (RFC 6749 section 4.4).

use std::sync::Arc;

use reqwest::Client;
use serde::Deserialize;

use crate::clock::Clock;
use crate::fetch::{self, FetchError, Limits};
use crate::kept::Kept;
use crate::metadata::Discovery;
use crate::scope::Scopes;
use crate::secret::{BearerToken, ClientCredentials};
use crate::url::IssuerUrl;

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Gets tokens from an issuer, as a client of its. A clone is the same client.
#[derive(Clone, Debug)]
pub struct TokenClient {
    http: Client,
    credentials: ClientCredentials,
    metadata: Arc<Kept<Discovery>>,
}

/// What a token is wanted for. RFC 8693 section 2.1 and RFC 8707 section 2 have two names for whom it is for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    audience: Option<String>,
    resource: Option<String>,
    scope: Scopes,
}

/// A token that was given.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Given {
    /// The token.
    pub access_token: BearerToken,
    /// For how many seconds it is good, where that is told.
    pub expires_in: Option<u64>,
    /// What it allows, where that is told.
    pub scope: Option<Scopes>,
}

/// Why there is no token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenError {
    /// The issuer refuses it (RFC 6749 section 5.2).
    #[error("the issuer refuses: {error}{}", description.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// The error code.
        error: String,
        /// Its explanation.
        description: Option<String>,
    },
    /// It cannot be asked.
    #[error("the issuer cannot be asked: {0}")]
    Unavailable(#[from] FetchError),
    /// It gave something else than a bearer token.
    #[error("the issuer gave a token of type `{0}`")]
    Type(String),
}

impl Wanted {
    /// A token for the service that the issuer knows by this name.
    #[must_use]
    pub fn audience(name: impl Into<String>) -> Self {
        Self {
            audience: Some(name.into()),
            ..Self::default()
        }
    }

    /// A token for the service at this URI.
    #[must_use]
    pub fn resource(uri: impl Into<String>) -> Self {
        Self {
            resource: Some(uri.into()),
            ..Self::default()
        }
    }

    /// With this scope, or several with spaces between them.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = self.scope.and(Scopes::from(scope));
        self
    }
}

impl TokenClient {
    /// As this client of the issuer. Nothing is asked yet.
    ///
    /// The HTTP client must follow no redirects ([`http_client`](crate::http_client)).
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
            metadata: Kept::new(metadata, Clock::new()),
        }
    }

    /// Exchanges the token that a caller presented for one that is good elsewhere, for the same subject: delegation
    /// (RFC 8693 section 1.1). The issuer's rules say whether it may be had.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn exchange(
        &self,
        presented: &BearerToken,
        wanted: &Wanted,
    ) -> Result<Given, TokenError> {
        let form = [
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", presented.reveal()),
            ("subject_token_type", ACCESS_TOKEN),
        ];
        self.ask(&form, wanted).await
    }

    /// A token in the name of the client itself. It is good for others too, so keep it until shortly before it ends.
    ///
    /// # Errors
    /// [`TokenError`]
    pub async fn client_credentials(&self, wanted: &Wanted) -> Result<Given, TokenError> {
        let form = [("grant_type", "client_credentials")];
        self.ask(&form, wanted).await
    }

    async fn ask(&self, form: &[(&str, &str)], wanted: &Wanted) -> Result<Given, TokenError> {
        let metadata = self.metadata.get(|it| it.token_endpoint.is_some()).await?;
        let endpoint = metadata.token_endpoint.clone();
        let endpoint = endpoint.ok_or(FetchError::NoEndpoint("token_endpoint"))?;
        let scope = wanted.scope.to_string();
        let more = [
            ("audience", wanted.audience.as_deref()),
            ("resource", wanted.resource.as_deref()),
            ("scope", (!scope.is_empty()).then_some(scope.as_str())),
        ];
        let more = more
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)));
        let form: Vec<_> = form.iter().copied().chain(more).collect();
        let request = self.http.post(endpoint.as_ref().clone()).form(&form);
        let request = self.credentials.authenticate(request);
        let answer = fetch::answer(request, endpoint.as_ref(), Limits::default()).await?;
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
        Ok(Given {
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
