//! Token exchange (RFC 8693) over the wire: its own examples, and what its sections demand.
//!
//! The parties are those of the examples: `rs08` is the API `frontend.example.com` and calls `backend.example.com`;
//! `https://original-issuer.example.net` vouches for users unknown to us.

use std::sync::Arc;

use grantor_core::model::client::Client;
use grantor_core::model::exchange_rule::{ExchangeRule, RuleTarget, SubjectRule};
use grantor_core::model::realm::Realm;
use grantor_core::model::resource::Resource;
use grantor_core::model::resource_uri::NormalUri;
use grantor_testkit::server::{Answer, TOKEN, TestServer, With as _, post};
use grantor_testkit::{
    ACCESS_TOKEN, EXCHANGE, ExternalIssuer, client, declared, rule, scope, secret_auth, service,
    trusted_issuer,
};

use serde_json::{Value, json};

mod examples;
mod refusals;
mod request;
mod response;
mod trusted;

const ISSUER: &str = "https://as.example.com";
const ORIGINAL_ISSUER: &str = "https://original-issuer.example.net";
const BACKEND: &str = "https://backend.example.com/api";
const CONTEXT: &str = "urn:example:cooperation-context";
/// Of section 2.3: `rs08` and `long-secure-random-secret`.
const RS08: &str = "Basic cnMwODpsb25nLXNlY3VyZS1yYW5kb20tc2VjcmV0";

/// `rs77` and `another-secure-random-secret`.
const RS77: &str = "Basic cnM3Nzphbm90aGVyLXNlY3VyZS1yYW5kb20tc2VjcmV0";

/// A server for the examples, with these rules.
async fn server(rules: impl IntoIterator<Item = ExchangeRule>) -> TestServer {
    let server = TestServer::with(|realm| furnish(realm, rules)).await;
    // The user of the examples is in no group.
    server.add_user("alice", [].into()).await;
    server
}

fn furnish(realm: &mut Realm, rules: impl IntoIterator<Item = ExchangeRule>) {
    realm.issuer = ISSUER.to_owned();
    let context = ["orders", "profile", "history", "status", "feed"];
    let resources = [
        resource(realm, "frontend.example.com", None, &["read", "write"]),
        resource(
            realm,
            "backend.example.com",
            Some(BACKEND),
            &["api", "admin"],
        ),
        resource(realm, CONTEXT, None, &context),
    ];
    realm.resources.extend(resources);
    let tv = client(realm, "tv");
    tv.scopes = scope("openid profile frontend.example.com/read frontend.example.com/write");
    for (id, secret, api) in [
        ("rs08", "long-secure-random-secret", "frontend.example.com"),
        (
            "rs77",
            "another-secure-random-secret",
            "backend.example.com",
        ),
    ] {
        let service = example_service(id, secret, api);
        realm.clients.insert(service.id.clone(), Arc::new(service));
    }
    realm.exchange = rules.into_iter().collect();
    realm.trusted_issuers = vec![trusted_issuer(ORIGINAL_ISSUER, None)];
}

/// An API like the server's first one.
fn resource(realm: &Realm, identifier: &str, uri: Option<&str>, scopes: &[&str]) -> Resource {
    let name = |name: &&str| ((*name).to_owned(), declared(name));
    Resource {
        identifier: identifier.to_owned(),
        uri: uri.map(ToOwned::to_owned),
        normal: NormalUri::parse(uri.unwrap_or(identifier)),
        scopes: scopes.iter().map(name).collect(),
        ..realm.resources[0].clone()
    }
}

/// A service that is this API, with a secret new the examples.
fn example_service(id: &str, secret: &str, api: &str) -> Client {
    Client {
        auth: secret_auth(secret),
        ..service(id, api)
    }
}

/// `rs08` calls the backend for those who call it: reading becomes using the API.
fn calls() -> ExchangeRule {
    let scopes = [("frontend.example.com/read", "backend.example.com/api")];
    ExchangeRule {
        name: "calls".to_owned(),
        ..rule("rs08", "backend.example.com", &scopes)
    }
}

/// `rs08` may use what the original issuer vouches for.
fn vouched(gives: &str) -> ExchangeRule {
    let scopes: Vec<_> = gives
        .split(' ')
        .map(|name| format!("{CONTEXT}/{name}"))
        .collect();
    ExchangeRule {
        name: "vouched".to_owned(),
        subject: SubjectRule {
            issuer: Some(ORIGINAL_ISSUER.to_owned()),
            ..calls().subject
        },
        target: RuleTarget::Resource(CONTEXT.to_owned()),
        scopes: [].into(),
        gives: scope(&scopes.join(" ")),
        ..calls()
    }
}

/// The original issuer, with the key id of the examples; the server knows its keys.
fn original_issuer(server: &TestServer) -> ExternalIssuer {
    let issuer = ExternalIssuer::new(ORIGINAL_ISSUER).with_kid("16");
    server.trust_keys_of(&issuer);
    issuer
}

/// What the original issuer signs.
trait ExampleIssuer {
    fn token(&self, claims: &Value) -> String;
}

impl ExampleIssuer for ExternalIssuer {
    fn token(&self, claims: &Value) -> String {
        self.sign(&json!({ "alg": "ES256", "kid": "16" }), claims)
    }
}

/// What the parties of the examples do.
trait Examples {
    /// `rs08` exchanges.
    async fn exchange(&self, pairs: &[(&str, &str)]) -> Answer;

    async fn exchange_as(&self, authorization: &str, pairs: &[(&str, &str)]) -> Answer;

    /// The access token with which `rs08` was called: alice's, of a device.
    async fn called_with(&self) -> String;
}

impl Examples for TestServer {
    async fn exchange(&self, pairs: &[(&str, &str)]) -> Answer {
        self.exchange_as(RS08, pairs).await
    }

    async fn exchange_as(&self, authorization: &str, pairs: &[(&str, &str)]) -> Answer {
        let pairs = [&[("grant_type", EXCHANGE)], pairs].concat();
        self.send(post(TOKEN, &pairs).with("authorization", authorization))
            .await
    }

    async fn called_with(&self) -> String {
        let scope = [("scope", "openid frontend.example.com/read")];
        let tokens = self.device_tokens_with("tv", "alice", &scope).await;
        tokens.member("access_token")
    }
}

/// What each exchange of an access token has.
fn subject(token: &str) -> [(&str, &str); 2] {
    [
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
    ]
}
