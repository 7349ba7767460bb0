//! Token exchange: the rules and services that tests start from.

use std::sync::Arc;

use grantor_core::grants::GrantType;
use grantor_core::model::exchange_rule::{
    ActorRule, ExchangeRule, RuleTarget, SubjectRule, TokenKind,
};
use grantor_core::model::realm::Realm;
use grantor_core::model::resource::TokenForm;
use grantor_jose::Algorithm;

use crate::{client, resource, scope, service};

pub const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
pub const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";
pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// The URI of the resource server `shipping.example.com`.
pub const SHIPPING: &str = "https://shipping.example.com";

/// A rule with all defaults.
pub fn rule(client: &str, target: &str, scopes: &[(&str, &str)]) -> ExchangeRule {
    let scopes = scopes.iter();
    ExchangeRule {
        name: format!("{client} to {target}"),
        client: client.parse().expect("a client id"),
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
            .map(|(from, to)| ((*from).to_owned(), scope(to)))
            .collect(),
        gives: scope(""),
        issues: vec![TokenKind::AccessToken],
        impersonation: false,
        max_depth: 4,
        lifetime: None,
    }
}

/// Adds services that act for users: `orders` may exchange what users let an app do with orders for reading shipments,
/// and `shipping` what it got for reading files.
pub fn add_services(realm: &mut Realm) {
    realm.resources.push(resource(
        "shipping.example.com",
        Some(SHIPPING),
        &[("read", "Read shipments"), ("write", "Send parcels")],
        TokenForm::Jwt(Algorithm::Es256),
    ));
    for client in [
        service("shipping", "shipping.example.com"),
        service("files", "files.example.com"),
    ] {
        realm.clients.insert(client.id.clone(), Arc::new(client));
    }
    client(realm, "orders")
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
