//! Assembles what the core runs on from the settings of the file.

pub(crate) mod clients;
mod exchange;
mod resources;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::sealing::SealingKeys;
use grantor_core::model::claim_mapping::InvalidMapping;
use grantor_core::model::config_document::ConfigDocument;
use grantor_core::model::dialects::Dialects;
use grantor_core::model::ids::{OrganizationId, UserId};
use grantor_core::model::managed::Managed;
use grantor_core::model::organization::Organization;
use grantor_core::model::realm::{self, AccessLimits, DeviceSettings, Realm, SignInLimits};
use grantor_core::model::resource::TokenForm;
use grantor_core::model::right::ApiSettings;
use grantor_core::model::user_code::{InvalidFormat, UserCodeFormat};
use grantor_core::people::{Password, Provision};
use grantor_core::records::{Link, Username};
use grantor_jose::{Algorithm, KeySet};
use grantor_web::Proxies;

use crate::master_key::MasterKeys;
use crate::written::{self, Document};
use grantor_config::{self as config, Settings, UserPassword};

/// The name of the only realm.
pub const POOL: &str = realm::DEFAULT_NAME;

/// The algorithm of access tokens for the issuer's own endpoints.
const ACCESS_TOKEN_ALG: Algorithm = Algorithm::Es256;

/// Why the settings cannot be assembled. The reader of the file checks the same, so operators do not see it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    #[error("claims")]
    Claims(#[from] InvalidMapping),
    #[error("device.user_code_format")]
    UserCode(#[from] InvalidFormat),
}

/// The algorithms for which a key is needed. Each issuer has ES256, for access tokens, and RS256: OpenID
/// Connect Discovery section 3 of `id_token_signing_alg_values_supported`: "The algorithm RS256 MUST be included."
#[must_use]
pub fn algorithms(settings: &Settings, document: &ConfigDocument) -> Vec<Algorithm> {
    let of_resources =
        settings
            .resources
            .iter()
            .filter_map(|resource| match resource.token_form() {
                TokenForm::Jwt(alg) => Some(alg),
                TokenForm::Sealed => None,
            });
    let of_clients = settings.clients.iter().map(|client| client.id_token_alg);
    let all: BTreeSet<_> = [ACCESS_TOKEN_ALG, Algorithm::Rs256]
        .into_iter()
        .chain(of_resources)
        .chain(of_clients)
        .chain(
            document
                .algorithms
                .iter()
                .filter_map(|name| name.parse().ok()),
        )
        .collect();
    all.into_iter().collect()
}

/// What a snapshot is assembled to, without keys.
pub struct Assembled {
    pub realm: Realm,
    /// The settings of the file with the document's parts.
    pub merged: Arc<Settings>,
    pub document: Document,
}

/// The realm that the file and the managed document describe, with these keys.
///
/// # Errors
/// [`AssembleError`]
pub fn with_document(
    file: &Arc<Settings>,
    document: &Document,
    masters: &MasterKeys,
    signing: KeySet,
) -> Result<Assembled, AssembleError> {
    let merged = document.merged(file);
    let mut realm = realm(&merged, masters, signing)?;
    let secret_key = Arc::new(realm.sealing.client_secret_key());
    realm.managed = written::managed(Arc::clone(file), Arc::clone(&merged), document, secret_key);
    Ok(Assembled {
        realm,
        merged,
        document: document.clone(),
    })
}

/// The realm that the settings describe, with these keys.
///
/// # Errors
/// [`AssembleError`]
pub fn realm(
    settings: &Settings,
    masters: &MasterKeys,
    signing: KeySet,
) -> Result<Realm, AssembleError> {
    let sealing = SealingKeys::new(POOL, masters.current(), masters.older());
    let secret_key = Arc::new(sealing.client_secret_key());
    let client = |client| {
        clients::client(client, settings, &secret_key)
            .map(|client| (client.id.clone(), Arc::new(client)))
    };
    Ok(Realm {
        name: POOL.to_owned(),
        issuer: settings.issuer.to_string(),
        signing: signing.into(),
        clients: settings
            .clients
            .iter()
            .chain(&settings.docs_client())
            .map(client)
            .collect::<Result<_, _>>()?,
        managed: Managed::none(),
        resources: settings
            .resources
            .iter()
            .map(resources::resource)
            .chain(resources::built_in(settings).map(Ok))
            .collect::<Result<_, _>>()?,
        plain_scopes: settings
            .scopes
            .iter()
            .map(|scope| Ok((scope.name.to_string(), resources::plain_scope(scope)?)))
            .collect::<Result<_, AssembleError>>()?,
        organizations: organizations(settings),
        exchange: exchange::rules(settings),
        trusted_issuers: exchange::trusted_issuers(settings),
        unknown_scopes: settings.unknown_scopes,
        dialects: Dialects {
            iroh: settings.dialects.contains(&config::Dialect::Iroh),
        },
        access_token_alg: ACCESS_TOKEN_ALG,
        lifetimes: realm::Lifetimes {
            id: settings.lifetimes.id,
            session_idle: settings.lifetimes.session_idle,
            session_absolute: settings.lifetimes.session_absolute,
            session_cookie: settings.lifetimes.session_cookie,
        },
        device: device_settings(settings)?,
        sign_in: sign_in_limits(settings),
        access: AccessLimits::default(),
        api: api(settings),
        declared_users: Arc::new(declared_users(settings)),
        nodes: settings.nodes.get(),
        sealing,
    })
}

fn declared_users(settings: &Settings) -> HashSet<String> {
    let users = settings.users.iter();
    users
        .map(|user| Username::fold(user.username.as_str()))
        .collect()
}

fn api(settings: &Settings) -> ApiSettings {
    ApiSettings {
        enabled: settings.api.enabled,
        admins: settings.api.effective_admins(),
        developers: settings.api.developers.clone(),
    }
}

fn organizations(settings: &Settings) -> HashMap<OrganizationId, Organization> {
    let organizations = settings.organizations.iter().map(|it| Organization {
        id: it.id.clone(),
        name: it.name.clone(),
        enabled: it.enabled,
    });
    organizations.map(|it| (it.id.clone(), it)).collect()
}

#[must_use]
pub fn proxies(settings: &Settings) -> Proxies {
    Proxies {
        trusted: settings.trusted_proxies.clone(),
        header: settings.forwarded_header,
    }
}

fn sign_in_limits(settings: &Settings) -> SignInLimits {
    let usual = SignInLimits::default();
    match settings.test.wrong_passwords {
        None => usual,
        Some(limit) => SignInLimits {
            per_account_and_address: usual.per_account_and_address.max(limit.get()),
            in_all: usual.in_all.max(limit.get()),
        },
    }
}

fn device_settings(settings: &Settings) -> Result<DeviceSettings, InvalidFormat> {
    let device = &settings.device;
    let length = usize::try_from(device.user_code_length.get()).unwrap_or(usize::MAX);
    Ok(DeviceSettings {
        interval: device.interval,
        user_code: UserCodeFormat::with_alphabet(device.user_code_format.clone(), length)?,
        longest_lifetime: settings
            .clients
            .iter()
            .filter_map(|client| client.device_lifetime)
            .fold(device.lifetime, Duration::max),
        max_pending: device.max_pending.get(),
        max_pending_per_address: device.max_pending_per_address.get(),
        tokens: device.token_set,
    })
}

/// The id of a user of the file. Without one, it is derived from the folded name, so that a change of case does not make
/// another account.
pub(crate) fn user_id(user: &config::User) -> UserId {
    let derived = || UserId::from_username(POOL, &Username::fold(user.username.as_str()));
    user.id.map_or_else(derived, UserId::new)
}

/// The subjects of trusted issuers that are users.
#[must_use]
pub fn links(settings: &Settings) -> Vec<Link> {
    let links = settings.users.iter().flat_map(|user| {
        user.links.iter().map(|link| Link {
            issuer: link.issuer.clone(),
            sub: link.sub.clone(),
            user: user_id(user),
            from_file: true,
        })
    });
    links.collect()
}

/// The operation that writes a user of the file.
#[must_use]
pub fn provision(user: &config::User) -> Provision {
    Provision {
        id: user_id(user),
        username: user.username.to_string(),
        enabled: user.enabled,
        password: match user.credential() {
            None => Password::None,
            Some(UserPassword::Hash(hash)) => Password::Hash(hash.secret().reveal().to_owned()),
            Some(UserPassword::Plain(password)) => Password::Plain(password.clone()),
        },
        email: user.email.clone(),
        groups: user.groups.clone(),
        organization: user.organization.clone(),
        claims: user.claims.clone(),
    }
}
