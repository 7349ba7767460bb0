//! HTTP as a client of an authorization server speaks it.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};
use url::form_urlencoded::byte_serialize;
use url::{Host, Url};

use super::failure::Failure;
use crate::cause::innermost;
use crate::config::Secret;

/// An HTTP client with the credentials of an OAuth client.
pub(super) struct Client {
    http: reqwest::Client,
    id: String,
    secret: Option<Secret>,
}

/// An answer: its status and the JSON object in it, empty if there is none.
pub(super) struct Reply {
    pub(super) url: Url,
    pub(super) status: u16,
    /// The seconds of `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Map<String, Json>,
}

impl Reply {
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.body.get(member)?.as_str()
    }
}

impl Client {
    pub(super) fn new(id: String, secret: Option<Secret>) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            // A redirected POST would carry the credentials to where the answer points.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            .user_agent(concat!("grantor-device-login/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::Protocol(format!("no HTTP client: {error}")))?;
        Ok(Self { http, id, secret })
    }

    pub(super) async fn get(&self, url: &Url) -> Result<Reply, Failure> {
        send(url, self.http.get(url.clone())).await
    }

    /// Posts a form with the client's credentials: Basic with a secret, else `client_id` in the
    /// form (RFC 8628 sections 3.1 and 3.4).
    pub(super) async fn post(&self, url: &Url, form: &[(&str, &str)]) -> Result<Reply, Failure> {
        let request = self.http.post(url.clone());
        let request = match &self.secret {
            Some(secret) => request
                .header("authorization", basic(&self.id, secret))
                .form(form),
            None => {
                let id = [("client_id", self.id.as_str())];
                let form: Vec<_> = form.iter().chain(&id).collect();
                request.form(&form)
            }
        };
        send(url, request).await
    }
}

/// RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined by a colon.
pub(super) fn basic(id: &str, secret: &Secret) -> String {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encode(id), encode(secret.reveal()));
    format!("Basic {}", STANDARD.encode(credentials))
}

async fn send(url: &Url, request: reqwest::RequestBuilder) -> Result<Reply, Failure> {
    /// More than any answer of an authorization server.
    const LIMIT: usize = 1 << 20;

    let unreachable = |error: reqwest::Error| Failure::Unreachable {
        url: url.to_string(),
        cause: innermost(&error),
    };
    let mut response = request
        .header("accept", "application/json")
        .send()
        .await
        .map_err(unreachable)?;
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        body.extend_from_slice(&chunk);
        if body.len() > LIMIT {
            return Err(Failure::Protocol(format!(
                "{url} answered more than {LIMIT} bytes"
            )));
        }
    }
    Ok(Reply {
        url: url.clone(),
        status,
        retry_after: retry_after.map(Duration::from_secs),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

/// Whether credentials may be sent there: https, or http on this machine.
pub(super) fn is_safe(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", _) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost" || name.ends_with(".localhost"),
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}
