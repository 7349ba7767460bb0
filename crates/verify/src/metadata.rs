//! An issuer's metadata (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3).

use reqwest::Client;
use serde::Deserialize;
use url::Url;

use crate::cached::Fetch;
use crate::fetch::{self, FetchError, Fetched, Limits};
use crate::url::{IssuerUrl, SecureUrl};

/// The members of the metadata that this crate uses.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) jwks_uri: Option<SecureUrl>,
    pub(crate) introspection_endpoint: Option<SecureUrl>,
    pub(crate) token_endpoint: Option<SecureUrl>,
    pub(crate) device_authorization_endpoint: Option<SecureUrl>,
}

impl Metadata {
    pub(crate) async fn fetch(
        http: &Client,
        issuer: &IssuerUrl,
        url: &Url,
        limits: Limits,
    ) -> Result<Fetched<Self>, FetchError> {
        #[derive(Deserialize)]
        struct Members {
            issuer: String,
            jwks_uri: Option<String>,
            introspection_endpoint: Option<String>,
            token_endpoint: Option<String>,
            device_authorization_endpoint: Option<String>,
        }

        let fetched = fetch::json::<Members>(http.get(url.clone()), url, limits);
        let Fetched { value, max_age } = fetched.await?;
        // RFC 8414 section 3.3: "The "issuer" value returned MUST be identical to the authorization server's issuer
        // identifier value [...]. If these values are not identical, the data contained in the response MUST NOT be
        // used."
        if value.issuer != issuer.as_str() {
            return Err(FetchError::IssuerMismatch { url: url.clone() });
        }
        let endpoint = |text: Option<String>| text.and_then(|text| issuer.endpoint(&text));
        let value = Self {
            jwks_uri: endpoint(value.jwks_uri),
            introspection_endpoint: endpoint(value.introspection_endpoint),
            token_endpoint: endpoint(value.token_endpoint),
            device_authorization_endpoint: endpoint(value.device_authorization_endpoint),
        };
        Ok(Fetched { value, max_age })
    }
}

/// Fetches an issuer's metadata.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) http: Client,
    pub(crate) limits: Limits,
    pub(crate) issuer: IssuerUrl,
}

impl Fetch for Discovery {
    type Value = Metadata;

    async fn fetch(&self) -> Result<Fetched<Metadata>, FetchError> {
        let url = self.issuer.metadata_url();
        Metadata::fetch(&self.http, &self.issuer, &url, self.limits).await
    }
}
