//! Metadata (RFC 8414 section 2, OpenID Connect Discovery section 3): made from the tables, so that what is
//! advertised is what runs.

use grantor_jose::Algorithm;
use serde_json::{Value, json};

use super::path;
use crate::client_auth;
use crate::grants;
use crate::pool::Pool;

/// The document, the same at both of its addresses.
#[must_use]
pub fn document(pool: &Pool) -> Value {
    let algorithms: Vec<&str> = pool.signing.algorithms().map(Algorithm::name).collect();
    json!({
        "issuer": pool.issuer,
        "token_endpoint": pool.url(path::TOKEN),
        "device_authorization_endpoint": pool.url(path::DEVICE_AUTHORIZATION),
        "introspection_endpoint": pool.url(path::INTROSPECT),
        "revocation_endpoint": pool.url(path::REVOKE),
        "userinfo_endpoint": pool.url(path::USERINFO),
        "jwks_uri": pool.url(path::JWKS),
        "scopes_supported": pool.scopes().iter().collect::<Vec<_>>(),
        // Nobody can sign in to an app by a redirect yet, so no response type is supported, and
        // authorization_endpoint is left out.
        "response_types_supported": [],
        "grant_types_supported": grants::supported().collect::<Vec<_>>(),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": client_auth::METHODS,
        "introspection_endpoint_auth_methods_supported": client_auth::CONFIDENTIAL_METHODS,
        "revocation_endpoint_auth_methods_supported": client_auth::METHODS,
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "amr", "at_hash", "name", "family_name", "given_name",
            "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "gender", "birthdate",
            "zoneinfo", "locale", "updated_at", "email", "email_verified", "address", "phone_number",
            "phone_number_verified",
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    })
}
