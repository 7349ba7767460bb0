//! Tokens that were changed, unsigned or taken for another kind (RFC 8725, RFC 9068 section 4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::authorize::changed;
use grantor_testkit::server::{INTROSPECT, TestServer, claims, jose_header, refused};
use grantor_testkit::{AuthorizationRequest, SHOP};
fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The token with other contents under the old signature, or under none.
fn forged(token: &str) -> Vec<String> {
    let signature = token.rsplit('.').next().expect("a JWT");
    let (header, payload) = (jose_header(token), claims(token));
    let with = |mut value: Value, name: &str, to: Value| {
        value[name] = to;
        value
    };
    let mut tokens = vec![
        changed(token),
        format!("{token}.x"),
        format!("{token}="),
        token.replace('.', ""),
    ];
    for alg in ["none", "None", "NONE", "", "HS256"] {
        let header = part(&with(header.clone(), "alg", json!(alg)));
        for signature in ["", signature] {
            tokens.push(format!("{header}.{}.{signature}", part(&payload)));
        }
    }
    tokens.push(format!(
        "{}.{}.",
        part(&json!({"alg": "none"})),
        part(&payload)
    ));
    for (name, to) in [
        ("sub", json!("bob")),
        ("exp", json!(4_000_000_000_u64)),
        ("scope", json!("openid email")),
    ] {
        let payload = part(&with(payload.clone(), name, to));
        tokens.push(format!("{}.{payload}.{signature}", part(&header)));
    }
    for (name, to) in [
        ("kid", json!("x")),
        ("typ", json!("JWT")),
        ("crit", json!(["x"])),
        ("jwk", json!({"kty": "oct", "k": "AA"})),
    ] {
        let header = part(&with(header.clone(), name, to));
        tokens.push(format!("{header}.{}.{signature}", part(&payload)));
    }
    tokens
}

#[tokio::test]
async fn tampered_and_unsigned_tokens_are_refused() {
    let server = TestServer::new().await;
    let request = AuthorizationRequest::new(SHOP).with("scope", "openid orders.example.com/read");
    let tokens = server.app_tokens(&request).await;
    let access = tokens.member("access_token");
    assert_eq!(
        server.introspect("orders", &access).await.json()["active"],
        true
    );
    for forged in forged(&access) {
        assert_eq!(
            server.introspect("orders", &forged).await.body,
            "{\"active\":false}",
            "{forged}"
        );
        let own = server
            .post_as(INTROSPECT, SHOP, &[("token", &forged)])
            .await;
        assert_eq!(own.body, "{\"active\":false}", "{forged}");
    }
    let request = request.with("scope", "openid");
    let access = server.app_tokens(&request).await.member("access_token");
    assert_eq!(server.userinfo(&access).await.status, 200);
    for forged in forged(&access) {
        let answer = server.userinfo(&forged).await;
        assert_eq!(answer.error(), refused(401, "invalid_token"), "{forged}");
    }
}

/// RFC 9700 section 4.8 has no name for it, RFC 9068 section 4 does: the type distinguishes them.
#[tokio::test]
async fn id_tokens_and_access_tokens_are_not_interchangeable() {
    let server = TestServer::new().await;
    let tokens = server.app_tokens(&AuthorizationRequest::new(SHOP)).await;
    let (id, access) = (tokens.member("id_token"), tokens.member("access_token"));
    assert_eq!(
        server.userinfo(&id).await.error(),
        refused(401, "invalid_token")
    );
    let own = server.post_as(INTROSPECT, SHOP, &[("token", &id)]).await;
    assert_eq!(own.body, "{\"active\":false}");
    assert_eq!(jose_header(&access)["typ"], "at+jwt");
    assert_ne!(jose_header(&id)["typ"], "at+jwt");
    let hint = AuthorizationRequest::new(SHOP)
        .with("prompt", "none")
        .with("id_token_hint", &access);
    let result = server.browser().authorize(&hint).await;
    assert_eq!(result.error(), "invalid_request");
}

/// Two kinds of resources, two audiences: a token for an API says nothing of the client to others.
#[tokio::test]
async fn a_token_of_another_issuer_with_the_same_keys_is_not_ours() {
    let server = TestServer::new().await;
    // The same store, so that the grant is there, too.
    let other = server.restarted(|realm| realm.issuer = "https://other.example.com".to_owned());
    let token = other
        .app_tokens(&AuthorizationRequest::new(SHOP))
        .await
        .member("access_token");
    assert_eq!(other.userinfo(&token).await.status, 200);
    assert_eq!(
        server.userinfo(&token).await.error(),
        refused(401, "invalid_token")
    );
    let asked = server.post_as(INTROSPECT, SHOP, &[("token", &token)]).await;
    assert_eq!(asked.body, "{\"active\":false}");
}
