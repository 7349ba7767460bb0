//! A realm: an issuer with its own keys, clients, resources and users. What a decision may look at beside rows.

use std::collections::HashMap;
use std::time::Duration;

use grantor_jose::{Algorithm, KeySet};

use crate::base::error::Failure;
use crate::base::sealing::SealingKeys;
use crate::model::client::Client;
use crate::model::endpoint::Endpoint;
use crate::model::exchange_rule::Rule;
use crate::model::ids::ClientId;
use crate::model::resource::{self, Resource};
use crate::model::scope::Scope;
use crate::model::trusted_issuer::TrustedIssuer;
use crate::model::user_code::UserCodeFormat;

/// A snapshot of one realm. It is replaced as a whole when the configuration or a key changes.
#[derive(Clone, Debug)]
pub struct Realm {
    /// Its name: the first part of each of its keys.
    pub name: String,
    /// Its issuer identifier (RFC 8414 section 2), without a slash at the end.
    pub issuer: String,
    /// The keys with which it seals.
    pub sealing: SealingKeys,
    /// The keys with which its tokens are signed, public parts only.
    pub signing: KeySet,
    /// Its clients.
    pub clients: HashMap<ClientId, Client>,
    /// Its resources.
    pub resources: Vec<Resource>,
    /// Who may exchange which token for what, in the order in which the rules are tried.
    pub exchange: Vec<Rule>,
    /// Whose JWTs are taken in exchange beside our own tokens.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// The algorithm of access tokens that are for no resource but the issuer's own endpoints.
    pub access_token_alg: Algorithm,
    /// Lifetimes that no client changes.
    pub lifetimes: Lifetimes,
    /// The device grant's settings.
    pub device: DeviceSettings,
    /// How many wrong passwords are let through.
    pub sign_in: SignInLimits,
    /// How many nodes share the limits: each allows one of so many parts.
    pub nodes: u32,
}

/// Lifetimes that no client changes.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// ID tokens.
    pub id: Duration,
    /// A session that nobody uses.
    pub session_idle: Duration,
    /// A session, from its sign-in on.
    pub session_absolute: Duration,
}

/// How many wrong passwords an hour are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInLimits {
    /// For one account from one address.
    pub from_one_address: u32,
    /// From one address, and, separately, for one account.
    pub in_all: u32,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self {
            from_one_address: 10,
            in_all: 100,
        }
    }
}

/// The device grant's settings.
#[derive(Clone, Debug)]
pub struct DeviceSettings {
    /// The interval of the first polls (RFC 8628 section 3.2).
    pub interval: Duration,
    /// The format of user codes.
    pub user_code: UserCodeFormat,
    /// The longest life that a code of any client has: the time over which pending codes are counted.
    pub longest_lifetime: Duration,
    /// How many pending codes a client may have.
    pub max_pending: u32,
    /// How many pending codes an address may have begun; loopback has no such limit.
    pub max_pending_of_address: u32,
    /// Which tokens a device gets.
    pub tokens: TokenSet,
}

/// Which tokens a device gets, where its scopes and grants allow them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSet {
    /// An ID token.
    pub id: bool,
    /// An access token. Without effect so far: a device always gets one.
    pub access: bool,
    /// A refresh token.
    pub refresh: bool,
}

/// The scopes that belong to no resource (OpenID Connect Core sections 5.4 and 11).
pub const OPENID_SCOPES: [&str; 6] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
];

impl Realm {
    /// A client.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<&Client> {
        self.clients.get(&id.parse::<ClientId>().ok()?)
    }

    /// Whether there is such a client, and it is enabled.
    #[must_use]
    pub fn is_enabled(&self, id: &ClientId) -> bool {
        self.clients.get(id).is_some_and(|client| client.enabled)
    }

    /// Whether a subject that is no user is still one of ours: an enabled client, or the subject of an issuer that is
    /// trusted.
    #[must_use]
    pub fn knows_subject(&self, sub: &str) -> bool {
        let is_theirs = |trusted: &TrustedIssuer| trusted.subject_of(sub).is_some();
        self.client(sub).is_some_and(|client| client.enabled)
            || self.trusted_issuers.iter().any(is_theirs)
    }

    /// A resource.
    #[must_use]
    pub fn resource(&self, identifier: &str) -> Option<&Resource> {
        self.resources
            .iter()
            .find(|resource| resource.identifier == identifier)
    }

    /// The resource to which a scope token belongs.
    #[must_use]
    pub fn owner(&self, token: &str) -> Option<&Resource> {
        let (identifier, name) = resource::split(token)?;
        self.resource(identifier)
            .filter(|resource| resource.scopes.contains_key(name))
    }

    /// Every scope of the realm.
    #[must_use]
    pub fn scopes(&self) -> Scope {
        let of_resources = self.resources.iter().flat_map(|resource| {
            resource
                .scopes
                .keys()
                .map(move |name| format!("{}/{name}", resource.identifier))
        });
        let all: Vec<String> = OPENID_SCOPES
            .iter()
            .map(|&token| token.to_owned())
            .chain(of_resources)
            .collect();
        all.iter().map(String::as_str).collect()
    }

    /// One node's part of a limit that all nodes share; at least one.
    #[must_use]
    pub fn share(&self, limit: u32) -> u32 {
        (limit / self.nodes.max(1)).max(1)
    }

    /// The header of a token signed with `alg` now.
    ///
    /// # Errors
    /// [`Failure::Operator`] where no key is active for it.
    pub fn header(
        &self,
        alg: Algorithm,
        typ: grantor_jose::TokenType,
    ) -> Result<&grantor_jose::ProtectedHeader, Failure> {
        self.signing.header(alg, typ).ok_or(Failure::Operator(
            "no signing key is active for an algorithm in use",
        ))
    }

    /// The URL of an endpoint of this issuer.
    #[must_use]
    pub fn url(&self, endpoint: Endpoint) -> String {
        format!("{}{}", self.issuer, endpoint.path())
    }
}
