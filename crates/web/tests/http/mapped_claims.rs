//! Claims that the operator maps, on the wire.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::model::claim_mapping::{Carrier, ClaimMapping};
use serde_json::json;

use grantor_testkit::server::{TestServer, claims};
use grantor_testkit::{AuthorizationRequest, PORTAL, client};

/// The claims, each with its source.
fn mapping<const N: usize>(carrier: Carrier, claims: [(&str, &str); N]) -> ClaimMapping {
    let claims = claims.map(|(name, source)| {
        let source = source.parse().expect("a source");
        (name.to_owned(), source)
    });
    ClaimMapping::new(carrier, claims).expect("a mapping")
}

/// The text of a JWT's claims.
fn payload(token: &str) -> String {
    let part = token.split('.').nth(1).expect("a JWT");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    String::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn mapped_claims_appear_once_in_each_token_and_in_introspection() {
    let server = TestServer::with(|realm| {
        let sources = [
            ("first_name", "user.given_name"),
            ("username", "user.email"),
            ("app", "client.name"),
            ("tier", "'gold'"),
        ];
        realm.resources[0].claims = mapping(Carrier::AccessToken, sources);
        let portal = client(realm, "portal");
        let sources = [("email", "user.email"), ("by", "grant.kind")];
        portal.id_claims = mapping(Carrier::IdToken, sources);
        portal.actor = Some("orders".parse().expect("a client id"));
    })
    .await;
    let request = AuthorizationRequest::new(PORTAL)
        .with("scope", "openid profile email orders.example.com/read")
        .with("claims", r#"{"id_token":{"email":null}}"#);
    let tokens = server.app_tokens(&request).await;
    let (access, id) = (tokens.member("access_token"), tokens.member("id_token"));
    let may_act = json!({ "sub": "orders", "client_id": "orders" });

    let reply = claims(&access);
    for (name, value) in [
        ("first_name", json!("alice")),
        ("username", json!("alice@example.com")),
        ("app", json!("The portal & Co")),
        ("tier", json!("gold")),
        ("may_act", may_act.clone()),
    ] {
        assert_eq!(reply[name], value, "{name}");
    }
    let reply = claims(&id);
    assert_eq!(reply["email"], "alice@example.com");
    assert_eq!(reply["by"], "authorization_code");

    let introspection = server.introspect("orders", &access).await;
    let reply = introspection.json();
    for (name, value) in [
        ("active", json!(true)),
        ("first_name", json!("alice")),
        // Its own, and not the mapped one.
        ("username", json!("alice")),
        ("tier", json!("gold")),
        ("may_act", may_act),
    ] {
        assert_eq!(reply[name], value, "{name}");
    }
    // Of a repeated name, a parser would silently keep one.
    for text in [payload(&access), payload(&id), introspection.body] {
        for name in ["email", "username", "may_act", "tier", "by"] {
            assert!(text.matches(&format!("\"{name}\":")).count() <= 1, "{text}");
        }
    }
}
