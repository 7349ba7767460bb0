//! An issuer's metadata (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3).

use reqwest::Client;
use serde::Deserialize;

use crate::cached::Fetch;
use crate::fetch::{self, FetchError, Fetched, Limits};
use crate::url::{IssuerUrl, SecureUrl};

/// The members of the metadata that this crate uses.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) jwks_uri: Option<SecureUrl>,
    pub(crate) introspection_endpoint: Option<SecureUrl>,
    pub(crate) token_endpoint: Option<SecureUrl>,
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
        #[derive(Deserialize)]
        struct Members {
            issuer: String,
            jwks_uri: Option<String>,
            introspection_endpoint: Option<String>,
            token_endpoint: Option<String>,
        }

        let url = self.issuer.metadata_url();
        let request = self.http.get(url.clone());
        let Fetched { value, max_age } = fetch::json::<Members>(request, &url, self.limits).await?;
        // RFC 8414 section 3.3: "The "issuer" value returned MUST be identical to the authorization server's issuer
        // identifier value [...]. If these values are not identical, the data contained in the response MUST NOT be
        // used."
        if value.issuer != self.issuer.as_str() {
            return Err(FetchError::IssuerMismatch { url });
        }
        let endpoint = |text: Option<String>| text.and_then(|text| self.issuer.endpoint(&text));
        let value = Metadata {
            jwks_uri: endpoint(value.jwks_uri),
            introspection_endpoint: endpoint(value.introspection_endpoint),
            token_endpoint: endpoint(value.token_endpoint),
        };
        Ok(Fetched { value, max_age })
    }
}
