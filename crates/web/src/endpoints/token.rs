//! `POST /oauth2/token` (RFC 6749 section 3.2).

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use grantor_core::base::secret::Secret;
use grantor_core::endpoints::token::Token;
use grantor_core::engine::drive::Minted;
use grantor_core::model::token_type::TokenType;
use http::StatusCode;
use serde::Serialize;

use crate::app::App;
use crate::oauth;
use crate::request::Form;

/// RFC 6749 section 5.1, with `id_token` (OpenID Connect Core section 3.1.3.3).
#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    /// RFC 8693 section 2.2.1, for exchanges only.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<TokenType>,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

pub(crate) async fn post(State(app): State<Arc<App>>, form: Form) -> Response {
    oauth::handle_client::<Token>(&app, &form, |reply, tokens| {
        let tokens = tokens.as_ref();
        let reveal = |which: fn(&Minted) -> &Option<Secret>| {
            tokens.and_then(|tokens| which(tokens).as_ref().map(Secret::reveal))
        };
        let access = reveal(|tokens| &tokens.access);
        let id = reveal(|tokens| &tokens.id);
        let refresh = reveal(|tokens| &tokens.refresh);
        // RFC 8693 section 2.2.1: access_token carries the issued token, whatever it is; "if the issued token is not an
        // access token or usable as an access token, then the token_type value N_A is used".
        let (main, id, refresh) = match reply.issued {
            None | Some(TokenType::AccessToken | TokenType::Jwt) => (access, id, refresh),
            Some(TokenType::IdToken) => (id, None, None),
            Some(TokenType::RefreshToken) => (refresh, None, None),
        };
        let usable = reply.issued.is_none_or(TokenType::is_access_token);
        let body = TokenResponse {
            access_token: main.unwrap_or_default(),
            issued_token_type: reply.issued,
            token_type: if usable { "Bearer" } else { "N_A" },
            expires_in: reply.expires_in,
            scope: reply.scope.to_string(),
            id_token: id,
            refresh_token: refresh,
        };
        oauth::json(StatusCode::OK, &body)
    })
    .await
}
