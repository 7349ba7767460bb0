//! Services that act for users: what they send, and what they get.

use grantor_core::base::error::{ErrorCode, Refusal};
use grantor_core::client_auth::Authenticated;
use grantor_core::endpoints::token::Token;
use grantor_core::exchange::{Explain, Explanation};
use grantor_core::model::token_type::TokenType;

use super::{Tokens, World, form_of, params};
use crate::{ACCESS_TOKEN, EXCHANGE, add_services, merged};

/// What an exchange gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanged {
    pub token: String,
    pub issued: TokenType,
    pub scope: String,
    pub expires_in: u64,
}

impl World {
    /// A world with the services and rules of [`add_services`].
    pub fn with_exchange() -> Self {
        Self::with(add_services)
    }

    pub fn exchange_request(
        &self,
        client: &str,
        subject: &str,
        more: &[(&str, &str)],
    ) -> Result<Authenticated<Token>, Refusal> {
        let own = [
            ("grant_type", EXCHANGE),
            ("subject_token", subject),
            ("subject_token_type", ACCESS_TOKEN),
        ];
        Authenticated::<Token>::parse(None, &form_of(client, &merged(&own, more)), self.peer())
    }

    /// A client exchanges an access token, unless `more` says otherwise.
    pub fn exchange(
        &mut self,
        client: &str,
        subject: &str,
        more: &[(&str, &str)],
    ) -> Result<Exchanged, Refusal> {
        let outcome = self.ask(self.exchange_request(client, subject, more)?);
        let reply = outcome.reply?;
        let issued = reply.issued.expect("an exchange says what it gave");
        let minted = outcome.tokens.expect("with a token");
        let token = match issued {
            TokenType::AccessToken | TokenType::Jwt => minted.access,
            TokenType::IdToken => minted.id,
            TokenType::RefreshToken => minted.refresh,
        };
        Ok(Exchanged {
            token: token.expect("of this type").reveal().to_owned(),
            issued,
            scope: reply.scope.to_string(),
            expires_in: reply.expires_in,
        })
    }

    /// The code and the text of the refusal.
    pub fn exchange_refused(
        &mut self,
        client: &str,
        subject: &str,
        more: &[(&str, &str)],
    ) -> (ErrorCode, &'static str) {
        let refusal = self
            .exchange(client, subject, more)
            .expect_err("it is refused");
        (refusal.code, refusal.description().into_owned().leak())
    }

    /// What an operator sees for the same request.
    pub fn explain(
        &mut self,
        client: &str,
        subject: &str,
        more: &[(&str, &str)],
    ) -> Result<Explanation, Refusal> {
        let request = explain_request(client, subject, more)?;
        let Ok(explanation) = self.ask(request).reply;
        Ok(explanation)
    }

    /// Alice's token for orders, by an app.
    pub fn orders_token(&mut self) -> Tokens {
        self.device_tokens_with("tv", "alice", &[("scope", "orders.example.com/read")])
    }
}

pub fn explain_request(
    client: &str,
    subject: &str,
    more: &[(&str, &str)],
) -> Result<Explain, Refusal> {
    let own = [
        ("client_id", client),
        ("subject_token", subject),
        ("subject_token_type", ACCESS_TOKEN),
    ];
    Explain::parse(&params(&merged(&own, more)))
}
