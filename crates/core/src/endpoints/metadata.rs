//! Metadata (RFC 8414 section 2, OpenID Connect Discovery section 3), built from the tables that the endpoints use.

use grantor_jose::Algorithm;
use serde_json::{Value, json};

use super::authorize;
use crate::client_auth;
use crate::model::claims::ACR;
use crate::model::endpoint::Endpoint;
use crate::model::grant_type::GrantType;
use crate::model::realm::Realm;
use crate::model::{claims_request, pkce, prompt};

/// The claims of ID tokens that do not describe the user.
const TOKEN_CLAIMS: [&str; 11] = [
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "amr",
    "acr",
    "sid",
    "jti",
    "at_hash",
];

/// The endpoints with a `*_auth_methods_supported` member (RFC 8414 section 2).
const AUTHENTICATING: [Endpoint; 3] = [Endpoint::Token, Endpoint::Introspect, Endpoint::Revoke];

fn methods(endpoint: Endpoint) -> Vec<&'static str> {
    let methods = client_auth::methods(endpoint.clients()).iter();
    methods.map(|method| method.name()).collect()
}

/// The same document at both well-known paths. `ui_locales` are the languages of the pages (BCP 47).
#[must_use]
pub fn document(realm: &Realm, ui_locales: &[&str]) -> Value {
    let algorithms: Vec<&str> = realm.signing.algorithms().map(Algorithm::name).collect();
    let mut document = json!({
        "issuer": realm.issuer,
        "scopes_supported": realm.scopes().iter().collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": authorize::MODES.map(|(name, _)| name),
        "grant_types_supported": GrantType::ALL.map(GrantType::wire),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": pkce::METHODS,
        "prompt_values_supported": prompt::VALUES,
        "acr_values_supported": ACR,
        "ui_locales_supported": ui_locales,
        "claim_types_supported": ["normal"],
        "claims_supported": claims(realm),
        // RFC 9207 section 3.
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": true,
        // OpenID Connect Back-Channel Logout section 2.1.
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    });
    for endpoint in Endpoint::ALL {
        let Some(member) = endpoint.metadata() else {
            continue;
        };
        document[member] = realm.url(endpoint).into();
        if AUTHENTICATING.contains(&endpoint) {
            document[format!("{member}_auth_methods_supported")] = methods(endpoint).into();
        }
    }
    document
}
/// Those of the standard, and those that plain scopes stand for.
fn claims(realm: &Realm) -> Vec<&str> {
    let of_scopes = realm
        .plain_scopes
        .values()
        .flat_map(|scope| scope.claims.names());
    let mut of_scopes: Vec<_> = of_scopes.collect();
    of_scopes.sort_unstable();
    let mut claims: Vec<_> = TOKEN_CLAIMS
        .into_iter()
        .chain(claims_request::standard_claims())
        .collect();
    for claim in of_scopes {
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    claims
}
