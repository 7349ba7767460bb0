//! Services that act for users: resources, clients and rules of an exchange, and what they send.

use std::sync::Arc;

use grantor_core::base::error::{ErrorCode, Refusal};
use grantor_core::base::secret::{Secret, SecretVerifier};
use grantor_core::endpoints::token::Token;
use grantor_core::exchange::{Explain, Explanation};
use grantor_core::grants::GrantType;
use grantor_core::model::client::{Client, ClientAuth};
use grantor_core::model::exchange_rule::{
    ActorRule, ExchangeRule, RuleTarget, SubjectRule, TokenKind,
};
use grantor_core::model::realm::Realm;
use grantor_core::model::resource::TokenForm;
use grantor_core::model::token_type::TokenType;
use grantor_jose::Algorithm;

use super::World;
use super::apps::{Tokens, form_of, params};
use super::house::{SITE_SECRET, device, resource, scope};

pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// A client whose id looks like a user's.
pub(crate) const ROBOT: &str = "0b0e5bd5-8d4b-4f3e-9d1e-6d1b6b8f7a11";
pub(crate) const SHIPPING: &str = "https://shipping.example.com";

/// What an exchange gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchanged {
    pub(crate) token: String,
    pub(crate) issued: TokenType,
    pub(crate) scope: String,
    pub(crate) expires_in: u64,
}

/// `orders` may exchange what users let an app do with orders for reading shipments, and `shipping` what it got for
/// reading files.
pub(crate) fn rules(realm: &mut Realm) {
    realm.resources.push(resource(
        "shipping.example.com",
        Some(SHIPPING),
        &[("read", "Read shipments"), ("write", "Send parcels")],
        TokenForm::Jwt(Algorithm::Es256),
    ));
    let key = Arc::new(realm.sealing.client_secret_key());
    let service = |id: &str, resource: &str| Client {
        grants: vec![GrantType::TokenExchange, GrantType::RefreshToken],
        scopes: scope(""),
        default_scopes: scope(""),
        resources: vec![resource.to_owned()],
        ..device(
            id,
            ClientAuth::Secret {
                verifiers: vec![SecretVerifier::new(&key, &Secret::new(SITE_SECRET))],
                basic: true,
                post: true,
            },
        )
    };
    for client in [
        service("shipping", "shipping.example.com"),
        service("files", "files.example.com"),
    ] {
        realm.clients.insert(client.id.clone(), client);
    }
    let orders = realm.clients.get_mut(&"orders".parse().expect("an id"));
    let orders = orders.expect("it is of the house");
    orders
        .grants
        .extend([GrantType::TokenExchange, GrantType::RefreshToken]);
    realm.exchange = vec![
        rule(
            "orders",
            "shipping.example.com",
            &[("orders.example.com/read", "shipping.example.com/read")],
        ),
        rule(
            "shipping",
            "files.example.com",
            &[("shipping.example.com/read", "files.example.com/read")],
        ),
    ];
}

/// A rule with all defaults.
pub(crate) fn rule(client: &str, target: &str, scopes: &[(&str, &str)]) -> ExchangeRule {
    ExchangeRule {
        name: format!("{client} to {target}"),
        client: client.parse().expect("an id"),
        subject: SubjectRule {
            issuer: None,
            kinds: vec![TokenKind::AccessToken],
            clients: Vec::new(),
            groups: Vec::new(),
            audiences: Vec::new(),
        },
        actor: ActorRule::default(),
        target: RuleTarget::Resource(target.to_owned()),
        scopes: scopes
            .iter()
            .map(|(from, to)| ((*from).to_owned(), scope(to)))
            .collect(),
        gives: scope(""),
        issues: vec![TokenKind::AccessToken],
        impersonation: false,
        max_depth: 4,
        lifetime: None,
    }
}

impl World {
    /// The house with the rules of [`rules`].
    pub(crate) fn with_exchange() -> Self {
        Self::with(rules)
    }

    pub(crate) fn exchange_request(
        &self,
        client: &str,
        subject: &str,
        more: &[(&str, &str)],
    ) -> Result<Token, Refusal> {
        let own = [
            ("grant_type", EXCHANGE),
            ("subject_token", subject),
            ("subject_token_type", ACCESS_TOKEN),
        ];
        Token::parse(None, &form_of(client, &merged(&own, more)), self.peer())
    }

    /// A client exchanges an access token, unless `more` says otherwise.
    pub(crate) fn exchange(
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
    pub(crate) fn not_exchanged(
        &mut self,
        client: &str,
        subject: &str,
        more: &[(&str, &str)],
    ) -> (ErrorCode, &'static str) {
        let refusal = self
            .exchange(client, subject, more)
            .expect_err("it is refused");
        (refusal.code, refusal.description)
    }

    /// What an operator is told of the same request.
    pub(crate) fn explain(
        &mut self,
        client: &str,
        subject: &str,
        more: &[(&str, &str)],
    ) -> Result<Explanation, Refusal> {
        let request = explain_request(client, subject, more)?;
        self.ask(request).reply
    }

    /// What comes after it draws the same randomness as `look` does.
    pub(crate) fn foresee<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let seeds = self.seeds;
        let seen = look(self);
        self.seeds = seeds;
        seen
    }

    /// Alice's token for orders, by an app.
    pub(crate) fn orders_token(&mut self) -> Tokens {
        self.device_tokens_for("tv", "alice", &[("scope", "orders.example.com/read")])
    }
}

pub(crate) fn explain_request(
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

/// The parameters of `more`, and those of `own` that it does not name.
fn merged<'a>(own: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_named = |name: &str| more.iter().any(|(other, _)| *other == name);
    let own = own.iter().filter(|(name, _)| !is_named(name));
    own.chain(more).copied().collect()
}
