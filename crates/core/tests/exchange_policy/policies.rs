//! Random pools: resources, clients and rules, every field of them.

use std::collections::BTreeMap;
use std::time::Duration;

use grantor_core::grants::GrantType;
use grantor_core::model::exchange_rule::{
    ActorRule, ExchangeRule, RuleTarget, SubjectRule, TokenKind,
};
use grantor_core::model::realm::Realm;
use grantor_core::model::resource::TokenForm;
use grantor_core::model::scope::Scope;
use grantor_jose::Algorithm;

use grantor_testkit::world::trust;
use grantor_testkit::{
    CORP, Chance, IDP, ISSUER, Spans as _, add_services, client, limit, resource, scope,
};

/// Who exchanges.
pub(crate) const SERVICES: [&str; 5] = ["orders", "shipping", "files", "console", "site"];
/// Clients that hold tokens of users.
pub(crate) const APPS: [&str; 2] = ["tv", "tv2"];
/// The last has scopes limited to groups, which only exchanges give.
const IDENTIFIERS: [&str; 5] = [
    "a.example",
    "b.example",
    "c.example",
    "d.example",
    "e.example",
];
/// How many of them users and machines ask for themselves.
pub(crate) const ASKED_FOR: usize = 4;
const OPENID: [&str; 3] = ["openid", "profile", "email"];

/// The groups of the two users.
pub(crate) fn groups_of(user: &str) -> Vec<&'static str> {
    match user {
        "alice" => vec!["staff", "red"],
        _ => vec!["staff", "blue"],
    }
}

/// Makes the realm a random one.
pub(crate) fn randomize(realm: &mut Realm, chance: &mut Chance) {
    add_services(realm);
    trust(realm);
    realm.resources = IDENTIFIERS
        .iter()
        .map(|identifier| {
            let uri = format!("https://{identifier}");
            let uri = (!chance.one_in(3)).then_some(uri.as_str());
            let form = match chance.one_in(3) {
                true => TokenForm::Sealed,
                false => TokenForm::Jwt(Algorithm::Es256),
            };
            let mut one = resource(
                identifier,
                uri,
                &[("read", "Read"), ("write", "Write")],
                form,
            );
            one.lifetime = chance.one_in(3).then(|| 240.s());
            one
        })
        .collect();
    limit(realm, "e.example/read", &["nobody", "red"]);
    if chance.one_in(2) {
        limit(realm, "e.example/write", &[]);
    }
    let all = realm.scopes();
    for id in SERVICES.iter().chain(&APPS) {
        let own = some_at_least_one(chance, &IDENTIFIERS, 2)
            .into_iter()
            .map(ToOwned::to_owned);
        let own: Vec<_> = own.take(2).collect();
        let actor = chance.one_in(12).then(|| chance.pick(&SERVICES));
        let lifetime = chance.pick(&[120.s(), 300.s(), 600.s()]);
        let (exchanges, refreshes) = (!chance.one_in(60), !chance.one_in(12));
        let client = client(realm, id);
        client.scopes = all.clone();
        client.actor = actor.map(|id| id.parse().expect("an id"));
        client.access_lifetime = lifetime;
        if SERVICES.contains(id) {
            client.resources = own;
            let first = if *id == "site" {
                GrantType::AuthorizationCode
            } else {
                GrantType::DeviceCode
            };
            client.grants = vec![first, GrantType::ClientCredentials];
            client
                .grants
                .extend(exchanges.then_some(GrantType::TokenExchange));
            client
                .grants
                .extend(refreshes.then_some(GrantType::RefreshToken));
        }
    }
    let rules = 6 + chance.below(7);
    realm.exchange = (0..rules)
        .map(|number| rule(realm, chance, number))
        .collect();
}

/// Each with a chance of one in `of`.
fn some<T: Copy>(chance: &mut Chance, all: &[T], of: u64) -> Vec<T> {
    all.iter().copied().filter(|_| chance.one_in(of)).collect()
}

fn some_at_least_one<T: Copy>(chance: &mut Chance, all: &[T], of: u64) -> Vec<T> {
    let some = some(chance, all, of);
    if some.is_empty() {
        vec![chance.pick(all)]
    } else {
        some
    }
}

fn rule(realm: &Realm, chance: &mut Chance, number: u64) -> ExchangeRule {
    let id = chance.pick(&SERVICES);
    let client = realm.client(id).expect("a client");
    let target = match chance.one_in(8) {
        true => RuleTarget::Client,
        false => RuleTarget::Resource(chance.pick(&IDENTIFIERS).to_owned()),
    };
    let of_target: Vec<String> = match &target {
        RuleTarget::Client => OPENID.map(ToOwned::to_owned).into(),
        RuleTarget::Resource(of) => ["read", "write"].map(|name| format!("{of}/{name}")).into(),
    };
    // One that no operator can write: the scope of another resource gives nothing.
    let strays = chance.one_in(16).then(|| "d.example/write".to_owned());
    let into: Vec<&str> = of_target
        .iter()
        .chain(&strays)
        .map(String::as_str)
        .collect();
    let issuer = match chance.below(7) {
        0 => Some(IDP),
        1 => Some(CORP),
        _ => None,
    };
    let issues = match (&target, chance.below(6)) {
        (RuleTarget::Client, _) => vec![TokenKind::IdToken],
        (_, 0) => vec![TokenKind::RefreshToken],
        (_, 1 | 2) => vec![TokenKind::AccessToken, TokenKind::RefreshToken],
        _ => vec![TokenKind::AccessToken],
    };
    let actor_issuer = chance.one_in(6).then(|| IDP.to_owned());
    ExchangeRule {
        name: format!("rule {number}"),
        client: client.id.clone(),
        subject: SubjectRule {
            issuer: issuer.map(ToOwned::to_owned),
            kinds: match chance.below(4) {
                0 => vec![TokenKind::AccessToken],
                1 => some_at_least_one(chance, &[TokenKind::IdToken, TokenKind::RefreshToken], 2),
                _ => vec![
                    TokenKind::AccessToken,
                    TokenKind::IdToken,
                    TokenKind::RefreshToken,
                ],
            },
            clients: match chance.one_in(8) && issuer.is_none() {
                true => some_at_least_one(chance, &["tv", "orders", "shipping", "site"], 2)
                    .into_iter()
                    .map(|id| id.parse().expect("an id"))
                    .collect(),
                false => Vec::new(),
            },
            groups: match chance.below(16) {
                0 => vec!["red".to_owned()],
                1 => vec!["nobody".to_owned(), "blue".to_owned()],
                _ => Vec::new(),
            },
            audiences: match chance.below(4) {
                0 => vec![
                    chance
                        .pick(&realm.resources.iter().collect::<Vec<_>>())
                        .audience()
                        .to_owned(),
                ],
                1 => vec![ISSUER.to_owned()],
                _ => Vec::new(),
            },
        },
        actor: ActorRule {
            token_required: chance.one_in(10),
            issuer: actor_issuer,
            may_act_required: chance.one_in(16),
        },
        target,
        scopes: scopes(client.resources.as_slice(), chance, &into),
        gives: some_at_least_one(chance, &into, 2).into_iter().collect(),
        issues,
        impersonation: chance.one_in(5),
        max_depth: chance.pick(&[0, 1, 2, 3, 3, 4, 4, 4]),
        lifetime: lifetime(chance),
    }
}

fn lifetime(chance: &mut Chance) -> Option<Duration> {
    chance.one_in(4).then(|| chance.pick(&[30.s(), 200.s()]))
}

/// What some scopes are mapped to, those of the client's own resources first.
fn scopes(own: &[String], chance: &mut Chance, into: &[&str]) -> BTreeMap<String, Scope> {
    let mut from: Vec<String> = own
        .iter()
        .flat_map(|id| [format!("{id}/read"), format!("{id}/write")])
        .collect();
    from.extend(IDENTIFIERS.map(|id| format!("{id}/read")));
    from.push("openid".to_owned());
    let count = 2 + chance.below(4);
    let from = (0..count)
        .map(|_| from[chance.index(from.len())].clone())
        .collect::<Vec<_>>();
    let into = |chance: &mut Chance| scope(&some_at_least_one(chance, into, 2).join(" "));
    from.into_iter().map(|from| (from, into(chance))).collect()
}
