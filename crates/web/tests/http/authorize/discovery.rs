//! What the Config plan checks, in addition to `metadata.rs` (OpenID Connect Discovery section 3).

use std::collections::BTreeSet;

use serde_json::Value;

use grantor_testkit::server::TestServer;

/// The names of the IANA registry "OAuth Authorization Server Metadata" that could be ours.
const REGISTERED: [&str; 45] = [
    "acr_values_supported",
    "authorization_details_types_supported",
    "authorization_endpoint",
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_session_supported",
    "backchannel_logout_supported",
    "claim_types_supported",
    "claims_locales_supported",
    "claims_parameter_supported",
    "claims_supported",
    "client_id_metadata_document_supported",
    "code_challenge_methods_supported",
    "device_authorization_endpoint",
    "display_values_supported",
    "dpop_signing_alg_values_supported",
    "end_session_endpoint",
    "frontchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "grant_types_supported",
    "id_token_signing_alg_values_supported",
    "introspection_endpoint",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "issuer",
    "jwks_uri",
    "op_policy_uri",
    "op_tos_uri",
    "prompt_values_supported",
    "protected_resources",
    "pushed_authorization_request_endpoint",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_pushed_authorization_requests",
    "response_modes_supported",
    "response_types_supported",
    "revocation_endpoint",
    "revocation_endpoint_auth_methods_supported",
    "scopes_supported",
    "service_documentation",
    "subject_types_supported",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "ui_locales_supported",
    "userinfo_endpoint",
];

async fn document(server: &TestServer, path: &str) -> Value {
    let answer = server.get(path).await;
    assert_eq!(answer.status, 200);
    serde_json::from_str(&answer.body).expect("JSON")
}

/// Item 3.
#[tokio::test]
async fn metadata_has_registered_names_only() {
    let server = TestServer::new().await;
    let metadata = document(&server, "/.well-known/openid-configuration").await;
    for name in metadata.as_object().expect("an object").keys() {
        assert!(REGISTERED.contains(&name.as_str()), "{name}");
    }
}

/// Items 4 to 8.
#[tokio::test]
async fn the_lists_of_the_metadata_are_as_the_config_plan_wants_them() {
    let server = TestServer::new().await;
    let metadata = document(&server, "/.well-known/openid-configuration").await;
    let list =
        |name: &str| -> Vec<String> { serde_json::from_value(metadata[name].clone()).expect(name) };
    assert!(list("id_token_signing_alg_values_supported").contains(&"RS256".to_owned()));
    assert!(list("scopes_supported").contains(&"openid".to_owned()));
    for scope in list("scopes_supported") {
        // RFC 6749 section 3.3: %x21 / %x23-5B / %x5D-7E.
        assert!(
            scope
                .bytes()
                .all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)),
            "{scope}"
        );
    }
    assert!(list("claims_supported").contains(&"sub".to_owned()));
    assert!(list("grant_types_supported").contains(&"refresh_token".to_owned()));
    assert_eq!(
        metadata.get("request_object_signing_alg_values_supported"),
        None
    );
    // Item 6: BCP 47 in its canonical case: a language in lower case, a region in upper.
    for locale in list("ui_locales_supported") {
        let mut parts = locale.split('-');
        let language = parts.next().expect("a language");
        assert!(language.bytes().all(|b| b.is_ascii_lowercase()), "{locale}");
        assert!(
            parts.all(|part| part.len() != 2 || part.bytes().all(|b| b.is_ascii_uppercase())),
            "{locale}"
        );
    }
}

/// Items 10 and 11.
#[tokio::test]
async fn every_key_has_a_different_kid() {
    let server = TestServer::new().await;
    let set = document(&server, "/.well-known/jwks.json").await;
    let keys = set["keys"].as_array().expect("keys");
    let kids: BTreeSet<_> = keys
        .iter()
        .map(|key| key["kid"].as_str().expect("a kid"))
        .collect();
    assert_eq!(kids.len(), keys.len());
    for key in keys {
        assert!(
            ["RSA", "EC", "OKP"].contains(&key["kty"].as_str().expect("a type")),
            "none is symmetric"
        );
        if let Some(modulus) = key["n"].as_str() {
            assert!(modulus.len() >= 2048 / 6, "2048 bits or more");
        }
    }
}
