//! A service that accepts an issuer's access tokens: `/whoami` any that is for it, `/orders` those with its scope.
//!
//! `cargo run --release -p grantor-verify --example resource-server -- http://127.0.0.1:8080 orders.example.com`
//!
//! After issuer and audience: `scope=NAME` that `/orders` asks for, `client=ID` and `secret_file=FILE` for introspection,
//! `listen=ADDRESS`. With `cognito` in place of the audience, `client=ID` is whose tokens are accepted.

use std::collections::HashMap;
use std::error::Error;
use std::fs;

use axum::Router;
use axum::routing::get;
use grantor_verify::{AccessToken, ClientCredentials, Protect, Verifier};
use serde_json::json;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [issuer, audience, more @ ..] = arguments.as_slice() else {
        return Err("usage: resource-server ISSUER AUDIENCE [NAME=VALUE]…".into());
    };
    let more: HashMap<_, _> = more
        .iter()
        .filter_map(|text| text.split_once('='))
        .collect();
    let option = |name, default| more.get(name).copied().unwrap_or(default);

    let mut builder = match audience.as_str() {
        "cognito" => Verifier::cognito(issuer, [option("client", "")])?,
        audience => Verifier::builder(issuer, audience)?,
    };
    if let Some(file) = more.get("secret_file") {
        let secret = fs::read_to_string(file)?;
        let credentials = ClientCredentials::new(option("client", ""), secret.trim());
        builder = builder.introspection(credentials);
    }
    let protect = Protect::new(builder.build()?);
    let scope = option("scope", "orders.example.com/read");
    let app = Router::new()
        .route("/orders", get(orders).layer(protect.scope(scope)))
        .route("/whoami", get(whoami))
        .layer(protect);

    let listener = TcpListener::bind(option("listen", "127.0.0.1:0")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

async fn whoami(token: AccessToken) -> String {
    let shown = json!({
        "subject": token.subject,
        "client": token.client_id,
        "scope": token.scope.to_string(),
        "actor": token.act.as_ref().map(|act| &act.current().subject),
        "claims": token.claims,
    });
    format!("{shown}\n")
}

async fn orders(token: AccessToken) -> String {
    format!("the orders of {}\n", token.subject)
}
