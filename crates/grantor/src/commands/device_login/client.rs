//! The device as an OAuth client of the server: where its endpoints are, and requests to them.

use std::time::Duration;

use grantor_verify::{
    ClientAuthentication, ClientCredentials, FetchError, IssuerUrl, Limits, SecureUrl,
    ServerMetadata, http_client_builder,
};
use serde_json::{Map, Value as Json};
use url::Url;

use super::failure::Failure;

/// Slow networks are common among devices, and some servers put much into their metadata.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(30),
    size: 1 << 20,
};

pub(super) struct Client {
    http: reqwest::Client,
    authentication: ClientAuthentication,
}

/// The two endpoints that a device needs.
pub(super) struct Endpoints {
    pub(super) device_authorization: SecureUrl,
    pub(super) token: SecureUrl,
}

/// The response of an endpoint: its status and the JSON object in it, which is empty where there is none.
pub(super) struct Reply {
    pub(super) url: String,
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Map<String, Json>,
}

impl Reply {
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member)?.as_str()
    }
}

impl Client {
    pub(super) fn new(client_id: String, secret: Option<&str>) -> Result<Self, Failure> {
        let http = http_client_builder(LIMITS.time)
            .user_agent(concat!("grantor-device-login/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Failure::Client)?;
        let authentication = match secret {
            Some(secret) => ClientAuthentication::Secret(ClientCredentials::new(client_id, secret)),
            None => ClientAuthentication::Public { client_id },
        };
        Ok(Self {
            http,
            authentication,
        })
    }

    pub(super) async fn discover(&self, issuer: &IssuerUrl) -> Result<Endpoints, Failure> {
        let metadata = ServerMetadata::discover(&self.http, issuer, LIMITS).await;
        let metadata = metadata.map_err(|error| match error {
            FetchError::Status { .. } | FetchError::Redirect(_) => Failure::NoMetadata {
                issuer: issuer.to_string(),
                source: Box::new(error),
            },
            error => Failure::fetch(issuer.as_str(), error),
        })?;
        let missing = |name| Failure::Protocol(format!("{} names no safe {name}", metadata.url));
        Ok(Endpoints {
            device_authorization: metadata
                .device_authorization_endpoint
                .clone()
                .ok_or_else(|| missing("device_authorization_endpoint"))?,
            token: metadata
                .token_endpoint
                .clone()
                .ok_or_else(|| missing("token_endpoint"))?,
        })
    }

    /// Posts a form as the client (RFC 8628 sections 3.1 and 3.4).
    pub(super) async fn post(
        &self,
        url: &SecureUrl,
        form: &[(&str, &str)],
    ) -> Result<Reply, Failure> {
        let posted = self.authentication.post(&self.http, url, form, LIMITS);
        let url = url.as_ref().as_str();
        let response = posted.await.map_err(|error| Failure::fetch(url, error))?;
        Ok(Reply {
            url: url.to_owned(),
            status: response.status,
            retry_after: response.retry_after,
            body: serde_json::from_slice(&response.body).unwrap_or_default(),
        })
    }
}

/// The issuer of the command line.
pub(super) fn issuer(text: &str) -> Result<IssuerUrl, Failure> {
    let wrong = |why| Failure::Usage(format!("--issuer {why}"));
    let url = Url::parse(text).map_err(|_| wrong("is not a URL"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or a fragment"));
    }
    text.parse()
        .map_err(|_| wrong("must be https, or http on this machine"))
}
