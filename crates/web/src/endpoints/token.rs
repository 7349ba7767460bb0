//! `POST /oauth2/token` (RFC 6749 section 3.2).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::endpoints::token::Token;
use grantor_core::secret::Secret;
use http::StatusCode;
use serde::Serialize;

use crate::app::App;
use crate::cors;
use crate::oauth::{self, Challenge};
use crate::request::Form;

/// RFC 6749 section 5.1, with `id_token` (OpenID Connect Core section 3.1.3.3).
#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    let caller = &form.caller;
    let parse = |params: &_| Token::parse(caller.authorization(), params, caller.peer.clone());
    let answer = oauth::answer(&app, &form, Challenge::Basic, parse, |reply, tokens| {
        let tokens = tokens.as_ref();
        let body = TokenResponse {
            access_token: tokens
                .map(|tokens| tokens.access.reveal())
                .unwrap_or_default(),
            token_type: "Bearer",
            expires_in: reply.expires_in,
            scope: reply.scope.to_string(),
            id_token: tokens
                .and_then(|tokens| tokens.id.as_ref())
                .map(Secret::reveal),
            refresh_token: tokens
                .and_then(|tokens| tokens.refresh.as_ref())
                .map(Secret::reveal),
        };
        oauth::json(StatusCode::OK, &body)
    })
    .await;
    cors::for_client(&app, &form, answer)
}
