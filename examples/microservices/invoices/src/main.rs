//! Invoices: an API of the zone `api.example.com`, as orders is. It takes the token that orders was called with: the
//! audience is the zone's, and invoices asks for a scope of its own.

use axum::routing::get;
use axum::{Json, Router};
use common::{Fault, Seen, serve, setting};
use grantor_verify::{AccessToken, Protect, Verifier};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let verifier = Verifier::builder(&setting("ISSUER")?, "api.example.com")?.build()?;
    let protect = Protect::new(verifier).scope("api.example.com/invoices");
    let app = Router::new()
        .route("/invoices", get(invoices))
        .layer(protect);
    serve(app).await
}

/// A real service would look for those of `token.subject`.
async fn invoices(token: AccessToken) -> Json<Value> {
    Json(json!({
        "seen": Seen::by("invoices", &token),
        "by_order": { "1001": "€ 84.00, paid", "1002": "€ 12.50, due on 1 December" },
    }))
}
