//! The clients of the settings.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use grantor_core::base::secret::SecretVerifier;
use grantor_core::grants::GrantType;
use grantor_core::model::claim_mapping::{Carrier, ClaimMapping};
use grantor_core::model::client::{
    self, AuthMethod, ClientAuth, CodePolicy, DevicePolicy, LogoutPolicy,
};
use grantor_core::model::ids::ClientInstance;
use grantor_core::model::scope::{Scope, ScopeToken};
use url::Url;

use super::AssembleError;
use grantor_config::{self as config, ClientSecret, Settings};

/// The grace of clients that authenticate, and of devices, which lose connections most often.
const LONG_GRACE: Duration = Duration::from_secs(60);
/// The grace of other public clients.
const SHORT_GRACE: Duration = Duration::from_secs(10);

pub(crate) fn client(
    client: &config::Client,
    settings: &Settings,
    secret_key: &Arc<hmac::Key>,
) -> Result<client::Client, AssembleError> {
    let auth = authentication(client, secret_key);
    let public = matches!(auth, ClientAuth::Public);
    let lifetimes = &settings.lifetimes;
    Ok(client::Client {
        id: client.id.clone(),
        // Found once the store is open.
        instance: ClientInstance::FIRST,
        name: client.name.clone().unwrap_or_else(|| client.id.to_string()),
        enabled: client.enabled,
        organization: client.organization.clone(),
        made_at: None,
        stopped_with_owner: false,
        secret_ids: Vec::new(),
        owner: None,
        availability: client.availability,
        grants: client.grants.clone(),
        scopes: scope(&client.scopes),
        default_scopes: scope(client.effective_default_scopes()),
        resources: client.resources.clone(),
        access_lifetime: client.access_lifetime.unwrap_or(lifetimes.access),
        refresh_idle: client.refresh_idle.unwrap_or(lifetimes.refresh_idle),
        refresh_absolute: client
            .refresh_absolute
            .unwrap_or(lifetimes.refresh_absolute),
        grace: client.grace.unwrap_or(match public {
            true if !client.grants.contains(&GrantType::DeviceCode) => SHORT_GRACE,
            _ => LONG_GRACE,
        }),
        // RFC 9700 section 2.2.2: refresh tokens of public clients are sender-constrained or rotated.
        rotation: client.rotation || public,
        id_token_alg: client.id_token_alg,
        id_claims: ClaimMapping::new(Carrier::IdToken, client.id_claims.clone())?,
        id_token_claims: client.id_token_claims,
        actor: client.may_act.clone(),
        device: DevicePolicy {
            lifetime: client.device_lifetime.unwrap_or(settings.device.lifetime),
            approval: client.device_approval,
            approver_max_age: client.device_approval_max_age,
        },
        code: CodePolicy {
            redirect_uris: client.redirect_uris.clone(),
            pkce_required: public || client.pkce == config::Pkce::Required,
            lifetime: lifetimes.code,
            consent: client.consent,
        },
        logout: LogoutPolicy {
            redirect_uris: client.post_logout_redirect_uris.clone(),
            backchannel_uri: client
                .backchannel_logout_uri
                .as_ref()
                .map(ToString::to_string),
        },
        origins: origins(client),
        auth,
    })
}

/// The origins that the file names, otherwise those of the redirect URIs.
fn origins(client: &config::Client) -> Vec<String> {
    let origins: BTreeSet<String> = match &client.origins {
        Some(named) => named.iter().map(ToString::to_string).collect(),
        None => {
            let urls = client.redirect_uris.iter();
            urls.filter_map(|uri| Url::parse(uri.as_str()).ok())
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .map(|url| url.origin().ascii_serialization())
                .collect()
        }
    };
    origins.into_iter().collect()
}

fn authentication(client: &config::Client, secret_key: &Arc<hmac::Key>) -> ClientAuth {
    let verifiers: Vec<_> = client
        .credentials()
        .map(|secret| match secret {
            ClientSecret::Plain(secret) => SecretVerifier::new(secret_key, secret),
            ClientSecret::Sha256(digest) => SecretVerifier::Sha256(*digest.as_bytes()),
        })
        .collect();
    if verifiers.is_empty() {
        return ClientAuth::Public;
    }
    let allowed = |method| client.auth_methods().contains(&method);
    ClientAuth::Secret {
        verifiers,
        basic: allowed(AuthMethod::SecretBasic),
        post: allowed(AuthMethod::SecretPost),
    }
}

pub(super) fn scope(tokens: &[ScopeToken]) -> Scope {
    tokens.iter().map(|token| &**token).collect()
}
