//! The claims of access tokens (RFC 9068 section 2.2), ID tokens (OpenID Connect Core section 2) and logout tokens.

use grantor_jose::Algorithm;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::actor::{Actor, MayAct};
use crate::model::ids::{ClientId, Jti};
use crate::model::scope::Scope;

/// The supported `acr` values (OpenID Connect Core section 2): a password is level 1 of ISO/IEC 29115.
pub const ACR: [&str; 1] = ["1"];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    pub iss: String,
    /// The user's id, or for machines the client id (RFC 9068 section 5).
    pub sub: String,
    /// The one resource that the token is for, or else the issuer.
    pub aud: String,
    pub exp: u64,
    /// Seconds since the epoch.
    pub iat: u64,
    pub jti: Jti,
    /// The client that it was issued to.
    pub client_id: ClientId,
    #[serde(default, skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// When the user signed in, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// RFC 8693 section 4.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// RFC 8693 section 4.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_act: Option<MayAct>,
    /// Key binding (RFC 7800). We issue no bound tokens yet, and refuse bound ones in exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Value>,
    /// The resource's mapped claims, never with one of the names above
    /// ([`ClaimMapping`](crate::model::claim_mapping::ClaimMapping)).
    #[serde(flatten)]
    pub mapped: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    pub iss: String,
    pub sub: String,
    pub aud: ClientId,
    pub exp: u64,
    /// Seconds since the epoch.
    pub iat: u64,
    /// When the user signed in, in seconds since the epoch.
    pub auth_time: u64,
    /// How the user signed in (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// One of [`ACR`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// OpenID Connect Back-Channel Logout section 2.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Names the grant, so that the ID token can be exchanged. Without a grant if it came from an exchange itself.
    pub jti: Jti,
    /// RFC 8693 section 4.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// From the authorization request (OpenID Connect Core section 3.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The left half of the access token's hash (OpenID Connect Core section 3.1.3.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// Individually requested claims (OpenID Connect Core section 5.5) and the client's mapped claims.
    #[serde(flatten)]
    pub further: Map<String, Value>,
    /// The signing algorithm; not a claim.
    #[serde(skip, default = "default_algorithm")]
    pub alg: Algorithm,
}

/// The claims of a logout token (OpenID Connect Back-Channel Logout section 2.4). A `nonce` "MUST NOT be present", so
/// that a logout token never passes for an ID token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogoutTokenClaims {
    pub iss: String,
    pub sub: String,
    pub aud: ClientId,
    /// The session that ended, as in ID tokens.
    pub sid: String,
    /// Seconds since the epoch.
    pub iat: u64,
    pub exp: u64,
    pub jti: Jti,
    /// [`Self::events`].
    pub events: Value,
}

impl LogoutTokenClaims {
    /// The one event of a logout token, which has no members.
    #[must_use]
    pub fn events() -> Value {
        json!({ "http://schemas.openid.net/event/backchannel-logout": {} })
    }
}

const fn default_algorithm() -> Algorithm {
    Algorithm::Rs256
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::claim_mapping::{Carrier, ClaimMapping};

    /// All claims that we set ourselves.
    const OURS: [(Carrier, &str); 2] = [
        (
            Carrier::AccessToken,
            r#"{"iss":"i","sub":"s","aud":"a","exp":2,"iat":1,"jti":"00","client_id":"c","scope":"openid","auth_time":1,
                "sid":"s","groups":["g"],"act":{"sub":"a","client_id":"c"},"may_act":{"sub":"a"},"cnf":{}}"#,
        ),
        (
            Carrier::IdToken,
            r#"{"iss":"i","sub":"s","aud":"c","exp":2,"iat":1,"auth_time":1,"amr":["pwd"],"acr":"1","sid":"s","jti":"00",
                "act":{"sub":"a","client_id":"c"},"nonce":"n","at_hash":"h"}"#,
        ),
    ];

    #[test]
    fn mappings_may_not_set_any_of_our_own_claims() {
        for (carrier, ours) in OURS {
            let ours: Map<String, Value> = serde_json::from_str(ours).unwrap();
            for name in ours.keys() {
                assert!(ClaimMapping::check(carrier, name).is_err(), "{name}");
            }
            // Fails until a new claim is added to `OURS`.
            let claims = Value::Object(ours.clone());
            let (further, again) = match carrier {
                Carrier::AccessToken => {
                    let claims: AccessTokenClaims = serde_json::from_value(claims).unwrap();
                    (claims.mapped.clone(), serde_json::to_value(claims))
                }
                Carrier::IdToken => {
                    let claims: IdTokenClaims = serde_json::from_value(claims).unwrap();
                    (claims.further.clone(), serde_json::to_value(claims))
                }
            };
            assert!(further.is_empty(), "{further:?}");
            assert_eq!(again.unwrap(), Value::Object(ours));
        }
    }
}
