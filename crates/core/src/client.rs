//! Clients, as the pool's configuration has them.

use std::time::Duration;

use grantor_jose::Algorithm;

use crate::grant_type::GrantType;
use crate::id::ClientId;
use crate::scope::Scope;
use crate::secret::SecretVerifier;

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
    /// How its devices are approved.
    pub device: DevicePolicy,
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

impl Client {
    /// Whether it can keep a secret, and has one.
    #[must_use]
    pub const fn is_confidential(&self) -> bool {
        matches!(self.auth, ClientAuth::Secret { .. })
    }

    /// Whether it may use a grant.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }
}
