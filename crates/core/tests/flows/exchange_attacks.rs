//! Attacks on token exchange: services that want more than the rules give.

use grantor_core::base::error::ErrorCode;
use grantor_core::base::error::ErrorCode::{
    InvalidClient, InvalidRequest, InvalidScope, InvalidTarget,
};
use grantor_core::base::params::Params;
use grantor_core::exchange::Unmet;
use grantor_core::grants::GrantType;
use grantor_core::model::exchange_rule::{RuleTarget, TokenKind};
use grantor_core::model::token_type::TokenType;
use serde_json::json;

use grantor_testkit::world::{World, declared_user};
use grantor_testkit::{AuthorizationRequest, EXCHANGE, SHIPPING, Spans as _, client, rule, scope};

const TO_SHIPPING: [(&str, &str); 1] = [("audience", SHIPPING)];
const READ: &str = "orders.example.com/read";

pub(crate) const fn as_a(typ: TokenType) -> [(&'static str, &'static str); 1] {
    [("subject_token_type", typ.uri())]
}

pub(crate) fn actor(token: &str, typ: TokenType) -> [(&str, &str); 2] {
    [("actor_token", token), ("actor_token_type", typ.uri())]
}

fn unmet(unmet: Unmet) -> (ErrorCode, &'static str) {
    (InvalidRequest, unmet.description())
}

/// With machines that may call shipping.
fn with_machines() -> World {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        for id in ["orders", "shipping", "files"] {
            let client = client(realm, id);
            client.grants.push(GrantType::ClientCredentials);
            client.scopes = scope("orders.example.com/read shipping.example.com/read");
        }
    });
    world
}

#[test]
fn confused_deputy_a_token_sent_to_one_service_is_no_subject_for_another() {
    let mut world = with_machines();
    let to_shipping = [("scope", "shipping.example.com/read")];
    let machine = world
        .machine_token("files", &to_shipping)
        .expect("a token")
        .access;
    let alice = world.orders_token().access;
    let exchanged = world
        .exchange("orders", &alice, &TO_SHIPPING)
        .expect("a token")
        .token;
    world.reconfigure(|realm| {
        let all = [
            ("orders.example.com/read", "files.example.com/read"),
            ("shipping.example.com/read", "files.example.com/read"),
        ];
        realm
            .exchange
            .push(rule("files", "files.example.com", &all));
        realm
            .exchange
            .push(rule("orders", "files.example.com", &all[1..]));
    });
    let reply = |world: &mut World, client, token: &str| {
        world.exchange_refused(client, token, &[("audience", "files.example.com")])
    };
    // With a token of another client, whatever its scopes would become.
    assert_eq!(
        reply(&mut world, "files", &alice),
        unmet(Unmet::SubjectAudience)
    );
    assert_eq!(
        reply(&mut world, "files", &exchanged),
        unmet(Unmet::SubjectAudience)
    );
    assert_eq!(
        reply(&mut world, "orders", &machine),
        unmet(Unmet::SubjectAudience)
    );
    let sealed = [("scope", "files.example.com/read")];
    let sealed = world.device_tokens_with("tv", "alice", &sealed).access;
    assert_eq!(
        reply(&mut world, "orders", &sealed),
        unmet(Unmet::SubjectAudience)
    );
}

#[test]
fn rfc8693_4_4_a_client_not_named_by_may_act_can_neither_act_nor_impersonate() {
    const OTHER: &str = "The subject token says by may_act that somebody else may act.";
    for hides in [false, true] {
        let mut world = World::with_exchange();
        world.reconfigure(|realm| {
            client(realm, "tv").actor = Some("shipping".parse().expect("an id"));
            realm.exchange[0].impersonation = hides;
        });
        let subject = world.orders_token().access;
        let reply = world.exchange_refused("orders", &subject, &TO_SHIPPING);
        assert_eq!(reply, (InvalidRequest, OTHER));
        world.reconfigure(|realm| {
            client(realm, "tv").actor = Some("orders".parse().expect("an id"));
            realm.exchange[0].actor.may_act_required = true;
        });
        let named = world.orders_token().access;
        world
            .exchange("orders", &named, &TO_SHIPPING)
            .expect("it is named");
        let visitor = world
            .device_tokens_with("tv2", "alice", &[("scope", READ)])
            .access;
        let reply = world.exchange_refused("orders", &visitor, &TO_SHIPPING);
        assert_eq!(reply, unmet(Unmet::MayAct), "the rule demands it");
    }
}

#[test]
fn a_client_cannot_use_an_actor_token_issued_to_another_client() {
    let mut world = with_machines();
    let subject = world.orders_token().access;
    let to_shipping = [("scope", "shipping.example.com/read")];
    let stolen = world
        .machine_token("files", &to_shipping)
        .expect("a token")
        .access;
    let asked = [&TO_SHIPPING[..], &actor(&stolen, TokenType::AccessToken)].concat();
    let reply = world.exchange_refused("orders", &subject, &asked);
    assert_eq!(reply, unmet(Unmet::ActorAudience));
    world.reconfigure(|realm| client(realm, "tv").actor = Some("files".parse().expect("an id")));
    let subject = world.orders_token().access;
    let own = world
        .machine_token("orders", &[("scope", READ)])
        .expect("a token")
        .access;
    let asked = [&TO_SHIPPING[..], &actor(&own, TokenType::AccessToken)].concat();
    let reply = world.exchange_refused("orders", &subject, &asked);
    assert_eq!(reply.0, InvalidRequest, "may_act names files");
}

#[test]
fn an_actor_token_that_has_an_actor_itself_is_refused() {
    let mut world = with_machines();
    world.reconfigure(|realm| {
        realm.exchange[0].subject.clients = vec!["tv".parse().expect("an id")]
    });
    world.reconfigure(|realm| {
        let into = [("shipping.example.com/read", "orders.example.com/read")];
        realm
            .exchange
            .push(rule("shipping", "orders.example.com", &into));
    });
    let subject = world.orders_token().access;
    let first = world
        .exchange("orders", &subject, &TO_SHIPPING)
        .expect("a token")
        .token;
    let to_orders = [("audience", "orders.example.com")];
    let second = world
        .exchange("shipping", &first, &to_orders)
        .expect("a token")
        .token;
    let bobs = world
        .device_tokens_with("tv", "bob", &[("scope", READ)])
        .access;
    let asked = [&TO_SHIPPING[..], &actor(&second, TokenType::AccessToken)].concat();
    let reply = world.exchange_refused("orders", &bobs, &asked);
    assert_eq!(reply.0, InvalidRequest);
    assert!(reply.1.contains("somebody else acts already"), "{reply:?}");
}

#[test]
fn an_act_chain_has_no_cycle_no_self_and_a_limited_depth() {
    let mut world = with_machines();
    world.reconfigure(|realm| {
        let into = [("shipping.example.com/read", "orders.example.com/read")];
        realm
            .exchange
            .push(rule("shipping", "orders.example.com", &into));
    });
    let subject = world.orders_token().access;
    let first = world
        .exchange("orders", &subject, &TO_SHIPPING)
        .expect("a token")
        .token;
    let to_orders = [("audience", "orders.example.com")];
    let second = world
        .exchange("shipping", &first, &to_orders)
        .expect("a token")
        .token;
    let reply = world.exchange_refused("orders", &second, &TO_SHIPPING);
    assert_eq!(reply, unmet(Unmet::Cycle));
    let own = world
        .machine_token("orders", &[("scope", READ)])
        .expect("a token")
        .access;
    let reply = world.exchange_refused("orders", &own, &TO_SHIPPING);
    assert_eq!(reply, unmet(Unmet::ActsForItself));
    world.reconfigure(|realm| {
        realm
            .exchange
            .iter_mut()
            .for_each(|rule| rule.max_depth = 1)
    });
    let reply = world.exchange_refused("shipping", &first, &to_orders);
    assert_eq!(reply, unmet(Unmet::Depth));
    // An impersonated actor does not allow a deeper chain.
    world.reconfigure(|realm| {
        realm
            .exchange
            .iter_mut()
            .for_each(|rule| rule.impersonation = true)
    });
    let hidden = world
        .exchange("shipping", &first, &to_orders)
        .expect("a token")
        .token;
    let act = json!({ "sub": "orders", "client_id": "orders" });
    assert_eq!(world.claims(&hidden)["act"], act, "who acted before stays");
}

#[test]
fn an_exchanged_token_exchanged_again_is_never_wider() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        let both = [
            ("shipping.example.com/read", "files.example.com/read"),
            ("shipping.example.com/write", "orders.example.com/write"),
            ("orders.example.com/read", "orders.example.com/write"),
        ];
        realm.exchange[1] = rule("shipping", "files.example.com", &both[..1]);
        realm
            .exchange
            .push(rule("shipping", "orders.example.com", &both[1..]));
    });
    let subject = world.orders_token().access;
    let first = world
        .exchange("orders", &subject, &TO_SHIPPING)
        .expect("a token");
    // It holds shipping's read, whatever alice's own token held.
    let wider = [("audience", "orders.example.com")];
    let reply = world.exchange_refused("shipping", &first.token, &wider);
    assert_eq!(reply.0, InvalidScope);
    world.advance(60.s());
    let second = world.exchange(
        "shipping",
        &first.token,
        &[("audience", "files.example.com")],
    );
    assert_eq!(second.expect("a token").expires_in, first.expires_in - 60);
}

/// An ID token's ceiling is its grant's scopes: had one that came of a narrow token that ceiling too, it would be a way
/// back up.
#[test]
fn an_exchanged_id_token_cannot_be_exchanged_for_the_whole_grant() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        client(realm, "site").grants.push(GrantType::TokenExchange);
        let mut sign_in = rule("site", "", &[(READ, "openid")]);
        sign_in.target = RuleTarget::Client;
        sign_in.issues = vec![TokenKind::IdToken];
        let write = [("orders.example.com/write", "shipping.example.com/write")];
        let mut wide = rule("site", "shipping.example.com", &write);
        wide.subject.kinds = vec![TokenKind::IdToken, TokenKind::AccessToken];
        realm.exchange.extend([sign_in, wide]);
    });
    let browser = world.signed_in("alice");
    let all = "openid orders.example.com/read orders.example.com/write";
    let tokens = world.app_tokens(
        &browser,
        &AuthorizationRequest::new("site").with("scope", all),
    );
    let narrow = world
        .refresh_with("site", tokens.refresh(), &[("scope", READ)])
        .expect("tokens");
    let reply = world.exchange_refused("site", &narrow.access, &TO_SHIPPING);
    assert_eq!(reply.0, InvalidScope);
    let id = [("requested_token_type", TokenType::IdToken.uri())];
    let id = world
        .exchange("site", &narrow.access, &id)
        .expect("an ID token")
        .token;
    let asked = [&TO_SHIPPING[..], &as_a(TokenType::IdToken)].concat();
    let reply = world.exchange_refused("site", &id, &asked);
    assert_eq!(reply.0, InvalidRequest);
    let own = tokens.id.expect("an ID token");
    world
        .exchange("site", &own, &asked)
        .expect("its own, of its sign-in, it may exchange");
}

#[test]
fn a_public_client_cannot_exchange_tokens_despite_a_rule() {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        client(realm, "tv").grants.push(GrantType::TokenExchange);
        let into = [(READ, "shipping.example.com/read")];
        realm
            .exchange
            .push(rule("tv", "shipping.example.com", &into));
    });
    let subject = world.orders_token().access;
    assert_eq!(
        world.exchange_refused("tv", &subject, &TO_SHIPPING).0,
        InvalidClient
    );
    let reply = world
        .explain("tv", &subject, &TO_SHIPPING)
        .expect("an explanation");
    assert!(!reply.allowed);
}

#[test]
fn rfc8693_2_1_requests_that_name_two_targets_or_none_that_is_known_are_refused() {
    let mut world = World::with_exchange();
    let subject = world.orders_token().access;
    for more in [
        vec![("audience", SHIPPING), ("audience", "files.example.com")],
        vec![
            ("audience", SHIPPING),
            ("resource", "https://orders.example.com"),
        ],
        vec![("resource", "https://shipping.example.com#fragment")],
        vec![("audience", "https://shipping.example.com/")],
        vec![("resource", "shipping.example.com")],
        vec![("audience", "https://SHIPPING.example.com")],
        vec![("scope", "shipping.example.com/read files.example.com/read")],
        vec![("audience", "orders")],
    ] {
        let reply = world.exchange_refused("orders", &subject, &more);
        assert_eq!(reply.0, InvalidTarget, "{more:?}");
    }
    // One target under all of its names is one target.
    let all = [
        ("audience", "shipping.example.com"),
        ("resource", SHIPPING),
        ("resource", "https://shipping.example.com/"),
    ];
    world.exchange("orders", &subject, &all).expect("a token");
}

#[test]
fn rfc8693_2_1_malformed_exchange_requests_are_refused() {
    let mut world = World::with_exchange();
    let subject = world.orders_token().access;
    let of =
        |changes: &[(&'static str, String)]| -> Vec<(&'static str, String)> { changes.to_vec() };
    let access = || TokenType::AccessToken.uri().to_owned();
    for more in [
        of(&[("subject_token", String::new())]),
        of(&[("subject_token_type", String::new())]),
        of(&[(
            "subject_token_type",
            "urn:ietf:params:oauth:token-type:saml2".to_owned(),
        )]),
        of(&[("actor_token", subject.clone())]),
        of(&[("actor_token_type", access())]),
        of(&[
            ("actor_token", subject.clone()),
            ("actor_token_type", TokenType::RefreshToken.uri().to_owned()),
        ]),
        of(&[("requested_token_type", "urn:x".to_owned())]),
        of(&[("subject_token", "x".repeat(16 * 1024))]),
        of(&[("subject_token", format!("{subject}{subject}"))]),
    ] {
        let more: Vec<_> = more.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let reply = world.exchange_refused("orders", &subject, &more);
        assert_eq!(
            reply.0,
            InvalidRequest,
            "{:?}",
            more.first().map(|(name, _)| name)
        );
    }
    let twice = format!("grant_type={EXCHANGE}&subject_token=a&subject_token=b");
    assert!(Params::parse(twice.as_bytes()).is_err());
}

#[test]
fn groups_that_an_exchanged_token_has_no_room_for_are_left_out_as_explained() {
    let mut world = World::with_exchange();
    let subject = world.orders_token().access;
    let mut alice = declared_user("alice", true);
    alice.groups = Some(
        (0..400)
            .map(|n| format!("a-group-of-many-{n:05}"))
            .collect(),
    );
    assert_eq!(world.provision(alice), Some(true));
    let given = world.exchange("orders", &subject, &TO_SHIPPING);
    let claims = world.claims(&given.expect("a token").token);
    assert_eq!(claims.get("groups"), None);
    let left_out = world.events.iter().find_map(|it| it.left_out.as_deref());
    assert_eq!(left_out, Some("groups"));
    let explained = world.explain("orders", &subject, &TO_SHIPPING);
    let explained = explained.expect("an explanation").issued;
    assert_eq!(explained.expect("a token").claims.get("groups"), None);
}
