//! `/exchange/explain`: what a token exchange would give.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use grantor_core::base::params::Params;
use grantor_core::exchange::{Explain, Explanation};
use http::StatusCode;

use super::api::{AdminRequest as _, ExplainExchange};
use super::{Admin, Rejection, answer};

pub(super) fn routes() -> Router<Arc<Admin>> {
    Router::new().route(ExplainExchange::PATH, post(explain))
}

/// Takes the form that the token endpoint would get, with `client_id` and without a secret.
async fn explain(State(admin): State<Arc<Admin>>, body: Bytes) -> Result<Response, Rejection> {
    let params = Params::parse(&body).map_err(|error| Rejection::invalid(error.to_string()))?;
    let explanation = match Explain::parse(&params) {
        Ok(explain) => admin.run(explain).await?,
        Err(refusal) => Explanation::refused(&refusal),
    };
    Ok(answer(StatusCode::OK, &explanation))
}
