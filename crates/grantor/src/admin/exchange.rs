//! `/exchange`: what would come of a token exchange.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use grantor_core::base::params::Params;
use grantor_core::exchange::{Explain, Explanation};
use http::StatusCode;

use super::{Admin, Refused, answer};

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new().route("/exchange/explain", post(explain))
}

/// Takes the form that the token endpoint would get, with `client_id` and without a secret.
async fn explain(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Refused> {
    let params = Params::parse(&body).map_err(|error| Refused::invalid(error.to_string()))?;
    let explanation = match Explain::parse(&params) {
        Ok(explain) => admin.run(explain).await?,
        Err(refusal) => Explanation::refused(&refusal),
    };
    Ok(answer(StatusCode::OK, &explanation))
}
