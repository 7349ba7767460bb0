//! Orders: an API of the zone `api.example.com`. For its user it asks
//!
//! - invoices, in its own zone, with the token that it was called with;
//! - shipping, in another zone, with one that it gets in exchange for it (RFC 8693).

mod tries;

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use common::{Fault, Refused, Seen, Service, serve, setting};
use grantor_verify::{
    AccessToken, BearerToken, ClientCredentials, Protect, TokenClient, TokenRequest, Verifier,
    http_client,
};
use serde_json::{Value, json};

struct Orders {
    grantor: TokenClient,
    invoices: Service,
    shipping: Service,
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let (issuer, http) = (setting("ISSUER")?, http_client()?);
    let verifier = Verifier::builder(&issuer, "api.example.com")?.build()?;
    let protect = Protect::new(verifier).scope("api.example.com/orders");
    let credentials = ClientCredentials::new("orders", setting("ORDERS_SECRET")?);
    let orders = Orders {
        grantor: TokenClient::new(http.clone(), issuer.parse()?, credentials),
        invoices: Service::new("invoices", "INVOICES_URL", http.clone())?,
        shipping: Service::new("shipping", "SHIPPING_URL", http)?,
    };
    let app = Router::new()
        .route("/orders", get(list))
        .route("/tries/{what}", get(tries::one))
        .layer(protect)
        .with_state(Arc::new(orders));
    serve(app).await
}

/// A user's orders, with what the other services have to say to them. Where one says no, it says why, and the rest is
/// there all the same. A real service would look for those of `token.subject`.
async fn list(
    State(orders): State<Arc<Orders>>,
    token: AccessToken,
    bearer: BearerToken,
) -> Json<Value> {
    let (invoices, parcels) = tokio::join!(orders.invoices(&bearer), orders.parcels(&bearer));
    let or_why =
        |told: Result<Value, Refused>| told.unwrap_or_else(|why| json!({ "refused": why }));
    Json(json!({
        "seen": Seen::by("orders", &token),
        "orders": [
            { "number": "1001", "what": "Two lamps" },
            { "number": "1002", "what": "A teapot" },
        ],
        "invoices": or_why(invoices),
        "parcels": or_why(parcels),
    }))
}

impl Orders {
    /// The same zone: the user's token goes on, and invoices sees what orders sees.
    async fn invoices(&self, bearer: &BearerToken) -> Result<Value, Refused> {
        self.invoices.get("/invoices", bearer).await
    }

    /// Another zone: it gets a token that is good there alone, and for this alone. The user's own stays here.
    async fn parcels(&self, bearer: &BearerToken) -> Result<Value, Refused> {
        let request =
            TokenRequest::audience("shipping.example.com").scope("shipping.example.com/track");
        let issued = self.grantor.exchange(bearer, &request).await?;
        self.shipping.get("/parcels", &issued.access_token).await
    }
}
