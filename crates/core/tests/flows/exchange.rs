//! Token exchange (RFC 8693): what a service gets, and what it does not.

use std::sync::Arc;

use grantor_core::base::error::Cause;
use grantor_core::base::error::ErrorCode::{InvalidRequest, InvalidScope, InvalidTarget};
use grantor_core::engine::event::EventKind;
use grantor_core::grants::GrantType;
use grantor_core::model::client::Client;
use grantor_core::model::exchange_rule::{RuleTarget, TokenKind};
use grantor_core::model::realm::Realm;
use grantor_core::model::scope::Scope;
use grantor_core::model::token_type::TokenType;
use serde_json::json;

use grantor_testkit::world::{World, declared_user};
use grantor_testkit::{ACCESS_TOKEN, ISSUER, ROBOT, SHIPPING, Spans as _, user_id};

const REFRESH: &str = "urn:ietf:params:oauth:token-type:refresh_token";
/// What an operator changes.
type Change = fn(&mut Realm);

const TO_SHIPPING: [(&str, &str); 1] = [("audience", SHIPPING)];

#[test]
fn rfc8693_2_2_1_orders_calls_shipping_for_the_user_and_no_more() {
    let mut world = World::with_exchange();
    let subject = world.orders_token();
    let given = world.claims(&subject.access);
    world.advance(30.s());
    let exchanged = world.exchange("orders", &subject.access, &TO_SHIPPING);
    let exchanged = exchanged.expect("a token");
    assert_eq!(exchanged.issued, TokenType::AccessToken);
    assert_eq!(exchanged.scope, "shipping.example.com/read");
    assert_eq!(
        exchanged.expires_in, 570,
        "no longer than the subject token"
    );
    let mut claims = world.claims(&exchanged.token);
    let jti = claims.remove("jti").expect("an id");
    let of = |jti: &serde_json::Value| jti.as_str().expect("text")[..32].to_owned();
    assert_eq!(
        of(&jti),
        of(&given["jti"]),
        "the grant of the subject token"
    );
    assert_ne!(jti, given["jti"]);
    let expected = json!({
        "iss": ISSUER,
        "sub": user_id("alice").to_string(),
        "aud": SHIPPING,
        "exp": given["exp"],
        "iat": world.now.as_secs(),
        "client_id": "orders",
        "scope": "shipping.example.com/read",
        "auth_time": given["auth_time"],
        "groups": ["staff"],
        "act": { "sub": "orders", "client_id": "orders" },
    });
    assert_eq!(serde_json::Value::Object(claims), expected);
}

#[test]
fn each_exchange_is_in_the_act_chain_and_in_an_event() {
    let mut world = World::with_exchange();
    let subject = world.orders_token();
    let first = world
        .exchange("orders", &subject.access, &TO_SHIPPING)
        .expect("a token");
    world.events.clear();
    let second = world
        .exchange("shipping", &first.token, &[])
        .expect("a token");
    assert_eq!(second.scope, "files.example.com/read");
    let reply = world.introspect("files", &second.token).expect("an answer");
    let reply = serde_json::to_value(reply).expect("JSON");
    let chain = json!({
        "sub": "shipping",
        "client_id": "shipping",
        "act": { "sub": "orders", "client_id": "orders" },
    });
    assert_eq!((&reply["active"], &reply["act"]), (&json!(true), &chain));
    let event = world
        .events
        .iter()
        .find(|event| event.kind == EventKind::TokenExchanged);
    let hop = event
        .and_then(|event| event.exchange.clone())
        .expect("a hop");
    assert_eq!(serde_json::to_value(hop.act).expect("JSON"), chain);
    assert_eq!(hop.rule.as_deref(), Some("shipping to files.example.com"));
}

#[test]
fn wider_scope_is_refused_and_never_cut_silently() {
    let mut world = World::with_exchange();
    let subject = world.orders_token();
    for scope in [
        "shipping.example.com/write",
        "shipping.example.com/read shipping.example.com/write",
        "shipping.example.com/read openid",
    ] {
        let reply = world.exchange_refused("orders", &subject.access, &[("scope", scope)]);
        assert_eq!(reply.0, InvalidScope, "{scope}");
    }
    let reply = world.exchange_refused(
        "orders",
        &subject.access,
        &[("scope", "orders.example.com/write")],
    );
    assert_eq!(reply.0, InvalidTarget, "no rule is for orders");
}

#[test]
fn without_a_rule_every_exchange_is_refused() {
    let mut world = World::with_exchange();
    let subject = world.orders_token();
    world.reconfigure(|realm| realm.exchange.clear());
    let reply = world.exchange_refused("orders", &subject.access, &TO_SHIPPING);
    assert_eq!(reply.0, InvalidTarget);
    let reply = world.exchange_refused("orders", &subject.access, &[]);
    assert_eq!(reply.0, InvalidTarget);
}

#[test]
fn a_subject_token_for_another_audience_is_refused() {
    let mut world = World::with_exchange();
    let files = world.device_tokens_with("tv", "alice", &[("scope", "files.example.com/read")]);
    let reply = world.exchange_refused("orders", &files.access, &TO_SHIPPING);
    assert_eq!(reply.0, InvalidRequest);
    world.reconfigure(|realm| {
        let scopes = &mut realm.exchange[0].scopes;
        let read = scopes["orders.example.com/read"].clone();
        scopes.insert("files.example.com/read".to_owned(), read);
    });
    let reply = world.exchange_refused("orders", &files.access, &TO_SHIPPING);
    assert_eq!(reply.0, InvalidRequest, "the audience, not only the scope");
    world.reconfigure(|realm| {
        realm.exchange[0]
            .subject
            .audiences
            .push("files.example.com".to_owned());
    });
    world
        .exchange("orders", &files.access, &TO_SHIPPING)
        .expect("the rule names it");
}

#[test]
fn a_refresh_token_from_an_exchange_ends_with_the_grant_of_its_subject() {
    let mut world = World::with_exchange();
    let subject = world.orders_token();
    let asked = [("audience", SHIPPING), ("requested_token_type", REFRESH)];
    let reply = world.exchange_refused("orders", &subject.access, &asked);
    assert_eq!(reply.0, InvalidTarget, "opt-in");
    world.reconfigure(|realm| realm.exchange[0].issues.push(TokenKind::RefreshToken));
    let (cost, exchanged) = world.cost(|world| {
        world
            .exchange("orders", &subject.access, &asked)
            .expect("a refresh token")
    });
    assert_eq!(cost, [1, 1, 1]);
    assert_eq!(exchanged.issued, TokenType::RefreshToken);
    let tokens = world.refresh("orders", &exchanged.token).expect("tokens");
    let claims = world.claims(&tokens.access);
    assert_eq!(
        claims["act"],
        json!({ "sub": "orders", "client_id": "orders" })
    );
    assert_eq!(claims["aud"], SHIPPING);
    assert!(world.is_active("shipping", &tokens.access));
    world.revoke("tv", subject.refresh()).expect("done");
    assert!(!world.is_active("shipping", &tokens.access));
    assert!(world.refresh("orders", tokens.refresh()).is_err());
}

#[test]
fn an_explanation_says_what_the_exchange_would_and_issues_nothing() {
    let mut world = World::with_exchange();
    let subject = world.orders_token();
    world.events.clear();
    let (cost, reply) = world.cost(|world| world.explain("orders", &subject.access, &TO_SHIPPING));
    assert_eq!(cost, [1, 0, 0]);
    let reply = reply.expect("an explanation");
    assert!(reply.allowed && world.events.is_empty());
    assert_eq!(reply.rules[0].name, "orders to shipping.example.com");
    let issued = reply.issued.expect("it is allowed");
    assert_eq!(issued.claims["act"]["sub"], "orders");
    let wider = [("scope", "shipping.example.com/write")];
    let reply = world
        .explain("orders", &subject.access, &wider)
        .expect("an explanation");
    assert!(!reply.allowed);
    assert_eq!(reply.refusal.expect("a refusal").error, "invalid_scope");
    assert!(reply.rules[0].why.is_some());
}

#[test]
fn a_token_ends_with_the_user_who_acts_by_it() {
    let mut world = World::with_exchange();
    let subject = world.orders_token();
    let actor = world.device_tokens_with("tv", "bob", &[("scope", "orders.example.com/read")]);
    let by_bob = [
        ("audience", SHIPPING),
        ("actor_token", &*actor.access),
        ("actor_token_type", ACCESS_TOKEN),
    ];
    let exchanged = world
        .exchange("orders", &subject.access, &by_bob)
        .expect("a token");
    let act = &world.claims(&exchanged.token)["act"];
    let bob = json!({ "sub": user_id("bob").to_string(), "client_id": "orders" });
    assert_eq!(*act, bob);
    assert!(world.is_active("shipping", &exchanged.token));
    // The client by which bob acts stays in the chain.
    let second = world.exchange("shipping", &exchanged.token, &[]);
    let second = second.expect("a token").token;
    assert!(world.is_active("files", &second));
    let orders = "orders".parse().expect("an id");
    let enable = |world: &mut World, enabled| {
        world.reconfigure(|realm| {
            Arc::make_mut(realm.clients.get_mut(&orders).expect("it is there")).enabled = enabled
        });
    };
    enable(&mut world, false);
    assert!(!world.is_active("files", &second));
    enable(&mut world, true);
    world.provision(declared_user("bob", false));
    assert!(!world.is_active("shipping", &exchanged.token));
    assert_eq!(
        world
            .exchange("shipping", &exchanged.token, &[])
            .map_err(|refusal| refusal.cause),
        Err(Cause::ActorGone)
    );
}

#[test]
fn a_rule_cannot_give_scopes_of_another_resource() {
    let mut world = World::with_exchange();
    let subject = world.orders_token();
    world.reconfigure(|realm| {
        let to = "files.example.com/read openid shipping.example.com/read";
        let to = to.parse().expect("a scope");
        realm.exchange[0]
            .scopes
            .insert("orders.example.com/read".to_owned(), to);
    });
    let exchanged = world
        .exchange("orders", &subject.access, &TO_SHIPPING)
        .expect("a token");
    assert_eq!(exchanged.scope, "shipping.example.com/read");
}

#[test]
fn a_refresh_token_from_an_exchange_is_checked_against_the_rule_at_each_use() {
    let changes: [(&str, Change); 6] = [
        ("groups", |realm| {
            realm.exchange[0].subject.groups = vec!["admins".to_owned()]
        }),
        ("clients", |realm| {
            realm.exchange[0].subject.clients = vec!["tv2".parse().expect("an id")];
        }),
        ("scope", |realm| realm.exchange[0].scopes.clear()),
        ("audience", |realm| {
            realm.exchange[0].target = RuleTarget::Resource("files.example.com".to_owned());
        }),
        ("depth", |realm| realm.exchange[0].max_depth = 0),
        ("kind", |realm| {
            realm.exchange[0].issues = vec![TokenKind::AccessToken]
        }),
    ];
    for (what, change) in changes {
        let mut world = World::with_exchange();
        world.reconfigure(|realm| {
            realm.exchange[0].issues.push(TokenKind::RefreshToken);
            realm.exchange[0].subject.groups = vec!["staff".to_owned()];
        });
        let subject = world.orders_token();
        let asked = [("audience", SHIPPING), ("requested_token_type", REFRESH)];
        let given = world
            .exchange("orders", &subject.access, &asked)
            .expect("a token");
        let given = world.refresh("orders", &given.token).expect("tokens");
        world.reconfigure(change);
        assert!(world.refresh("orders", given.refresh()).is_err(), "{what}");
    }
}

#[test]
fn a_refresh_is_refused_once_the_rule_forbids_impersonation() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        realm.exchange[0].issues.push(TokenKind::RefreshToken);
        realm.exchange[0].impersonation = true;
    });
    let subject = world.orders_token();
    let asked = [("audience", SHIPPING), ("requested_token_type", REFRESH)];
    let given = world
        .exchange("orders", &subject.access, &asked)
        .expect("a token");
    let given = world.refresh("orders", &given.token).expect("tokens");
    assert!(!world.claims(&given.access).contains_key("act"));
    world.reconfigure(|realm| realm.exchange[0].impersonation = false);
    assert!(world.refresh("orders", given.refresh()).is_err());
}

#[test]
fn the_account_page_hides_grants_whose_parent_has_ended() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| realm.exchange[0].issues.push(TokenKind::RefreshToken));
    let subject = world.orders_token();
    let asked = [("audience", SHIPPING), ("requested_token_type", REFRESH)];
    world
        .exchange("orders", &subject.access, &asked)
        .expect("a token");
    let alice = world.signed_in("alice");
    let apps = |world: &mut World| {
        world
            .view_account(&alice)
            .expect("she is signed in")
            .apps
            .len()
    };
    assert_eq!(apps(&mut world), 1);
    world.revoke("tv", subject.refresh()).expect("done");
    assert_eq!(apps(&mut world), 0);
}

#[test]
fn a_client_whose_id_looks_like_a_users_acts_as_a_client() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        let service = realm.client("shipping").expect("it is there").clone();
        let scopes: Scope = "orders.example.com/read".parse().expect("a scope");
        let robot = Client {
            id: ROBOT.parse().expect("an id"),
            grants: vec![GrantType::ClientCredentials],
            scopes: scopes.clone(),
            default_scopes: scopes,
            ..service
        };
        realm.clients.insert(robot.id.clone(), Arc::new(robot));
    });
    let subject = world.orders_token();
    let actor = world.machine_token(ROBOT, &[]).expect("a token");
    let by_robot = [
        ("audience", SHIPPING),
        ("actor_token", &*actor.access),
        ("actor_token_type", ACCESS_TOKEN),
    ];
    let exchanged = world.exchange("orders", &subject.access, &by_robot);
    let exchanged = exchanged.expect("a token").token;
    assert_eq!(world.claims(&exchanged)["act"]["sub"], ROBOT);
    assert!(world.is_active("shipping", &exchanged));
    world.reconfigure(|realm| {
        realm.clients.remove(&ROBOT.parse().expect("an id"));
    });
    assert!(!world.is_active("shipping", &exchanged));
}
