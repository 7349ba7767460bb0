//! Clients, as the realm's configuration has them.

use std::time::Duration;

use grantor_jose::Algorithm;

use crate::base::error::{ErrorCode, Refusal};
use crate::base::names::names;
use crate::base::secret::SecretVerifier;
use crate::model::actor::MayAct;
use crate::model::claim_mapping::ClaimMapping;
use crate::model::grant_type::GrantType;
use crate::model::ids::ClientId;
use crate::model::redirect_uri::RedirectUri;
use crate::model::scope::Scope;

/// A registered client (RFC 6749 section 2).
#[derive(Clone, Debug)]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// Its name, for people.
    pub name: String,
    /// A client that is not enabled gets nothing.
    pub enabled: bool,
    /// How it authenticates.
    pub auth: ClientAuth,
    /// The grants that it may use.
    pub grants: Vec<GrantType>,
    /// What it may ask for.
    pub scopes: Scope,
    /// What it gets where it asks for none (RFC 6749 section 3.3).
    pub default_scopes: Scope,
    /// Identifiers of the resources that it *is*: it may introspect tokens for them.
    pub resources: Vec<String>,
    /// How long its access tokens live.
    pub access_lifetime: Duration,
    /// How long its refresh tokens live unused.
    pub refresh_idle: Duration,
    /// How long its refresh tokens live at most, from the authorization on.
    pub refresh_absolute: Duration,
    /// How long the predecessor of a refresh token is still answered, with the same successor.
    pub grace: Duration,
    /// Whether each refresh gives a new refresh token. Never off for a public client (RFC 9700 section 2.2.2).
    pub rotation: bool,
    /// The algorithm of its ID tokens.
    pub id_token_alg: Algorithm,
    /// The further claims of its ID tokens.
    pub id_claims: ClaimMapping,
    /// The client that may act for its users: their access tokens name it in `may_act`.
    pub actor: Option<ClientId>,
    /// How its devices are approved.
    pub device: DevicePolicy,
    /// How it gets authorization codes.
    pub code: CodePolicy,
    /// How its users sign out.
    pub logout: LogoutPolicy,
    /// The origins (RFC 6454 section 6.2) whose scripts may call as this client (CORS).
    pub origins: Vec<String>,
}

/// How a client gets authorization codes (RFC 6749 section 4.1).
#[derive(Clone, Debug)]
pub struct CodePolicy {
    /// Where browsers are sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// Whether it must use PKCE (RFC 7636). Always, for a public client (RFC 9700 section 2.1.1).
    pub pkce_required: bool,
    /// How long its codes live.
    pub lifetime: Duration,
    /// Whether its users are asked first.
    pub consent: ConsentPolicy,
}

impl CodePolicy {
    /// That of a client that gets no codes.
    pub const NONE: Self = Self {
        redirect_uris: Vec::new(),
        pkce_required: true,
        lifetime: Duration::ZERO,
        consent: ConsentPolicy::Ask,
    };
}

/// Whether users are asked before a client gets what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentPolicy {
    /// They are, until they agreed once.
    Ask,
    /// They are not: the operator answers for the client, as for its own.
    Skip,
}

names!(ConsentPolicy {
    Ask = "ask",
    Skip = "skip",
});

/// How a client's users sign out.
#[derive(Clone, Debug, Default)]
pub struct LogoutPolicy {
    /// Where browsers may go after sign-out (OpenID Connect RP-Initiated Logout section 3.1).
    pub redirect_uris: Vec<RedirectUri>,
    /// Who is told that a session ended (OpenID Connect Back-Channel Logout section 2.2).
    pub backchannel_uri: Option<String>,
}

/// How a client's devices are approved.
#[derive(Clone, Copy, Debug)]
pub struct DevicePolicy {
    /// How long a code lives.
    pub lifetime: Duration,
    /// What the approver must show.
    pub approval: DeviceApproval,
    /// How old the approver's sign-in may be.
    pub approver_max_age: Duration,
}

/// What an approver must show (RFC 10027 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceApproval {
    /// A warning where device and browser are on different networks.
    Warn,
    /// Device and browser must be on the same network.
    SameNetwork,
    /// The code must be typed from the device; a prefilled one is not shown.
    Retype,
}

names!(DeviceApproval {
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

names!(AuthMethod {
    None = "none",
    SecretBasic = "client_secret_basic",
    SecretPost = "client_secret_post",
});

/// How a client authenticates.
#[derive(Clone, Debug)]
pub enum ClientAuth {
    /// A public client: not at all (RFC 6749 section 2.1).
    Public,
    /// A confidential client with secrets.
    Secret {
        /// Any of these is right, so that a secret can be replaced without a gap.
        verifiers: Vec<SecretVerifier>,
        /// Whether HTTP Basic is allowed (RFC 6749 section 2.3.1).
        basic: bool,
        /// Whether credentials in the body are allowed (RFC 6749 section 2.3.1).
        post: bool,
    },
}

/// How long what one grant gives lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantLifetimes {
    /// Access tokens.
    pub access: Duration,
    /// Refresh tokens, where the client may use them.
    pub refresh: Option<RefreshLifetimes>,
    /// The longest life of the session to which a grant may be bound.
    pub session: Duration,
}

/// How long a refresh token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshLifetimes {
    /// Unused.
    pub idle: Duration,
    /// At most, from the authorization on, however often it is used.
    pub absolute: Duration,
}

impl Client {
    /// Whether it can keep a secret, and has one.
    #[must_use]
    pub const fn is_confidential(&self) -> bool {
        matches!(self.auth, ClientAuth::Secret { .. })
    }

    /// The registered redirect URI that a request names, and whether it is that very text: of a loopback address,
    /// another port is the same app's (RFC 8252 section 7.3).
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

    /// Who may act for its users (RFC 8693 section 4.4).
    #[must_use]
    pub fn may_act(&self) -> Option<MayAct> {
        let actor = self.actor.as_ref()?.to_string();
        Some(MayAct {
            sub: actor.clone(),
            client_id: Some(actor),
            iss: None,
        })
    }

    /// Whether it may use a grant.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    /// How long its refresh tokens live.
    #[must_use]
    pub const fn refresh_lifetimes(&self) -> RefreshLifetimes {
        RefreshLifetimes {
            idle: self.refresh_idle,
            absolute: self.refresh_absolute,
        }
    }

    /// How long what its grants give lives, in a realm whose sessions live at most `session`.
    #[must_use]
    pub fn grant_lifetimes(&self, session: Duration) -> GrantLifetimes {
        let refreshes = self.may_use(GrantType::RefreshToken);
        GrantLifetimes {
            access: self.access_lifetime,
            refresh: refreshes.then(|| self.refresh_lifetimes()),
            session,
        }
    }

    /// What it asks for: its defaults where it names nothing (RFC 6749 section 3.3), never more than it may.
    ///
    /// # Errors
    /// `invalid_scope` where a token is unknown or not allowed.
    pub fn requested_scope(&self, asked: Option<&Scope>) -> Result<Scope, Refusal> {
        let scope = asked.unwrap_or(&self.default_scopes);
        if scope.is_within(&self.scopes) {
            return Ok(scope.clone());
        }
        Err(Refusal::new(
            ErrorCode::InvalidScope,
            "The client may not ask for this scope, or it is unknown.",
        ))
    }
}
