//! What a token costs a resource server in Rust: the crate `grantor-verify`, compared with the signature alone.

use std::collections::BTreeMap;

use axum::Router;
use axum::routing::get;
use grantor_jose::{
    Algorithm, Jwks, ProtectedHeader, SigningInput, SigningKey, TokenType, VerificationKeys, decode,
};
use grantor_verify::Verifier;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::Result;
use crate::signatures::cost;

pub(crate) const SIGNATURE: &str = "access token, ES256: its signature by jose";
pub(crate) const VERIFY: &str = "access token, ES256: the whole by verify";

/// Nanoseconds of CPU that each takes for one token.
pub(crate) fn figures() -> Result<BTreeMap<&'static str, f64>> {
    let (key, _) = SigningKey::generate(Algorithm::Es256)?;
    let jwk = key.jwk();
    let kid = jwk.kid.clone().unwrap_or_else(|| "key".into());
    let jwks = Jwks { keys: vec![jwk] };
    let header = ProtectedHeader::new(Algorithm::Es256, TokenType::Access, &kid);
    // Like a user's token: about 500 bytes are signed.
    let claims = json!({
        "iss": "https://auth.example.com", "sub": "018f3b2e-7c41-7d6a-9a53-2f6f5d1c9b70",
        "aud": "orders.example.com", "client_id": "website", "exp": 4_000_000_000_u64,
        "iat": 1_700_000_000, "jti": "AY87Lnx8Q2qaUy9vXRybcAAAAAAAAAAA",
        "scope": "orders.example.com/read orders.example.com/write",
        "auth_time": 1_700_000_000, "groups": ["staff", "sales"],
    });
    let input = SigningInput::new(&header, &claims)?;
    let signature = key.sign(Algorithm::Es256, input.as_bytes())?;
    let token = input.finish(&signature);

    let runtime = Builder::new_current_thread().enable_all().build()?;
    let verifier = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let jwks_uri = format!("http://{}/", listener.local_addr()?);
        let set = serde_json::to_string(&jwks)?;
        let keys = Router::new().route("/", get(async || set));
        tokio::spawn(async move { axum::serve(listener, keys).await });
        let builder = Verifier::builder("https://auth.example.com", "orders.example.com")?;
        let verifier = builder.jwks_uri(jwks_uri.parse()?).build()?;
        // Fetches the keys.
        verifier.verify(&token).await?;
        Result::Ok(verifier)
    })?;

    let keys = VerificationKeys::from(&jwks);
    let alone = || decode(&token).is_ok_and(|token| keys.verify(token).is_ok());
    let whole = || runtime.block_on(verifier.verify(&token)).is_ok();
    Ok([(SIGNATURE, cost(alone)?), (VERIFY, cost(whole)?)].into())
}
