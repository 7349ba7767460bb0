//! From the settings, in the words of the file, to the realm, in the words of the core.

mod clients;
mod exchange;
mod resources;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::sealing::SealingKeys;
use grantor_core::base::secret::Secret;
use grantor_core::model::claim_mapping::InvalidMapping;
use grantor_core::model::ids::InvalidClientId;
use grantor_core::model::ids::UserId;
use grantor_core::model::realm::{self, DeviceSettings, Realm, SignInLimits, TokenSet};
use grantor_core::model::resource::TokenForm;
use grantor_core::model::user_code::{InvalidFormat, UserCodeFormat};
use grantor_core::people::{Password, Provision};
use grantor_core::records::Username;
use grantor_jose::{Algorithm, KeySet};
use grantor_web::{ForwardedHeader, Proxies};

use crate::config::{self, Settings, UserPassword};
use crate::master_key::MasterKeys;

/// The one realm there is.
pub const POOL: &str = "default";

/// The algorithm of access tokens for the issuer's own endpoints.
const ACCESS_TOKEN_ALG: Algorithm = Algorithm::Es256;

/// Why settings make no realm. Reading them checks the same, so an operator does not see it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssembleError {
    /// A client's id.
    #[error("client: {0}")]
    ClientId(#[from] InvalidClientId),
    /// The claims of a resource or a client.
    #[error("claims: {0}")]
    Claims(#[from] InvalidMapping),
    /// The format of user codes.
    #[error("device.user_code_format: {0}")]
    UserCode(#[from] InvalidFormat),
}

/// The algorithms for which a key is needed. Each issuer has ES256, for access tokens, and RS256: OpenID
/// Connect Discovery section 3 of `id_token_signing_alg_values_supported`: "The algorithm RS256 MUST be included."
#[must_use]
pub fn algorithms(settings: &Settings) -> Vec<Algorithm> {
    let of_resources =
        settings
            .resources
            .iter()
            .filter_map(|resource| match resources::token_form(resource) {
                TokenForm::Jwt(alg) => Some(alg),
                TokenForm::Sealed => None,
            });
    let of_clients = settings
        .clients
        .iter()
        .map(|client| algorithm(client.id_token_alg));
    let all: BTreeSet<_> = [ACCESS_TOKEN_ALG, Algorithm::Rs256]
        .into_iter()
        .chain(of_resources)
        .chain(of_clients)
        .collect();
    all.into_iter().collect()
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
        clients::client(client, settings, &secret_key).map(|client| (client.id.clone(), client))
    };
    Ok(Realm {
        name: POOL.to_owned(),
        issuer: settings.issuer.to_string(),
        signing,
        clients: settings
            .clients
            .iter()
            .map(client)
            .collect::<Result<_, _>>()?,
        resources: settings
            .resources
            .iter()
            .map(resources::resource)
            .collect::<Result<_, _>>()?,
        exchange: exchange::rules(settings)?,
        trusted_issuers: exchange::trusted_issuers(settings),
        access_token_alg: ACCESS_TOKEN_ALG,
        lifetimes: realm::Lifetimes {
            id: settings.lifetimes.id,
            session_idle: settings.lifetimes.session_idle,
            session_absolute: settings.lifetimes.session_absolute,
        },
        device: device_of(settings)?,
        sign_in: sign_in_of(settings),
        nodes: settings.nodes.get(),
        sealing,
    })
}

/// The proxies in front, as the web shell knows them.
#[must_use]
pub fn proxies(settings: &Settings) -> Proxies {
    Proxies {
        trusted: settings.trusted_proxies.clone(),
        header: match settings.forwarded_header {
            config::ForwardedHeader::XForwardedFor => ForwardedHeader::XForwardedFor,
            config::ForwardedHeader::Forwarded => ForwardedHeader::Forwarded,
        },
    }
}

fn sign_in_of(settings: &Settings) -> SignInLimits {
    let usual = SignInLimits::default();
    match settings.test.wrong_passwords {
        None => usual,
        Some(limit) => SignInLimits {
            from_one_address: usual.from_one_address.max(limit.get()),
            in_all: usual.in_all.max(limit.get()),
        },
    }
}

fn device_of(settings: &Settings) -> Result<DeviceSettings, InvalidFormat> {
    let device = &settings.device;
    let length = usize::try_from(device.user_code_length.get()).unwrap_or(usize::MAX);
    Ok(DeviceSettings {
        interval: device.interval,
        user_code: UserCodeFormat::new(device.user_code_format.as_str(), length)?,
        longest_lifetime: settings
            .clients
            .iter()
            .filter_map(|client| client.device_lifetime)
            .fold(device.lifetime, Duration::max),
        max_pending: device.max_pending.get(),
        max_pending_of_address: device.max_pending_per_address.get(),
        tokens: TokenSet {
            id: device.token_set.id,
            refresh: device.token_set.refresh,
        },
    })
}

/// A user of the file, to be written as rows. Without an id it is derived from the name as it is
/// compared, so that another case of a letter does not make another person.
#[must_use]
pub fn provision(user: &config::User) -> Provision {
    let id = user.id.map(UserId::new);
    Provision {
        id: id.unwrap_or_else(|| UserId::derived(POOL, &Username::fold(&user.username))),
        username: user.username.to_string(),
        enabled: user.enabled,
        password: match user.credential() {
            None => Password::None,
            Some(UserPassword::Hash(hash)) => Password::Hash(hash.secret().reveal().to_owned()),
            Some(UserPassword::Plain(password)) => Password::Plain {
                password: Secret::new(password.reveal()),
                hash: None,
            },
        },
        email: user.email.clone(),
        groups: user.groups.clone(),
        claims: user.claims.clone(),
    }
}

const fn algorithm(alg: config::Algorithm) -> Algorithm {
    match alg {
        config::Algorithm::Rs256 => Algorithm::Rs256,
        config::Algorithm::Ps256 => Algorithm::Ps256,
        config::Algorithm::Es256 => Algorithm::Es256,
        config::Algorithm::EdDsa => Algorithm::EdDsa,
    }
}
