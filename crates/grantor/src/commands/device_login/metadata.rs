//! Where the server's endpoints are (RFC 8414).

use url::Url;

use super::failure::Failure;
use super::http::{Client, Reply, is_safe};

/// The two endpoints that a device needs.
pub(super) struct Endpoints {
    pub(super) device_authorization: Url,
    pub(super) token: Url,
}

/// Asks the server that `issuer` names.
pub(super) async fn discover(client: &Client, issuer: &str) -> Result<Endpoints, Failure> {
    let mut first = None;
    for url in addresses(issuer)? {
        let reply = client.get(&url).await?;
        if reply.status == 200 {
            return endpoints(&reply, issuer);
        }
        first.get_or_insert(reply);
    }
    let status = first.map(|reply| format!("{} answered status {}", reply.url, reply.status));
    Err(Failure::Protocol(format!(
        "no metadata at {issuer}: {}",
        status.unwrap_or_default()
    )))
}

/// The places of the metadata: RFC 8414 section 3.1 puts the well-known part between host and path,
/// OpenID Connect Discovery 1.0 section 4 behind the path.
pub(super) fn addresses(issuer: &str) -> Result<[Url; 2], Failure> {
    let wrong = |why: &str| Failure::Usage(format!("--issuer {why}"));
    let url = Url::parse(issuer).map_err(|_| wrong("is not a URL"))?;
    if !is_safe(&url) {
        return Err(wrong("must be https, or http on this machine"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/');
    let at = |path: String| {
        let mut url = url.clone();
        url.set_path(&path);
        url
    };
    Ok([
        at(format!("/.well-known/oauth-authorization-server{path}")),
        at(format!("{path}/.well-known/openid-configuration")),
    ])
}

fn endpoints(reply: &Reply, issuer: &str) -> Result<Endpoints, Failure> {
    // RFC 8414 section 3.3: "The 'issuer' value returned MUST be identical to the authorization
    // server's issuer identifier value". If not, it is the metadata of somebody else.
    if reply.text("issuer") != Some(issuer) {
        return Err(Failure::Protocol(format!(
            "{} is the metadata of issuer {:?}, not of {issuer:?}",
            reply.url,
            reply.text("issuer").unwrap_or_default()
        )));
    }
    let endpoint = |name: &str| {
        let url = reply
            .text(name)
            .and_then(|text| Url::parse(text).ok())
            .filter(is_safe);
        url.ok_or_else(|| Failure::Protocol(format!("{} names no safe {name}", reply.url)))
    };
    Ok(Endpoints {
        device_authorization: endpoint("device_authorization_endpoint")?,
        token: endpoint("token_endpoint")?,
    })
}
