//! What orders should not get, and does not. A service of yours has no such thing: this is for the answers to be seen.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use common::Refused;
use grantor_verify::{BearerToken, TokenRequest};
use serde_json::{Value, json};

use crate::Orders;

/// A token that another issuer made, and signed with a key of its own.
const FOREIGN: &str = include_str!("foreign.jwt");

pub(crate) async fn one(
    State(orders): State<Arc<Orders>>,
    Path(what): Path<String>,
    bearer: BearerToken,
) -> Result<Json<Value>, StatusCode> {
    let tracking =
        TokenRequest::audience("shipping.example.com").scope("shipping.example.com/track");
    let refused = match what.as_str() {
        "wider" => {
            let more = tracking.scope("shipping.example.com/stop");
            orders.exchanged(&bearer, &more).await
        }
        "elsewhere" => {
            let payroll = TokenRequest::audience("payroll.example.com");
            orders.exchanged(&bearer, &payroll).await
        }
        "foreign" => {
            let foreign = BearerToken::new(FOREIGN.trim());
            orders.exchanged(&foreign, &tracking).await
        }
        "beyond" => orders.report(&bearer, &tracking).await,
        _ => return Err(StatusCode::NOT_FOUND),
    };
    Ok(Json(json!({ "refused": refused.err() })))
}

impl Orders {
    async fn exchanged(
        &self,
        subject: &BearerToken,
        request: &TokenRequest,
    ) -> Result<(), Refused> {
        self.grantor.exchange(subject, request).await?;
        Ok(())
    }

    /// The token is right, for something else.
    async fn report(&self, subject: &BearerToken, request: &TokenRequest) -> Result<(), Refused> {
        let issued = self.grantor.exchange(subject, request).await?;
        self.shipping.get("/report", &issued.access_token).await?;
        Ok(())
    }
}
