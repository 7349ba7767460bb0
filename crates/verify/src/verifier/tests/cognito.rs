//! An issuer in the shape of Amazon Cognito: no `typ`, no `aud`, one key for ID tokens and another for access tokens.

use super::*;
use crate::testing::{METADATA, MockIssuer, http};

/// A user pool: the issuer has a path; two RSA keys, of which the first signs ID tokens, with ids as Cognito's.
struct Pool {
    issuer: String,
    clock: Clock,
    access: Key,
    verifier: Verifier,
}

impl Pool {
    async fn new() -> Self {
        let server = MockIssuer::new().await;
        let issuer = format!("{}/eu-central-1_6uc9sj6HL", server.url);
        let [id, access] = ["aWQ=", "YWNjZXNz="].map(|kid| Key::new(Algorithm::Rs256, kid));
        let path = "/eu-central-1_6uc9sj6HL";
        let jwks = format!("{path}/.well-known/jwks.json");
        let metadata = json!({
            "issuer": issuer, "jwks_uri": format!("{}{jwks}", server.url),
            "response_types_supported": ["code", "token"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        server.set(&format!("{path}{METADATA}"), Answer::Json(metadata));
        server.set(&jwks, Answer::Json(key_set(&[&id, &access])));
        let clock = Clock::new();
        let builder = Verifier::cognito(&issuer, ["gvcaed2brn0i23hiu6sviomvp"]).unwrap();
        let builder = builder.http(http()).clock(clock.clone());
        Self {
            issuer,
            clock,
            access,
            verifier: builder.build().unwrap(),
        }
    }

    async fn verify(&self, changes: Value) -> Result<AccessToken, Refusal> {
        let now = self.clock.now();
        let claims = json!({
            "sub": "gvcaed2brn0i23hiu6sviomvp", "token_use": "access",
            "scope": "mydomain.com/API_ACCESS", "auth_time": now, "iss": self.issuer,
            "exp": now + 3600, "iat": now, "version": 2, "jti": "fa8d407e",
            "client_id": "gvcaed2brn0i23hiu6sviomvp",
        });
        let header = with(&self.access.header(), json!({ "typ": null }));
        let token = self.access.token(&header, &with(&claims, changes));
        self.verifier.verify(&token).await
    }
}

#[tokio::test]
async fn access_tokens_are_known_by_token_use_and_client_id() {
    let pool = Pool::new().await;
    let token = pool.verify(json!({})).await.unwrap();
    assert!(token.scope.has("mydomain.com/API_ACCESS"));
    assert!(token.audience.is_empty());
    assert!(pool.verify(json!({ "aud": "https://api" })).await.is_ok());
}

#[tokio::test]
async fn id_tokens_and_other_clients_tokens_are_refused() {
    let pool = Pool::new().await;
    for (changes, expected) in [
        (json!({ "token_use": "id" }), Invalid::NotAnAccessToken),
        (json!({ "token_use": null }), Invalid::NotAnAccessToken),
        (
            json!({ "token_use": ["access"] }),
            Invalid::NotAnAccessToken,
        ),
        (json!({ "client_id": "other" }), Invalid::Audience),
        // An ID token has its client in `aud` instead.
        (
            json!({ "client_id": null, "aud": "gvcaed2brn0i23hiu6sviomvp" }),
            Invalid::Audience,
        ),
        (
            json!({ "iss": "https://cognito-idp.example" }),
            Invalid::Issuer,
        ),
    ] {
        let refusal = pool.verify(changes).await.unwrap_err();
        assert!(
            matches!(refusal, Refusal::InvalidToken(invalid) if invalid == expected),
            "{refusal}"
        );
    }
}
