//! Devices, machines and resource servers: what they send, and what they get.

use grantor_core::base::error::{ErrorCode, Refusal};
use grantor_core::base::params::Params;
use grantor_core::base::row::Key;
use grantor_core::base::secret::Secret;
use grantor_core::client_auth::{Authenticated, Credentials};
use grantor_core::endpoints::device_authorization::DeviceAuthorization;
use grantor_core::endpoints::introspect::{Introspect, Introspection};
use grantor_core::endpoints::revoke::Revoke;
use grantor_core::endpoints::token::Token;
use grantor_core::endpoints::userinfo::Userinfo;
use grantor_core::engine::drive::{Minted, Outcome};
use grantor_core::grants::TokenReply;
use grantor_core::model::ids::GrantId;
use serde_json::{Map, Value};

use super::{Down, World};
use crate::{Codes, DEVICE_CODE, encoded, secret_of};

/// The tokens that a client got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub access: String,
    pub id: Option<String>,
    pub refresh: Option<String>,
    pub scope: String,
    pub expires_in: u64,
}

impl Tokens {
    pub fn new(reply: TokenReply, minted: Option<Minted>) -> Self {
        let minted = minted.expect("a token reply comes with tokens");
        let text = |token: Secret| token.reveal().to_owned();
        Self {
            access: minted.access.map(text).expect("an access token"),
            id: minted.id.map(text),
            refresh: minted.refresh.map(text),
            scope: reply.scope.to_string(),
            expires_in: reply.expires_in,
        }
    }

    pub fn refresh(&self) -> &str {
        self.refresh.as_deref().expect("a refresh token")
    }
}

/// A token reply, or the error code of the refusal.
pub fn answer(outcome: Outcome<TokenReply>) -> Result<Tokens, ErrorCode> {
    let minted = outcome.tokens;
    outcome
        .reply
        .map(|reply| Tokens::new(reply, minted))
        .map_err(|refusal| refusal.code)
}

/// A form, encoded and parsed as the HTTP shell does it.
pub fn params(pairs: &[(&str, &str)]) -> Params {
    Params::parse(encoded(pairs).as_bytes()).expect("a form")
}

/// A form with the credentials of this client in it.
pub fn form_of(client: &str, pairs: &[(&str, &str)]) -> Params {
    let secret = secret_of(client).unwrap_or_default();
    let credentials = [("client_id", client), ("client_secret", secret)];
    params(&[&credentials, pairs].concat())
}

impl World {
    /// The claims of a JWT that a key of the realm signed.
    pub fn claims(&self, token: &str) -> Map<String, Value> {
        let token = grantor_jose::decode(token).expect("a JWT");
        let token = self.realm.signing.verify(token);
        let token = token.expect("signed by a key of the realm");
        token.claims().expect("claims")
    }

    /// A request to the token endpoint, with the client's credentials.
    pub fn request_tokens(
        &mut self,
        client: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Tokens, ErrorCode> {
        let request = self.token_request(client, pairs)?;
        answer(self.ask(request))
    }

    pub fn token_request(
        &self,
        client: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Authenticated<Token>, ErrorCode> {
        Authenticated::<Token>::parse(None, &form_of(client, pairs), self.peer())
            .map_err(|refusal| refusal.code)
    }

    /// The codes for a device of this client.
    pub fn device_codes(&mut self, client: &str) -> Codes {
        self.device_codes_with(client, &[]).expect("codes")
    }

    pub fn device_codes_with(
        &mut self,
        client: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Codes, Refusal> {
        let request = self.device_request(client, pairs)?;
        let reply = self.ask(request).reply?;
        Ok(Codes {
            client: client.to_owned(),
            device: reply.device_code.reveal().to_owned(),
            link: format!("{}/device?user_code={}", self.realm.issuer, reply.user_code),
            user: reply.user_code,
        })
    }

    pub fn device_request(
        &self,
        client: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Authenticated<DeviceAuthorization>, Refusal> {
        Authenticated::<DeviceAuthorization>::parse(None, &form_of(client, pairs), self.peer())
    }

    /// The device polls.
    pub fn poll(&mut self, codes: &Codes) -> Result<Tokens, ErrorCode> {
        self.poll_as(&codes.client, &codes.device)
    }

    pub fn poll_as(&mut self, client: &str, device_code: &str) -> Result<Tokens, ErrorCode> {
        self.try_poll(client, device_code)
            .expect("the server answers")
    }

    pub fn try_poll(
        &mut self,
        client: &str,
        device_code: &str,
    ) -> Result<Result<Tokens, ErrorCode>, Down> {
        let request = self.poll_request(client, device_code);
        self.run(request).map(answer)
    }

    pub fn poll_request(&self, client: &str, device_code: &str) -> Authenticated<Token> {
        let pairs = [("grant_type", DEVICE_CODE), ("device_code", device_code)];
        self.token_request(client, &pairs).expect("a request")
    }

    pub fn refresh(&mut self, client: &str, token: &str) -> Result<Tokens, ErrorCode> {
        self.refresh_with(client, token, &[])
    }

    pub fn refresh_with(
        &mut self,
        client: &str,
        token: &str,
        more: &[(&str, &str)],
    ) -> Result<Tokens, ErrorCode> {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.request_tokens(client, &[&pairs, more].concat())
    }

    pub fn refresh_request(&self, client: &str, token: &str) -> Authenticated<Token> {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token_request(client, &pairs).expect("a request")
    }

    /// A machine asks for a token.
    pub fn machine_token(
        &mut self,
        client: &str,
        more: &[(&str, &str)],
    ) -> Result<Tokens, ErrorCode> {
        self.request_tokens(
            client,
            &[&[("grant_type", "client_credentials")], more].concat(),
        )
    }

    pub fn revoke_request(&self, client: &str, token: &str) -> Authenticated<Revoke> {
        let form = form_of(client, &[("token", token)]);
        Authenticated::<Revoke>::parse(None, &form, self.peer()).expect("a request")
    }

    pub fn revoke(&mut self, client: &str, token: &str) -> Result<(), ErrorCode> {
        let request = self.revoke_request(client, token);
        self.ask(request).reply.map_err(|refusal| refusal.code)
    }

    pub fn introspect(&mut self, client: &str, token: &str) -> Result<Introspection, ErrorCode> {
        let form = form_of(client, &[("token", token)]);
        let request =
            Authenticated::<Introspect>::parse(None, &form, self.peer()).expect("a request");
        self.ask(request).reply.map_err(|refusal| refusal.code)
    }

    /// Whether the token is active for the client that asks.
    pub fn is_active(&mut self, client: &str, token: &str) -> bool {
        let answer = self.introspect(client, token).expect("an answer");
        assert_eq!(
            answer.active,
            answer.token.is_some(),
            "nothing is said about an inactive token"
        );
        answer.active
    }

    pub fn userinfo(&mut self, token: &str) -> Result<Map<String, Value>, ErrorCode> {
        let header = format!("Bearer {token}");
        let request = Userinfo::parse(Some(header.as_bytes()), &params(&[]));
        let request = request.map_err(|refusal| refusal.code)?;
        self.ask(request).reply.map_err(|refusal| refusal.code)
    }

    /// The grant of a device code.
    pub fn grant_of(&self, codes: &Codes) -> GrantId {
        let code = self.realm.sealing.open_device_code(&codes.device);
        code.expect("a device code of ours").grant
    }

    /// A grant's row as it is stored.
    pub fn grant_row(&self, id: GrantId) -> Key {
        Key::new("default", "grant", &id.to_string())
    }
}

/// Reads credentials as an endpoint does.
pub fn credentials(header: Option<&str>, pairs: &[(&str, &str)]) -> Result<Credentials, Refusal> {
    Credentials::parse(header.map(str::as_bytes), &params(pairs))
}
