//! An authorization server as any of its clients sees it: its metadata, and requests to its endpoints.

use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use url::Url;

use crate::fetch::{self, FetchError, Limits};
use crate::secret::ClientCredentials;
use crate::url::{IssuerUrl, SecureUrl};

/// The endpoints of an authorization server, as its metadata name them (RFC 8414 section 2).
///
/// An address that credentials may not be sent to is left out: plain http is taken on loopback only, and only where the
/// issuer is there itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerMetadata {
    /// Where the metadata were found.
    pub url: Url,
    /// The token endpoint.
    pub token_endpoint: Option<SecureUrl>,
    /// The device authorization endpoint (RFC 8628 section 4).
    pub device_authorization_endpoint: Option<SecureUrl>,
}

impl ServerMetadata {
    /// Fetches the metadata of `issuer`: from the address of RFC 8414 section 3.1 (the well-known part between host and
    /// path), and where that does not answer 200, from the one of OpenID Connect Discovery 1.0 section 4 (after the path).
    ///
    /// # Errors
    /// [`FetchError`]; where neither address has metadata, the error of the first.
    pub async fn discover(
        http: &Client,
        issuer: &IssuerUrl,
        limits: Limits,
    ) -> Result<Self, FetchError> {
        let first = match Self::fetch(http, issuer, oauth_metadata_url(issuer), limits).await {
            Err(error @ (FetchError::Status { .. } | FetchError::Redirect(_))) => error,
            outcome => return outcome,
        };
        match Self::fetch(http, issuer, issuer.metadata_url(), limits).await {
            Err(FetchError::Status { .. } | FetchError::Redirect(_)) => Err(first),
            outcome => outcome,
        }
    }

    async fn fetch(
        http: &Client,
        issuer: &IssuerUrl,
        url: Url,
        limits: Limits,
    ) -> Result<Self, FetchError> {
        #[derive(Deserialize)]
        struct Members {
            issuer: String,
            token_endpoint: Option<String>,
            device_authorization_endpoint: Option<String>,
        }

        let members = fetch::json::<Members>(http.get(url.clone()), &url, limits).await?;
        let members = members.value;
        // RFC 8414 section 3.3: the issuer "MUST be identical", or the metadata "MUST NOT be used".
        if members.issuer != issuer.as_str() {
            return Err(FetchError::IssuerMismatch { url });
        }
        let endpoint = |text: Option<String>| text.and_then(|text| issuer.endpoint(&text));
        Ok(Self {
            url,
            token_endpoint: endpoint(members.token_endpoint),
            device_authorization_endpoint: endpoint(members.device_authorization_endpoint),
        })
    }
}

fn oauth_metadata_url(issuer: &IssuerUrl) -> Url {
    let mut url = issuer.metadata_url();
    let path = url.path().strip_suffix("/.well-known/openid-configuration");
    let path = format!(
        "/.well-known/oauth-authorization-server{}",
        path.unwrap_or_default()
    );
    url.set_path(&path);
    url
}

/// How a client identifies itself at the endpoints of its authorization server (RFC 6749 section 2.3.1).
#[derive(Clone, Debug)]
pub enum ClientAuthentication {
    /// A public client, by `client_id` in the form.
    Public {
        /// Its id.
        client_id: String,
    },
    /// A confidential client, by HTTP Basic.
    Secret(ClientCredentials),
}

/// The response of an endpoint, whatever its status.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointResponse {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, where it is a number of seconds (RFC 9110 section 10.2.3).
    pub retry_after: Option<Duration>,
    /// The body, which is JSON of an object at most endpoints.
    pub body: Vec<u8>,
}

impl ClientAuthentication {
    /// Posts a form to an endpoint as this client.
    ///
    /// # Errors
    /// [`FetchError`]: no response, a redirect, or one larger than the limit. A status such as 400 is no error here, since
    /// its body says why (RFC 6749 section 5.2).
    pub async fn post(
        &self,
        http: &Client,
        endpoint: &SecureUrl,
        form: &[(&str, &str)],
        limits: Limits,
    ) -> Result<EndpointResponse, FetchError> {
        let request = http.post(endpoint.as_ref().clone());
        let request = match self {
            Self::Public { client_id } => {
                let id = [("client_id", client_id.as_str())];
                request.form(&form.iter().chain(&id).collect::<Vec<_>>())
            }
            Self::Secret(credentials) => credentials.authenticate(request.form(form)),
        };
        let answer = fetch::answer(request, endpoint.as_ref(), limits).await?;
        Ok(EndpointResponse {
            status: answer.status,
            retry_after: answer.retry_after,
            body: answer.body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8414_3_1_the_well_known_part_goes_between_host_and_path() {
        for (issuer, expected) in [
            (
                "https://id.example.com/pools/a",
                "https://id.example.com/.well-known/oauth-authorization-server/pools/a",
            ),
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/.well-known/oauth-authorization-server",
            ),
        ] {
            let issuer: IssuerUrl = issuer.parse().unwrap();
            assert_eq!(oauth_metadata_url(&issuer).as_str(), expected);
        }
    }
}
