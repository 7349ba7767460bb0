//! Devices, machines and resource servers: what they send, and what they get.

use grantor_core::base::error::{ErrorCode, Refusal};
use grantor_core::base::params::Params;
use grantor_core::base::row::Key;
use grantor_core::base::secret::Secret;
use grantor_core::client_auth::Credentials;
use grantor_core::endpoints::device_authorization::DeviceAuthorization;
use grantor_core::endpoints::introspect::{Introspect, Introspection};
use grantor_core::endpoints::revoke::Revoke;
use grantor_core::endpoints::token::Token;
use grantor_core::endpoints::userinfo::Userinfo;
use grantor_core::engine::drive::{Minted, Outcome};
use grantor_core::grants::TokenReply;
use grantor_core::model::ids::GrantId;
use serde_json::{Map, Value};

use super::World;
use super::exchange::ROBOT;
use super::house::{CONSOLE_SECRET, ORDERS_SECRET, SITE_SECRET};
use super::run::Down;

pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The codes that a device got.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub(crate) client: String,
    pub(crate) device: String,
    pub(crate) user: String,
}

/// The tokens that a client got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) id: Option<String>,
    pub(crate) refresh: Option<String>,
    pub(crate) scope: String,
    pub(crate) expires_in: u64,
}

impl Tokens {
    pub(crate) fn of(reply: TokenReply, minted: Option<Minted>) -> Self {
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

    pub(crate) fn refresh(&self) -> &str {
        self.refresh.as_deref().expect("a refresh token")
    }
}

/// A token reply, or the error code of the refusal.
pub(crate) fn answer(outcome: Outcome<TokenReply>) -> Result<Tokens, ErrorCode> {
    let minted = outcome.tokens;
    outcome
        .reply
        .map(|reply| Tokens::of(reply, minted))
        .map_err(|refusal| refusal.code)
}

/// A form, encoded and parsed as the web does it.
pub(crate) fn params(pairs: &[(&str, &str)]) -> Params {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    Params::parse(form.as_bytes()).expect("a form")
}

/// A form with the credentials of a client of the house in it.
pub(crate) fn form_of(client: &str, pairs: &[(&str, &str)]) -> Params {
    let secret = match client {
        "console" => CONSOLE_SECRET,
        "orders" => ORDERS_SECRET,
        "site" | "shop" | "shipping" | "files" | ROBOT => SITE_SECRET,
        _ => "",
    };
    let credentials = [("client_id", client), ("client_secret", secret)];
    params(&[&credentials, pairs].concat())
}

/// The claims of a JWT that one of the house's keys signed.
pub(crate) fn jwt(world: &World, token: &str) -> Map<String, Value> {
    let token = grantor_jose::decode(token).expect("a JWT");
    let token = world
        .realm
        .signing
        .verify(token)
        .expect("signed by the house");
    token.claims().expect("claims")
}

impl World {
    pub(crate) fn token(
        &mut self,
        client: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Tokens, ErrorCode> {
        let request = self.token_request(client, pairs)?;
        answer(self.ask(request))
    }

    pub(crate) fn token_request(
        &self,
        client: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Token, ErrorCode> {
        Token::parse(None, &form_of(client, pairs), self.peer()).map_err(|refusal| refusal.code)
    }

    /// The codes for a device of this client.
    pub(crate) fn device(&mut self, client: &str) -> Codes {
        self.device_for(client, &[]).expect("codes")
    }

    pub(crate) fn device_for(
        &mut self,
        client: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Codes, Refusal> {
        let request = self.device_request(client, pairs)?;
        let reply = self.ask(request).reply?;
        Ok(Codes {
            client: client.to_owned(),
            device: reply.device_code.reveal().to_owned(),
            user: reply.user_code,
        })
    }

    pub(crate) fn device_request(
        &self,
        client: &str,
        pairs: &[(&str, &str)],
    ) -> Result<DeviceAuthorization, Refusal> {
        DeviceAuthorization::parse(None, &form_of(client, pairs), self.peer())
    }

    /// The device polls.
    pub(crate) fn poll(&mut self, codes: &Codes) -> Result<Tokens, ErrorCode> {
        self.poll_as(&codes.client, &codes.device)
    }

    pub(crate) fn poll_as(&mut self, client: &str, device_code: &str) -> Result<Tokens, ErrorCode> {
        self.try_poll(client, device_code)
            .expect("the house answers")
    }

    pub(crate) fn try_poll(
        &mut self,
        client: &str,
        device_code: &str,
    ) -> Result<Result<Tokens, ErrorCode>, Down> {
        let request = self.poll_request(client, device_code);
        self.run(request).map(answer)
    }

    pub(crate) fn poll_request(&self, client: &str, device_code: &str) -> Token {
        let pairs = [("grant_type", DEVICE_CODE), ("device_code", device_code)];
        self.token_request(client, &pairs).expect("a request")
    }

    pub(crate) fn refresh(&mut self, client: &str, token: &str) -> Result<Tokens, ErrorCode> {
        self.refresh_with(client, token, &[])
    }

    pub(crate) fn refresh_with(
        &mut self,
        client: &str,
        token: &str,
        more: &[(&str, &str)],
    ) -> Result<Tokens, ErrorCode> {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token(client, &[&pairs, more].concat())
    }

    pub(crate) fn refresh_request(&self, client: &str, token: &str) -> Token {
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token_request(client, &pairs).expect("a request")
    }

    /// A machine asks for a token.
    pub(crate) fn machine(
        &mut self,
        client: &str,
        more: &[(&str, &str)],
    ) -> Result<Tokens, ErrorCode> {
        self.token(
            client,
            &[&[("grant_type", "client_credentials")], more].concat(),
        )
    }

    pub(crate) fn revoke_request(&self, client: &str, token: &str) -> Revoke {
        let form = form_of(client, &[("token", token)]);
        Revoke::parse(None, &form, self.peer()).expect("a request")
    }

    pub(crate) fn revoke(&mut self, client: &str, token: &str) -> Result<(), ErrorCode> {
        let request = self.revoke_request(client, token);
        self.ask(request).reply.map_err(|refusal| refusal.code)
    }

    pub(crate) fn introspect(
        &mut self,
        client: &str,
        token: &str,
    ) -> Result<Introspection, ErrorCode> {
        let form = form_of(client, &[("token", token)]);
        let request = Introspect::parse(None, &form, self.peer()).expect("a request");
        self.ask(request).reply.map_err(|refusal| refusal.code)
    }

    /// Whether the client, asking about its token, is told that it is active.
    pub(crate) fn is_active(&mut self, client: &str, token: &str) -> bool {
        let said = self.introspect(client, token).expect("an answer");
        assert_eq!(
            said.active,
            said.token.is_some(),
            "of an inactive token nothing is said"
        );
        said.active
    }

    pub(crate) fn userinfo(&mut self, token: &str) -> Result<Map<String, Value>, ErrorCode> {
        let header = format!("Bearer {token}");
        let request = Userinfo::parse(Some(header.as_bytes()), &params(&[]));
        let request = request.map_err(|refusal| refusal.code)?;
        self.ask(request).reply.map_err(|refusal| refusal.code)
    }

    /// The grant of a device code.
    pub(crate) fn grant_of(&self, codes: &Codes) -> GrantId {
        let code = self.realm.sealing.open_device_code(&codes.device);
        code.expect("a device code of the house").grant
    }

    /// A grant's row as it is stored.
    pub(crate) fn grant_row(&self, id: GrantId) -> Key {
        Key::new("default", "grant", &id.to_string())
    }
}

/// Reads credentials as an endpoint does.
pub(crate) fn credentials(
    header: Option<&str>,
    pairs: &[(&str, &str)],
) -> Result<Credentials, Refusal> {
    Credentials::parse(header.map(str::as_bytes), &params(pairs))
}
