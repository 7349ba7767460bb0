//! Shipping: an API of another zone. Nobody gets in with a token of the shop's; orders comes with one that it got in
//! exchange, which names the user, and orders as the one who acts.
//!
//! Its tokens are sealed: it asks Grantor about each, so it knows within seconds when one was revoked.

use axum::routing::get;
use axum::{Json, Router};
use common::{Fault, Seen, serve, setting};
use grantor_verify::{AccessToken, ClientCredentials, Protect, Verifier};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let credentials = ClientCredentials::new("shipping", setting("SHIPPING_SECRET")?);
    let verifier = Verifier::builder(&setting("ISSUER")?, "shipping.example.com")?
        .introspection(credentials)
        .build()?;
    let protect = Protect::new(verifier);
    let app = Router::new()
        .route(
            "/parcels",
            get(parcels).layer(protect.scope("shipping.example.com/track")),
        )
        .route(
            "/report",
            get(report).layer(protect.scope("shipping.example.com/report")),
        );
    serve(app).await
}

/// A user's parcels. A real service would look for those of `token.subject`.
async fn parcels(token: AccessToken) -> Json<Value> {
    Json(json!({
        "seen": Seen::by("shipping", &token),
        "by_order": { "1001": "Delivered on Tuesday", "1002": "On the van, here by 5 pm" },
    }))
}

/// All parcels, for a machine.
async fn report(token: AccessToken) -> Json<Value> {
    Json(json!({
        "seen": Seen::by("shipping", &token),
        "parcels": { "delivered": 214, "under way": 38, "lost": 1 },
    }))
}
