//! The claims of access tokens (RFC 9068 section 2.2), ID tokens (OpenID Connect Core section 2) and logout tokens.

use grantor_jose::Algorithm;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::model::actor::{Actor, MayAct};
use crate::model::ids::{ClientId, Jti};
use crate::model::scope::Scope;

/// The classes of authentication that are offered (OpenID Connect Core section 2, `acr`): a password is level 1 of ISO/IEC 29115.
pub const ACR: [&str; 1] = ["1"];

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
    /// The session in which it was granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The user's groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Who acts for the subject (RFC 8693 section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// Who may act for the subject (RFC 8693 section 4.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_act: Option<MayAct>,
    /// The key to which it is bound (RFC 7800): none is yet, and one that is takes no part in exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Value>,
    /// Further claims, as the resource has them mapped: none of the names above
    /// ([`ClaimMapping`](crate::model::claim_mapping::ClaimMapping)).
    #[serde(flatten)]
    pub mapped: Map<String, Value>,
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
    /// What class of authentication that is: [`ACR`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The session in which the user granted it (OpenID Connect Back-Channel Logout section 2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Its id, which names the grant: so that it can be exchanged. That of one which was exchanged itself names none.
    pub jti: Jti,
    /// Who acts for the user (RFC 8693 section 4.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// What the client sent to tell this answer from others (OpenID Connect Core section 3.1.2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The left half of the access token's hash (OpenID Connect Core section 3.1.3.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// Claims of the user that were asked for one by one (OpenID Connect Core section 5.5), and further ones, as the client
    /// has them mapped.
    #[serde(flatten)]
    pub further: Map<String, Value>,
    /// How it is signed: no claim.
    #[serde(skip, default = "default_algorithm")]
    pub alg: Algorithm,
}

/// The claims of a logout token (OpenID Connect Back-Channel Logout section 2.4). It has no `nonce`, which "MUST NOT be
/// present": so it never passes for an ID token that answers a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogoutTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The user's id.
    pub sub: String,
    /// The client.
    pub aud: ClientId,
    /// The session that ended, as ID tokens name it.
    pub sid: String,
    /// When it was issued, in seconds since the epoch.
    pub iat: u64,
    /// When it ends, in seconds since the epoch.
    pub exp: u64,
    /// Its id.
    pub jti: Jti,
    /// What happened: [`Self::events`].
    pub events: Value,
}

impl LogoutTokenClaims {
    /// The one event of a logout token, without particulars.
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

    /// What we set ourselves, whole.
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
    fn every_claim_of_ours_is_refused_to_mappings() {
        for (carrier, ours) in OURS {
            let ours: Map<String, Value> = serde_json::from_str(ours).unwrap();
            for name in ours.keys() {
                assert!(ClaimMapping::check(carrier, name).is_err(), "{name}");
            }
            // A claim that a token comes to have is to be added here.
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
