//! Scopes limited to groups: only members are given them, wherever scopes are decided.

use grantor_core::base::error::Cause;
use grantor_core::base::error::ErrorCode::{
    AccessDenied, InvalidGrant, InvalidScope, InvalidTarget,
};
use grantor_core::endpoints::authorize::ConsentDecision::{Approve, Deny};
use grantor_core::engine::event::EventKind::ScopesLeftOut;
use grantor_core::model::realm::Realm;
use grantor_core::people::Withheld;
use serde_json::json;

use grantor_testkit::world::{CodeLookup, Decided, World, decided, declared_user};
use grantor_testkit::{
    AuthorizationRequest, CORP, IDP, JWT, PORTAL, REFRESH_TOKEN, SHIPPING, Spans as _, WIKI,
    client, limit, scope,
};

const READ: &str = "orders.example.com/read";
const WRITE: &str = "orders.example.com/write";
const SHIP: &str = "shipping.example.com/read";

/// A world in which only members of `clerks` and `chiefs` can be given what changes orders.
fn world() -> World {
    World::with(|realm| limit(realm, WRITE, &["clerks", "chiefs"]))
}

/// Makes the user a member of these groups and no others.
fn set_groups(world: &mut World, username: &str, groups: &[&str]) {
    let mut user = declared_user(username, true);
    user.groups = Some(groups.iter().map(|group| (*group).to_owned()).collect());
    assert_eq!(world.provision(user), Some(true));
}

fn request(client: &str, scope: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(client).with("scope", scope)
}

fn both() -> String {
    format!("openid {READ} {WRITE}")
}

#[test]
fn consent_shows_and_gives_members_only_what_they_can_be_given() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let asks = request(WIKI, &both());
    let page = world.authorize(&alice, &asks).consent();
    assert_eq!(page.asked.scope, scope(&format!("openid {READ}")));
    world.take_events();
    let code = world.decide_on(&alice, &asks, &page, Approve).code();
    assert!(world.take_events().contains(&ScopesLeftOut));
    let tokens = world.redeem(WIKI, &code).expect("tokens");
    assert_eq!(tokens.scope, format!("openid {READ}"), "the answer says it");
    // The consent is for what was shown: who joins later is asked.
    world.authorize(&alice, &asks).code();
    set_groups(&mut world, "alice", &["clerks"]);
    let page = world.authorize(&alice, &asks).consent();
    assert_eq!(page.asked.scope, scope(&both()));
    let code = world.decide_on(&alice, &asks, &page, Approve).code();
    assert_eq!(world.redeem(WIKI, &code).expect("tokens").scope, both());
}

#[test]
fn who_joins_while_the_consent_page_is_shown_is_asked_again() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let asks = request(WIKI, &both());
    let page = world.authorize(&alice, &asks).consent();
    set_groups(&mut world, "alice", &["clerks"]);
    let again = world.decide_on(&alice, &asks, &page, Approve).consent();
    assert_eq!(again.asked.scope, scope(&both()));
    // And who leaves meanwhile agrees to no more than what is left.
    set_groups(&mut world, "alice", &[]);
    let again = world.decide_on(&alice, &asks, &again, Approve).consent();
    assert_eq!(again.asked.scope, scope(&format!("openid {READ}")));
}

#[test]
fn who_can_be_given_nothing_sees_a_page_that_leads_back() {
    let mut world = world();
    let alice = world.signed_in("alice");
    for asks in [
        request(WIKI, WRITE),
        request(WIKI, &format!("openid {WRITE}")).with("resource", "orders.example.com"),
        request(PORTAL, WRITE),
    ] {
        let page = world.authorize(&alice, &asks).consent();
        assert_eq!(page.withheld, Some(Withheld::Scopes));
        assert!(page.asked.scope.is_empty());
        // Agreeing to it gives nothing.
        let again = world.decide_on(&alice, &asks, &page, Approve).consent();
        assert_eq!(again.withheld, Some(Withheld::Scopes));
        let answer = world.decide_on(&alice, &asks, &page, Deny).answer();
        let refusal = answer.outcome.expect_err("an error");
        assert_eq!(refusal.code, AccessDenied);
        assert_eq!(refusal.cause, Cause::ScopesWithheld);
        let silent = asks.with("prompt", "none");
        assert_eq!(world.authorize(&alice, &silent).error(), AccessDenied);
    }
}

#[test]
fn of_several_apis_those_are_left_of_which_something_is_given() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let asks = request(PORTAL, &format!("{WRITE} files.example.com/read"))
        .and("resource", "orders.example.com")
        .and("resource", "files.example.com");
    let code = world.authorize(&alice, &asks).code();
    let tokens = world.redeem(PORTAL, &code).expect("tokens");
    assert_eq!(tokens.scope, "files.example.com/read");
}

#[test]
fn a_device_gets_what_its_approver_can_be_given() {
    let mut world = world();
    let asks = [("scope", &*both())];
    let codes = world.device_codes_with("tv", &asks).expect("codes");
    let alice = world.signed_in("alice");
    let device = world.type_code(&alice, &codes.user).device();
    assert_eq!(device.scope, scope(&format!("openid {READ}")));
    assert_eq!(world.decide(&alice, &codes, true), Decided::Approved);
    let tokens = world.poll(&codes).expect("tokens");
    assert_eq!(tokens.scope, format!("openid {READ}"));
    set_groups(&mut world, "bob", &["chiefs"]);
    let tokens = world.device_tokens_with("tv", "bob", &asks);
    assert_eq!(tokens.scope, both());
}

#[test]
fn a_device_gets_no_more_than_the_page_showed() {
    let mut world = world();
    let codes = world.device_codes_with("tv", &[("scope", &both())]);
    let codes = codes.expect("codes");
    let alice = world.signed_in("alice");
    let device = world.type_code(&alice, &codes.user).device();
    set_groups(&mut world, "alice", &["clerks"]);
    let mut decision = alice.decide(device.grant, true, None);
    decision.shown = Some(device.scope);
    assert_eq!(decided(&world.ask(decision)), Decided::Approved);
    let tokens = world.poll(&codes).expect("tokens");
    assert_eq!(tokens.scope, format!("openid {READ}"));
}

#[test]
fn a_form_that_names_more_than_the_device_asked_for_gives_no_more() {
    let mut world = world();
    let codes = world.device_codes_with("tv", &[("scope", &format!("openid {WRITE}"))]);
    let codes = codes.expect("codes");
    let alice = world.signed_in("alice");
    let grant = world.type_code(&alice, &codes.user).device().grant;
    let mut decision = alice.decide(grant, true, None);
    decision.shown = Some(scope(&format!("{} email", both())));
    assert_eq!(decided(&world.ask(decision)), Decided::Approved);
    assert_eq!(world.poll(&codes).expect("tokens").scope, "openid");
}

#[test]
fn a_device_that_asks_for_what_its_approver_cannot_be_given_goes_on_waiting() {
    let mut world = world();
    let codes = world.device_codes_with("tv", &[("scope", WRITE)]);
    let codes = codes.expect("codes");
    let alice = world.signed_in("alice");
    let looked = world.type_code(&alice, &codes.user);
    assert!(matches!(looked, CodeLookup::Withheld(Withheld::Scopes)));
    // A form that was open before.
    assert_eq!(world.decide(&alice, &codes, true), Decided::Withheld);
    set_groups(&mut world, "bob", &["clerks"]);
    world.approve("bob", &codes);
    assert_eq!(world.poll(&codes).expect("tokens").scope, WRITE);
}

#[test]
fn who_leaves_before_the_code_or_the_poll_gets_what_is_left() {
    let mut world = world();
    set_groups(&mut world, "alice", &["clerks"]);
    let alice = world.signed_in("alice");
    let code = world.authorize(&alice, &request(PORTAL, &both())).code();
    let nothing = world.authorize(&alice, &request(PORTAL, WRITE)).code();
    let codes = world.device_codes_with("tv", &[("scope", &both())]);
    let codes = codes.expect("codes");
    world.approve("alice", &codes);
    set_groups(&mut world, "alice", &["staff"]);
    let left = format!("openid {READ}");
    assert_eq!(world.redeem(PORTAL, &code).expect("tokens").scope, left);
    assert_eq!(world.poll(&codes).expect("tokens").scope, left);
    // Nothing is left, and nothing is used up.
    assert_eq!(world.redeem(PORTAL, &nothing), Err(InvalidGrant));
    set_groups(&mut world, "alice", &["chiefs"]);
    assert_eq!(world.redeem(PORTAL, &nothing).expect("tokens").scope, WRITE);
}

#[test]
fn who_leaves_refreshes_to_what_is_left_and_has_it_back_on_return() {
    let mut world = world();
    set_groups(&mut world, "alice", &["clerks"]);
    let tokens = world.device_tokens_with("tv", "alice", &[("scope", &both())]);
    let only_write = world.device_tokens_with("tv", "alice", &[("scope", WRITE)]);
    set_groups(&mut world, "alice", &[]);
    let left = format!("openid {READ}");
    let less = world.refresh("tv", tokens.refresh()).expect("tokens");
    assert_eq!(less.scope, left);
    // What the grant holds is left out; what it never held is refused.
    let asked = [("scope", &*both())];
    let asked = world.refresh_with("tv", less.refresh(), &asked);
    let asked = asked.expect("tokens");
    assert_eq!(asked.scope, left);
    let wider = world.refresh_with("tv", asked.refresh(), &[("scope", "openid email")]);
    assert_eq!(wider.err(), Some(InvalidScope));
    let only = world.refresh_with("tv", asked.refresh(), &[("scope", WRITE)]);
    assert_eq!(only.err(), Some(InvalidGrant), "nothing is left");
    assert_eq!(world.refresh("tv", only_write.refresh()), Err(InvalidGrant));
    world.advance(1.days());
    set_groups(&mut world, "alice", &["clerks"]);
    let again = world.refresh("tv", asked.refresh()).expect("tokens");
    assert_eq!(again.scope, both());
    let again = world.refresh("tv", only_write.refresh()).expect("tokens");
    assert_eq!(again.scope, WRITE);
}

#[test]
fn a_grant_for_an_api_of_which_nothing_is_left_waits_until_the_user_is_back() {
    let mut world = world();
    set_groups(&mut world, "alice", &["clerks"]);
    let asks = [
        ("scope", &*format!("openid {WRITE}")),
        ("resource", "orders.example.com"),
    ];
    let tokens = world.device_tokens_with("tv", "alice", &asks);
    set_groups(&mut world, "alice", &[]);
    assert_eq!(world.refresh("tv", tokens.refresh()), Err(InvalidGrant));
    let named = [("resource", "orders.example.com")];
    let named = world.refresh_with("tv", tokens.refresh(), &named);
    assert_eq!(named.err(), Some(InvalidTarget), "the request names it");
    set_groups(&mut world, "alice", &["clerks"]);
    assert!(world.refresh("tv", tokens.refresh()).is_ok());
}

#[test]
fn an_app_may_repeat_a_limited_scope_that_was_left_out_at_first() {
    let mut world = world();
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, &request(PORTAL, &both()));
    let again = world.refresh_with(PORTAL, tokens.refresh(), &[("scope", &both())]);
    let again = again.expect("tokens");
    assert_eq!(again.scope, format!("openid {READ}"));
    // It was not granted, so joining later does not give it.
    set_groups(&mut world, "alice", &["clerks"]);
    let again = world.refresh_with(PORTAL, again.refresh(), &[("scope", &both())]);
    assert_eq!(again.expect("tokens").scope, format!("openid {READ}"));
}

#[test]
fn introspection_leaves_out_what_the_user_can_no_longer_be_given() {
    let mut world = world();
    set_groups(&mut world, "alice", &["clerks"]);
    let tokens = world.device_tokens_with("console", "alice", &[("scope", &both())]);
    let seen = |world: &mut World, token: &str| {
        let answer = world.introspect("console", token).expect("an answer");
        answer.token.expect("it is active").scope
    };
    assert_eq!(seen(&mut world, &tokens.access), both());
    set_groups(&mut world, "alice", &["staff"]);
    let left = format!("openid {READ}");
    assert_eq!(seen(&mut world, &tokens.access), left);
    assert_eq!(seen(&mut world, tokens.refresh()), left);
    // Who verifies by key alone sees it until the token expires.
    assert_eq!(world.claims(&tokens.access)["scope"], both());
}

#[test]
fn no_one_can_be_given_a_scope_that_is_limited_to_no_groups() {
    let mut world = World::with(|realm| limit(realm, WRITE, &[]));
    set_groups(&mut world, "alice", &["", "staff", "*"]);
    let tokens = world.device_tokens_with("tv", "alice", &[("scope", &both())]);
    assert_eq!(tokens.scope, format!("openid {READ}"));
}

#[test]
fn machines_are_limited_by_their_clients_scopes_alone() {
    let mut world = world();
    let tokens = world.machine_token("orders", &[("scope", WRITE)]);
    let tokens = tokens.expect("tokens");
    assert_eq!(tokens.scope, WRITE);
    let seen = world.introspect("orders", &tokens.access);
    let seen = seen.expect("an answer").token;
    assert_eq!(seen.expect("it is active").scope, WRITE);
}

/// A world in which `orders` may exchange each scope of orders for reading shipments, which is limited to `packers`.
fn with_exchange() -> World {
    let mut world = World::with_exchange();
    world.reconfigure(|realm| {
        limit(realm, SHIP, &["packers"]);
        limit(realm, WRITE, &["clerks"]);
        realm.exchange[0].scopes = [READ, WRITE]
            .map(|token| (token.to_owned(), scope(SHIP)))
            .into();
    });
    world
}

#[test]
fn an_exchange_gives_a_limited_scope_to_members_only() {
    let mut world = with_exchange();
    let token = world.orders_token().access;
    let (code, why) = world.exchange_refused("orders", &token, &[]);
    assert_eq!(code, InvalidScope);
    let limited =
        "The scope is limited to groups, and the subject is not a user who is in one of them.";
    assert_eq!(why, limited);
    let explained = world
        .explain("orders", &token, &[])
        .expect("an explanation");
    assert_eq!(explained.rules[0].why.as_deref(), Some(limited));
    assert_eq!(explained.rules[0].withheld, scope(SHIP));
    set_groups(&mut world, "alice", &["packers"]);
    let exchanged = world.exchange("orders", &token, &[]).expect("a token");
    assert_eq!(exchanged.scope, SHIP);
    let explained = world
        .explain("orders", &token, &[])
        .expect("an explanation");
    assert!(explained.allowed && explained.rules[0].withheld.is_empty());
}

#[test]
fn an_exchange_takes_no_scope_that_the_user_can_no_longer_be_given() {
    let mut world = with_exchange();
    set_groups(&mut world, "alice", &["packers", "clerks"]);
    let token = world.device_tokens_with("tv", "alice", &[("scope", WRITE)]);
    assert!(world.exchange("orders", &token.access, &[]).is_ok());
    set_groups(&mut world, "alice", &["packers"]);
    let (code, _) = world.exchange_refused("orders", &token.access, &[]);
    assert_eq!(code, InvalidScope);
}

#[test]
fn a_machine_and_a_foreign_subject_get_no_limited_scope_by_exchange() {
    let mut world = with_exchange();
    let machine = world.machine_token("orders", &[("scope", READ)]);
    let machine = machine.expect("tokens").access;
    world.reconfigure(|realm| {
        client(realm, "shipping")
            .resources
            .push("orders.example.com".to_owned());
        let mut rule = realm.exchange[0].clone();
        rule.client = "shipping".parse().expect("a client id");
        realm.exchange.push(rule);
    });
    let (code, why) = world.exchange_refused("shipping", &machine, &[("resource", SHIPPING)]);
    assert_eq!(code, InvalidScope);
    assert!(why.contains("limited to groups"), "{why}");
    world.reconfigure(|realm| {
        let shipping = realm.resources.iter_mut();
        for resource in shipping.filter(|it| it.identifier == "shipping.example.com") {
            resource.scopes.get_mut("read").expect("a scope").groups = None;
        }
    });
    let more = [("resource", SHIPPING)];
    assert!(world.exchange("shipping", &machine, &more).is_ok());
}

#[test]
fn an_exchanged_grant_keeps_and_loses_limited_scopes_like_any_other() {
    let mut world = with_exchange();
    world.reconfigure(|realm| {
        realm.exchange[0].issues =
            vec![grantor_core::model::exchange_rule::TokenKind::RefreshToken];
    });
    set_groups(&mut world, "alice", &["packers"]);
    let token = world.orders_token().access;
    let more = [("requested_token_type", REFRESH_TOKEN)];
    let refresh = world
        .exchange("orders", &token, &more)
        .expect("a token")
        .token;
    let next = world.refresh("orders", &refresh).expect("tokens");
    assert_eq!(next.scope, SHIP);
    set_groups(&mut world, "alice", &[]);
    assert_eq!(world.refresh("orders", next.refresh()), Err(InvalidGrant));
    set_groups(&mut world, "alice", &["packers"]);
    assert!(world.refresh("orders", next.refresh()).is_ok());
}

#[test]
fn an_assumed_token_of_an_explanation_holds_what_the_user_can_be_given() {
    let mut world = with_exchange();
    let assumed = |world: &mut World| {
        let params = grantor_testkit::world::params(&[
            ("client_id", "orders"),
            ("assumed_user", "alice"),
            ("assumed_client", "tv"),
            ("assumed_scope", WRITE),
        ]);
        let explain = grantor_core::exchange::Explain::parse(&params).expect("a request");
        let Ok(explanation) = world.ask(explain).reply;
        explanation
    };
    let refused = assumed(&mut world).refusal.expect("a refusal");
    assert_eq!(
        refused.error_description,
        "The user is in none of the groups to which the scopes are limited."
    );
    set_groups(&mut world, "alice", &["clerks", "packers"]);
    assert!(assumed(&mut world).allowed);
}

#[test]
fn a_limit_that_is_declared_later_counts_for_grants_of_before() {
    let mut world = World::new();
    let tokens = world.device_tokens_with("tv", "alice", &[("scope", &both())]);
    assert_eq!(tokens.scope, both());
    let declare = |realm: &mut Realm| limit(realm, WRITE, &["clerks"]);
    world.reconfigure(declare);
    let next = world.refresh("tv", tokens.refresh()).expect("tokens");
    assert_eq!(next.scope, format!("openid {READ}"));
}

#[test]
fn a_subject_of_another_issuer_gets_a_limited_scope_as_a_member_only() {
    let mut world = with_exchange().with_trusted();
    world.reconfigure(|realm| {
        let rules = [IDP, CORP].map(|issuer| {
            let mut rule = realm.exchange[0].clone();
            rule.subject.issuer = Some(issuer.to_owned());
            rule.gives = scope(SHIP);
            rule
        });
        realm.exchange = rules.into();
    });
    let jwt = [("subject_token_type", JWT)];
    let user = world.statement(CORP, "alice", json!({}));
    let stranger = world.statement(IDP, "someone", json!({}));
    let refused = world.exchange_refused("orders", &user, &jwt);
    assert_eq!(refused.0, InvalidScope);
    set_groups(&mut world, "alice", &["packers"]);
    assert!(world.exchange("orders", &user, &jwt).is_ok());
    let refused = world.exchange_refused("orders", &stranger, &jwt);
    assert_eq!(refused.0, InvalidScope);
}
