//! A realm: an issuer with its own keys, clients, resources and users.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use grantor_jose::Algorithm;

use crate::base::error::Failure;
use crate::base::names::config_names;
use crate::base::sealing::SealingKeys;
use crate::model::client::Client;
use crate::model::declared_scope::DeclaredScope;
use crate::model::dialects::Dialects;
use crate::model::endpoint::Endpoint;
use crate::model::exchange_rule::ExchangeRule;
use crate::model::ids::{ClientId, OrganizationId};
use crate::model::issuer_keys::IssuerKeys;
use crate::model::managed::Managed;
use crate::model::organization::Organization;
use crate::model::plain_scope::PlainScope;
use crate::model::requested_scope::UnknownScopes;
use crate::model::resource::{self, Resource};
use crate::model::resource_uri::NormalUri;
use crate::model::right::{self, ApiSettings, Rights};
use crate::model::scope::Scope;
use crate::model::trusted_issuer::TrustedIssuer;
use crate::model::user_code::UserCodeFormat;

/// The name of the realm of a configuration file.
pub const DEFAULT_NAME: &str = "default";

/// A snapshot of one realm, replaced as a whole when the configuration or a key changes.
#[derive(Clone, Debug)]
pub struct Realm {
    /// The first part of all its row keys.
    pub name: String,
    /// Issuer identifier (RFC 8414 section 2), without a trailing slash.
    pub issuer: String,
    pub sealing: SealingKeys,
    /// Public keys only.
    pub signing: IssuerKeys,
    /// Those that the file declares.
    pub clients: HashMap<ClientId, Arc<Client>>,
    pub managed: Managed,
    pub resources: Vec<Resource>,
    /// By their tokens, none of which reads as one of a resource.
    pub plain_scopes: BTreeMap<String, PlainScope>,
    pub organizations: HashMap<OrganizationId, Organization>,
    /// In the order in which they are tried.
    pub exchange: Vec<ExchangeRule>,
    /// Issuers whose JWTs are accepted in token exchange.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// At the authorization endpoint and the device authorization endpoint.
    pub unknown_scopes: UnknownScopes,
    pub dialects: Dialects,
    /// For access tokens without a resource, meant for the issuer's own endpoints.
    pub access_token_alg: Algorithm,
    /// Lifetimes that clients cannot override.
    pub lifetimes: Lifetimes,
    pub device: DeviceSettings,
    pub sign_in: SignInLimits,
    pub access: AccessLimits,
    pub api: ApiSettings,
    /// The folded names of the users that the file declares: of those who are disabled, no row says so.
    pub declared_users: Arc<HashSet<String>>,
    /// How many nodes share the limits.
    pub nodes: u32,
}

/// Lifetimes that clients cannot override.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    pub id: Duration,
    /// An unused session.
    pub session_idle: Duration,
    /// A session, counted from sign-in.
    pub session_absolute: Duration,
    pub session_cookie: CookieLife,
}

/// How long the cookie of a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieLife {
    /// Until the browser closes.
    Browser,
    /// As long as the session, where the user wants it so.
    Persistent,
}

config_names!(CookieLife {
    Browser = "browser",
    Persistent = "persistent",
});

/// Allowed wrong passwords per hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInLimits {
    pub per_account_and_address: u32,
    /// For one address, and separately for one account.
    pub in_all: u32,
}

impl Default for SignInLimits {
    fn default() -> Self {
        Self {
            per_account_and_address: 10,
            in_all: 100,
        }
    }
}

/// How much access one user can have at the same time. Beyond it, the least recently used ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessLimits {
    pub sessions: usize,
    pub grants_per_client: usize,
    /// Of all clients together.
    pub grants: usize,
}

impl Default for AccessLimits {
    fn default() -> Self {
        Self {
            sessions: 200,
            grants_per_client: 100,
            grants: 2000,
        }
    }
}

#[derive(Clone, Debug)]
pub struct DeviceSettings {
    /// The initial polling interval (RFC 8628 section 3.2).
    pub interval: Duration,
    pub user_code: UserCodeFormat,
    /// The longest code lifetime of any client. Pending codes are counted over this time.
    pub longest_lifetime: Duration,
    pub max_pending: u32,
    /// Pending codes per address; loopback has no limit.
    pub max_pending_per_address: u32,
    pub tokens: TokenSet,
}

/// Which tokens a device gets, if its scopes and grants allow them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenSet {
    pub id: bool,
    /// Has no effect yet: a device always gets an access token.
    pub access: bool,
    pub refresh: bool,
}

impl TokenSet {
    pub const ALL: Self = Self {
        id: true,
        access: true,
        refresh: true,
    };
}

/// Scopes without a resource (OpenID Connect Core sections 5.4 and 11), and `groups`, which stands for the claim.
pub const OPENID_SCOPES: [&str; 7] = [
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "groups",
    "offline_access",
];

impl Realm {
    /// Decisions ask [`crate::engine::facts::Facts::client`] instead.
    #[must_use]
    pub fn client(&self, id: &str) -> Option<&Client> {
        let client = self.clients.get(&id.parse::<ClientId>().ok()?);
        client.map(|client| &**client)
    }

    /// Whether it is the subject of a trusted issuer.
    #[must_use]
    pub fn is_foreign_subject(&self, sub: &str) -> bool {
        let is_theirs = |trusted: &TrustedIssuer| trusted.own_subject(sub).is_some();
        self.trusted_issuers.iter().any(is_theirs)
    }

    #[must_use]
    pub fn resource(&self, identifier: &str) -> Option<&Resource> {
        self.resources
            .iter()
            .find(|resource| resource.identifier == identifier)
    }

    /// The resource that a `resource` parameter names (RFC 8707 section 2). What is written exactly so comes first.
    #[must_use]
    pub fn indicated_resource(&self, indicator: &str) -> Option<&Resource> {
        let mut resources = self.resources.iter();
        let exact = resources.find(|resource| resource.matches_indicator(indicator));
        exact.or_else(|| {
            let normal = NormalUri::parse(indicator)?;
            let mut resources = self.resources.iter();
            resources.find(|resource| resource.normal.as_ref() == Some(&normal))
        })
    }

    /// The resource that a scope token belongs to.
    #[must_use]
    pub fn scope_owner(&self, token: &str) -> Option<&Resource> {
        if let Some(plain) = self.plain_scopes.get(token) {
            return self.resource(plain.resource.as_deref()?);
        }
        let (identifier, name) = resource::split(token)?;
        self.resource(identifier)
            .filter(|resource| resource.scopes.contains_key(name))
    }

    #[must_use]
    pub fn scopes(&self) -> Scope {
        let of_resources = self.resources.iter().flat_map(|resource| {
            let names = resource.scopes.keys();
            names.map(move |name| format!("{}/{name}", resource.identifier))
        });
        let openid = OPENID_SCOPES.map(ToOwned::to_owned);
        let plain = self.plain_scopes.keys().cloned();
        let all: Vec<String> = openid
            .into_iter()
            .chain(plain)
            .chain(of_resources)
            .collect();
        all.iter().map(String::as_str).collect()
    }

    /// The URI of the management API, and the audience of its tokens.
    #[must_use]
    pub fn api_uri(&self) -> String {
        format!("{}/api/v1", self.issuer)
    }

    /// The rights over the API that scopes of other names stand for.
    #[must_use]
    pub fn rights_given_by(&self, scope: &Scope) -> Rights {
        let plain = scope
            .iter()
            .filter_map(|token| self.plain_scopes.get(token));
        plain.fold(Rights::NONE, |all, plain| all.union(plain.gives))
    }

    /// The scopes that members of this group can be given and others cannot; those of the management API aside.
    pub fn scopes_limited_to<'r>(
        &'r self,
        group: &'r str,
    ) -> impl Iterator<Item = (String, &'r DeclaredScope)> {
        let resources = self.resources.iter();
        let resources = resources.filter(|it| it.identifier != right::RESOURCE);
        let of_resources = resources.flat_map(|resource| {
            let scopes = resource.scopes.iter();
            scopes.map(|(name, scope)| (format!("{}/{name}", resource.identifier), scope))
        });
        let plain = self.plain_scopes.iter();
        let plain = plain.map(|(token, plain)| (token.clone(), &plain.declared));
        let names = move |scope: &DeclaredScope| {
            let groups = scope.groups.as_ref();
            groups.is_some_and(|groups| groups.iter().any(|it| it == group))
        };
        plain
            .chain(of_resources)
            .filter(move |(_, scope)| names(scope))
    }

    /// One node's share of a limit; at least one.
    #[must_use]
    pub fn per_node(&self, limit: u32) -> u32 {
        (limit / self.nodes.max(1)).max(1)
    }

    /// # Errors
    /// [`Failure::Operator`] if the algorithm has no active key.
    pub fn header(
        &self,
        alg: Algorithm,
        typ: grantor_jose::TokenType,
    ) -> Result<&grantor_jose::ProtectedHeader, Failure> {
        self.signing.header(alg, typ).ok_or(Failure::Operator(
            "no signing key is active for an algorithm in use",
        ))
    }

    #[must_use]
    pub fn url(&self, endpoint: Endpoint) -> String {
        format!("{}{}", self.issuer, endpoint.path())
    }
}
