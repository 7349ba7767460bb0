//! The claims of access tokens (RFC 9068 section 2.2) and ID tokens (OpenID Connect Core section 2).

use grantor_jose::Algorithm;
use serde::{Deserialize, Serialize};

use crate::id::{ClientId, Jti};
use crate::scope::Scope;

/// The claims of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The user's id; a machine's is its client id (RFC 9068 section 5).
    pub sub: String,
    /// The one resource that it is for; the issuer where it is for none.
    pub aud: String,
    /// When it ends, in seconds since the epoch.
    pub exp: u64,
    /// When it was issued, in seconds since the epoch.
    pub iat: u64,
    /// Its id.
    pub jti: Jti,
    /// The client to which it was given.
    pub client_id: ClientId,
    /// What it allows.
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// When the user signed in, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    /// The session, where the grant ends with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The user's groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// The claims of an ID token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The user's id.
    pub sub: String,
    /// The client.
    pub aud: ClientId,
    /// When it ends, in seconds since the epoch.
    pub exp: u64,
    /// When it was issued, in seconds since the epoch.
    pub iat: u64,
    /// When the user signed in, in seconds since the epoch.
    pub auth_time: u64,
    /// How the user signed in (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The left half of the access token's hash (OpenID Connect Core section 3.1.3.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// How it is signed: no claim.
    #[serde(skip, default = "default_algorithm")]
    pub alg: Algorithm,
}

const fn default_algorithm() -> Algorithm {
    Algorithm::Rs256
}
