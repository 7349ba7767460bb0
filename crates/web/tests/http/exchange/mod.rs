//! Token exchange (RFC 8693) over the wire: its own examples, and what its sections demand.
//!
//! The parties are those of the examples: `rs08` is the API `frontend.example.com` and calls `backend.example.com`;
//! `https://original-issuer.example.net` vouches for people whom we do not know.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::base::secret::{Secret, SecretVerifier};
use grantor_core::grants::GrantType;
use grantor_core::model::client::{Client, ClientAuth};
use grantor_core::model::exchange_rule::{
    ActorRule, ExchangeRule, RuleTarget, SubjectRule, TokenKind,
};
use grantor_core::model::realm::Realm;
use grantor_core::model::resource::Resource;
use grantor_core::model::trusted_issuer::TrustedIssuer;
use grantor_jose::{Algorithm, Jwk, Jwks, SigningKey, VerificationKeys};
use serde_json::{Value, json};

use crate::house::{House, client, device, scope};
use crate::wire::{Answer, TOKEN, With, post};

mod examples;
mod refusals;
mod request;
mod response;
mod trusted;

pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

const ISSUER: &str = "https://as.example.com";
const ORIGINAL_ISSUER: &str = "https://original-issuer.example.net";
const BACKEND: &str = "https://backend.example.com/api";
const CONTEXT: &str = "urn:example:cooperation-context";
/// Of section 2.3: `rs08` and `long-secure-random-secret`.
const RS08: &str = "Basic cnMwODpsb25nLXNlY3VyZS1yYW5kb20tc2VjcmV0";

/// `rs77` and `another-secure-random-secret`.
const RS77: &str = "Basic cnM3Nzphbm90aGVyLXNlY3VyZS1yYW5kb20tc2VjcmV0";

/// The house of the examples, with these rules.
async fn house(rules: impl IntoIterator<Item = ExchangeRule>) -> House {
    House::with(|realm| furnish(realm, rules)).await
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
        let service = service(realm, id, secret, api);
        realm.clients.insert(service.id.clone(), service);
    }
    realm.exchange = rules.into_iter().collect();
    realm.trusted_issuers = vec![TrustedIssuer {
        issuer: ORIGINAL_ISSUER.to_owned(),
        algorithms: vec![Algorithm::Es256],
        audiences: Vec::new(),
        user_claim: None,
        max_age: None,
        skew: Duration::from_secs(60),
    }];
}

/// An API like the one that the house has.
fn resource(realm: &Realm, identifier: &str, uri: Option<&str>, scopes: &[&str]) -> Resource {
    let name = |name: &&str| ((*name).to_owned(), (*name).to_owned());
    Resource {
        identifier: identifier.to_owned(),
        uri: uri.map(ToOwned::to_owned),
        scopes: scopes.iter().map(name).collect(),
        ..realm.resources[0].clone()
    }
}

/// A service that is this API and may exchange what it is called with. It asks for no token of its own.
fn service(realm: &Realm, id: &str, secret: &str, api: &str) -> Client {
    let key = Arc::new(realm.sealing.client_secret_key());
    let auth = ClientAuth::Secret {
        verifiers: vec![SecretVerifier::new(&key, &Secret::new(secret))],
        basic: true,
        post: true,
    };
    Client {
        grants: vec![GrantType::TokenExchange, GrantType::RefreshToken],
        scopes: scope(""),
        default_scopes: scope(""),
        resources: vec![api.to_owned()],
        ..device(id, auth)
    }
}

/// `rs08` calls the backend for whoever called it: reading becomes using the API.
fn calls() -> ExchangeRule {
    ExchangeRule {
        name: "calls".to_owned(),
        client: "rs08".parse().expect("a client id"),
        subject: SubjectRule {
            issuer: None,
            kinds: vec![TokenKind::AccessToken],
            clients: Vec::new(),
            groups: Vec::new(),
            audiences: Vec::new(),
        },
        actor: ActorRule::default(),
        target: RuleTarget::Resource("backend.example.com".to_owned()),
        scopes: [(
            "frontend.example.com/read".to_owned(),
            scope("backend.example.com/api"),
        )]
        .into(),
        gives: scope(""),
        issues: vec![TokenKind::AccessToken],
        impersonation: false,
        max_depth: 4,
        lifetime: None,
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

/// The original issuer: its key, under the id that the examples have.
struct OriginalIssuer(SigningKey);

impl OriginalIssuer {
    /// Its keys are known to the house from now on.
    fn known_to(house: &House) -> Self {
        let issuer = Self(SigningKey::generate(Algorithm::Es256).expect("memory").0);
        let jwk = Jwk {
            kid: Some("16".into()),
            ..issuer.0.jwk()
        };
        let keys = VerificationKeys::from(&Jwks { keys: vec![jwk] });
        let mut known = house.world.trusted_keys.lock().expect("no test panicked");
        known.push((ORIGINAL_ISSUER.to_owned(), Arc::new(keys)));
        issuer
    }

    fn token(&self, claims: &Value) -> String {
        self.signed(&json!({ "alg": "ES256", "kid": "16" }), claims)
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let input = format!("{header}.{claims}");
        let signature = self.0.sign(Algorithm::Es256, input.as_bytes());
        format!(
            "{input}.{}",
            URL_SAFE_NO_PAD.encode(signature.expect("a signature"))
        )
    }
}

impl House {
    /// `rs08` exchanges.
    async fn exchange(&self, pairs: &[(&str, &str)]) -> Answer {
        self.exchange_as(RS08, pairs).await
    }

    async fn exchange_as(&self, authorization: &str, pairs: &[(&str, &str)]) -> Answer {
        let pairs = [&[("grant_type", EXCHANGE)], pairs].concat();
        self.send(post(TOKEN, &pairs).with("authorization", authorization))
            .await
    }

    /// The access token with which `rs08` was called: alice's, of a device.
    async fn called_with(&self) -> String {
        let tokens = self.device_tokens("openid frontend.example.com/read").await;
        tokens.member("access_token")
    }

    /// The time, in seconds since the epoch.
    fn now(&self) -> u64 {
        grantor_web::Clock::now(&*self.world).as_secs()
    }
}

/// What each exchange of an access token has.
fn subject(token: &str) -> [(&str, &str); 2] {
    [
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
    ]
}
