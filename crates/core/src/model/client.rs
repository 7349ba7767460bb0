//! Registered clients and their policies.

use std::time::Duration;

use grantor_jose::Algorithm;

use crate::base::names::config_names;
use crate::base::secret::SecretVerifier;
use crate::base::time::Timestamp;
use crate::model::actor::MayAct;
use crate::model::claim_mapping::ClaimMapping;
use crate::model::grant_type::GrantType;
use crate::model::ids::{ClientId, ClientInstance, OrganizationId, UserId};
use crate::model::organization::Availability;
use crate::model::redirect_uri::{RedirectUri, is_same_loopback_host};
use crate::model::scope::Scope;

/// A registered client (RFC 6749 section 2).
#[derive(Clone, Debug)]
pub struct Client {
    pub id: ClientId,
    pub instance: ClientInstance,
    pub name: String,
    pub enabled: bool,
    /// When it was made; declared clients have none.
    pub made_at: Option<Timestamp>,
    pub organization: Option<OrganizationId>,
    /// The user who made it; declared clients have none.
    pub owner: Option<UserId>,
    /// Whether it is disabled because its owner is.
    pub stopped_with_owner: bool,
    pub availability: Availability,
    pub auth: ClientAuth,
    /// The ids of its secrets, in the order of their verifiers. Those of declared clients have none.
    pub secret_ids: Vec<Box<str>>,
    pub grants: Vec<GrantType>,
    pub scopes: Scope,
    /// Used for requests without a scope (RFC 6749 section 3.3).
    pub default_scopes: Scope,
    /// Identifiers of the resources that this client *is*: it may introspect their tokens.
    pub resources: Vec<String>,
    pub access_lifetime: Duration,
    /// The lifetime of unused refresh tokens.
    pub refresh_idle: Duration,
    /// The maximum lifetime of refresh tokens, counted from the authorization.
    pub refresh_absolute: Duration,
    /// How long a rotated refresh token is still accepted and answered with the same successor.
    pub grace: Duration,
    /// Whether each refresh issues a new refresh token. Always on for public clients (RFC 9700 section 2.2.2).
    pub rotation: bool,
    pub id_token_alg: Algorithm,
    pub id_claims: ClaimMapping,
    pub id_token_claims: IdTokenContent,
    /// The client that may act for the users of this one; their access tokens name it in `may_act`.
    pub actor: Option<ClientId>,
    pub device: DevicePolicy,
    pub code: CodePolicy,
    pub logout: LogoutPolicy,
    /// Origins (RFC 6454 section 6.2) whose scripts may act as this client (CORS).
    pub origins: Vec<String>,
}

/// The settings of the authorization code grant (RFC 6749 section 4.1).
#[derive(Clone, Debug)]
pub struct CodePolicy {
    pub redirect_uris: Vec<RedirectUri>,
    /// RFC 7636. Always set for public clients (RFC 9700 section 2.1.1).
    pub pkce_required: bool,
    pub lifetime: Duration,
    pub consent: ConsentPolicy,
}

impl CodePolicy {
    /// For clients without this grant.
    pub const NONE: Self = Self {
        redirect_uris: Vec::new(),
        pkce_required: true,
        lifetime: Duration::ZERO,
        consent: ConsentPolicy::Ask,
    };
}

/// Which of the standard claims ID tokens have, besides those that the `claims` parameter asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdTokenContent {
    /// `groups` where that scope was granted. OpenID Connect Core section 5.4: the claims of the other scopes "are returned
    /// from the UserInfo Endpoint […] when […] an Access Token is issued".
    #[default]
    Requested,
    /// Those of the granted scopes, for clients that do not ask userinfo.
    Scopes,
}

config_names!(IdTokenContent {
    Requested = "requested",
    Scopes = "scopes",
});

/// Whether users are asked for consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentPolicy {
    /// Until they agreed once.
    Ask,
    /// Never: the operator vouches for the client.
    Skip,
}

config_names!(ConsentPolicy {
    Ask = "ask",
    Skip = "skip",
});

#[derive(Clone, Debug, Default)]
pub struct LogoutPolicy {
    /// Post-logout redirect URIs (OpenID Connect RP-Initiated Logout section 3.1).
    pub redirect_uris: Vec<RedirectUri>,
    /// OpenID Connect Back-Channel Logout section 2.2.
    pub backchannel_uri: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub struct DevicePolicy {
    pub lifetime: Duration,
    pub approval: DeviceApproval,
    /// The maximum age of the approver's sign-in.
    pub approver_max_age: Duration,
}

/// What approving a device requires (RFC 10027 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceApproval {
    /// Warn if device and browser are on different networks.
    Warn,
    SameNetwork,
    /// The page of the decision does not show the code: the user must type it from the device.
    Retype,
}

config_names!(DeviceApproval {
    Warn = "warn",
    SameNetwork = "same_network",
    Retype = "retype",
});

/// How a client authenticates, by the registered name (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// Not at all: a public client.
    None,
    /// The secret by HTTP Basic.
    SecretBasic,
    /// The secret in the body.
    SecretPost,
}

config_names!(AuthMethod {
    None = "none",
    SecretBasic = "client_secret_basic",
    SecretPost = "client_secret_post",
});

#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// RFC 6749 section 2.1.
    Public,
    Secret {
        /// Any of these is accepted, so that a secret can be replaced without downtime.
        verifiers: Vec<SecretVerifier>,
        /// Allows HTTP Basic (RFC 6749 section 2.3.1).
        basic: bool,
        /// Allows credentials in the body (RFC 6749 section 2.3.1).
        post: bool,
    },
}

/// The lifetimes of the tokens of one grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantLifetimes {
    pub access: Duration,
    /// `None` if the client may not use refresh tokens.
    pub refresh: Option<RefreshLifetimes>,
    /// The maximum lifetime of the session that a grant may depend on.
    pub session: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshLifetimes {
    pub idle: Duration,
    /// Counted from the authorization, regardless of use.
    pub absolute: Duration,
}

impl Client {
    #[must_use]
    pub const fn is_confidential(&self) -> bool {
        matches!(self.auth, ClientAuth::Secret { .. })
    }

    #[must_use]
    pub fn has_guessable_secret(&self) -> bool {
        match &self.auth {
            ClientAuth::Public => false,
            ClientAuth::Secret { verifiers, .. } => verifiers.iter().any(SecretVerifier::guessable),
        }
    }

    /// The registered redirect URI that matches the request, and whether it matches exactly: loopback hosts match
    /// with any port (RFC 8252 section 7.3).
    #[must_use]
    pub fn redirect_uri(&self, asked: &str) -> Option<(&RedirectUri, bool)> {
        let exact = |uri: &&RedirectUri| uri.as_str() == asked;
        let uris = &self.code.redirect_uris;
        let found = uris.iter().find(exact).map(|uri| (uri, true));
        found.or_else(|| {
            let like = uris.iter().find(|uri| uri.accepts(asked))?;
            Some((like, false))
        })
    }

    /// Whether scripts of this origin may read its answers (CORS). `origin` is as browsers serialize it (RFC 6454 section
    /// 6.2). Never true for `null`, which stands for any file, sandbox or redirect. A loopback origin without a port is that
    /// of every port: redirects take any there, too.
    #[must_use]
    pub fn has_origin(&self, origin: &str) -> bool {
        let mut own = self.origins.iter();
        origin != "null" && own.any(|own| own == origin || is_same_loopback_host(own, origin))
    }

    /// RFC 8693 section 4.4.
    #[must_use]
    pub fn may_act(&self) -> Option<MayAct> {
        let actor = self.actor.as_ref()?.to_string();
        Some(MayAct {
            sub: actor.clone(),
            client_id: Some(actor),
            iss: None,
        })
    }

    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    #[must_use]
    pub const fn refresh_lifetimes(&self) -> RefreshLifetimes {
        RefreshLifetimes {
            idle: self.refresh_idle,
            absolute: self.refresh_absolute,
        }
    }

    /// `session` is the realm's maximum session lifetime.
    #[must_use]
    pub fn grant_lifetimes(&self, session: Duration) -> GrantLifetimes {
        let refreshes = self.may_use(GrantType::RefreshToken);
        GrantLifetimes {
            access: self.access_lifetime,
            refresh: refreshes.then(|| self.refresh_lifetimes()),
            session,
        }
    }

    /// What its ID tokens disclose of a user besides the granted scopes.
    #[must_use]
    pub fn disclosed_claims(&self, scope: &Scope) -> Vec<String> {
        let open = self.id_claims.disclosed_without_scope();
        let open = open.into_iter().filter(|_| scope.contains("openid"));
        open.map(ToOwned::to_owned).collect()
    }
}
