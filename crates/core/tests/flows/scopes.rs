//! Scopes that nobody knows or that the client may not ask for, `groups`, and claims that a token has no room for.

use grantor_core::base::error::ErrorCode::InvalidScope;
use grantor_core::engine::event::EventKind::{
    ClaimsLeftOut, CodeIssued, DeviceAuthorizationStarted, ScopesLeftOut, TokensIssued,
};
use grantor_core::model::claim_mapping::{Carrier, ClaimMapping};
use grantor_core::model::client::IdTokenContent;
use grantor_core::model::requested_scope::UnknownScopes;
use grantor_core::model::resource::TokenForm;
use serde_json::{Map, Value, json};

use grantor_testkit::world::{World, declared_user};
use grantor_testkit::{AuthorizationRequest, PORTAL, client, resource, scope};

fn portal(scope: &str) -> AuthorizationRequest {
    AuthorizationRequest::new(PORTAL).with("scope", scope)
}

fn refused_with(world: &mut World, request: &AuthorizationRequest) -> String {
    let alice = world.signed_in("alice");
    let refusal = world.authorize(&alice, request).answer().outcome;
    let refusal = refusal.expect_err("it is refused");
    assert_eq!(refusal.code, InvalidScope);
    refusal.description().into_owned()
}

#[test]
fn rfc6749_3_3_unknown_scopes_are_left_out_and_operators_learn_which() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    world.take_events();
    // One that the client may not ask for, and two that nobody knows.
    let request = portal("openid groups orders.example.com/wirte bogus");
    let code = world.authorize(&alice, &request).code();
    assert_eq!(
        world.events.last().and_then(|it| it.left_out.as_deref()),
        Some("bogus groups orders.example.com/wirte")
    );
    assert_eq!(world.take_events(), [CodeIssued, ScopesLeftOut]);
    let tokens = world.redeem(PORTAL, &code).expect("tokens");
    assert_eq!(tokens.scope, "openid", "the answer says what is left");
}

#[test]
fn a_device_that_asks_for_an_unknown_scope_gets_the_others() {
    let mut world = World::new();
    let codes = world
        .device_codes_with("tv", &[("scope", "openid offline_access")])
        .expect("codes");
    assert_eq!(
        world.take_events(),
        [DeviceAuthorizationStarted, ScopesLeftOut]
    );
    world.approve("alice", &codes);
    assert_eq!(world.poll(&codes).expect("tokens").scope, "openid");
}

#[test]
fn where_nothing_is_left_or_unknown_scopes_are_refused_the_scope_is_named() {
    let mut world = World::new();
    let named = "The client may not ask for this scope, or it is unknown: bogus";
    assert_eq!(refused_with(&mut world, &portal("bogus")), named);
    world.reconfigure(|realm| realm.unknown_scopes = UnknownScopes::Refuse);
    assert_eq!(refused_with(&mut world, &portal("openid bogus")), named);
}

#[test]
fn the_token_endpoint_refuses_unknown_scopes_and_names_them() {
    let mut world = World::new();
    for scope in ["orders.example.com/read bogus", "openid"] {
        let refused = world.machine_token("orders", &[("scope", scope)]);
        assert_eq!(refused, Err(InvalidScope), "{scope}");
    }
}

#[test]
fn an_app_may_ask_again_for_all_that_it_asked_for_at_first() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let asked = "openid email groups";
    let tokens = world.app_tokens(&alice, &portal(asked));
    assert_eq!(tokens.scope, "email openid");
    let mut refresh = |token: &str, scope: &str| {
        let answer = world.refresh_with(PORTAL, token, &[("scope", scope)]);
        answer.map(|tokens| (tokens.scope.clone(), tokens.refresh().to_owned()))
    };
    let (scope, next) = refresh(tokens.refresh(), asked).expect("tokens");
    assert_eq!(scope, "email openid");
    // What the client may ask for, and the user did not grant, is refused as before (RFC 6749 section 6).
    assert_eq!(refresh(&next, "openid phone"), Err(InvalidScope));
    assert_eq!(
        refresh(&next, "groups"),
        Err(InvalidScope),
        "nothing is left"
    );
    let strict = |realm: &mut grantor_core::model::realm::Realm| {
        realm.unknown_scopes = UnknownScopes::Refuse;
    };
    world.reconfigure(strict);
    let refused = world.refresh_with(PORTAL, &next, &[("scope", asked)]);
    assert_eq!(refused.err(), Some(InvalidScope));
}

/// A world in which the portal may ask for groups.
fn with_groups() -> World {
    World::with(|realm| {
        client(realm, PORTAL).scopes = scope("openid profile email groups orders.example.com/read");
    })
}

/// The claims of the ID token, of userinfo, and of the access token.
fn claims_for(world: &mut World, request: &AuthorizationRequest) -> [Map<String, Value>; 3] {
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, request);
    let userinfo = world.userinfo(&tokens.access).expect("claims");
    let id = world.claims(tokens.id.as_deref().expect("an ID token"));
    [id, userinfo, world.claims(&tokens.access)]
}

#[test]
fn groups_are_in_id_token_and_userinfo_where_the_scope_was_granted() {
    let mut world = with_groups();
    let [id, userinfo, access] = claims_for(&mut world, &portal("openid groups"));
    assert_eq!(id["groups"], json!(["staff"]));
    assert_eq!(userinfo["groups"], json!(["staff"]));
    assert_eq!(access.get("groups"), None, "the issuer's own token");
    let [id, userinfo, access] = claims_for(&mut world, &portal("openid orders.example.com/read"));
    assert_eq!((id.get("groups"), userinfo.get("groups")), (None, None));
    assert_eq!(access["groups"], json!(["staff"]), "the API's setting");
}

#[test]
fn openid_core_5_5_groups_are_where_the_claims_parameter_asks_for_them() {
    let mut world = with_groups();
    let request = portal("openid").with("claims", r#"{"id_token":{"groups":null}}"#);
    let [id, userinfo, _] = claims_for(&mut world, &request);
    assert_eq!(id["groups"], json!(["staff"]));
    assert_eq!(userinfo.get("groups"), None);
    // Not for a client that may not ask for them.
    let mut world = World::new();
    let [id, ..] = claims_for(&mut world, &request);
    assert_eq!(id.get("groups"), None);
}

#[test]
fn an_id_token_can_have_the_claims_of_the_granted_scopes() {
    let mut world = with_groups();
    let profile = portal("openid profile email");
    let [id, ..] = claims_for(&mut world, &profile);
    assert_eq!(id.get("email"), None);
    world.reconfigure(|realm| client(realm, PORTAL).id_token_claims = IdTokenContent::Scopes);
    let [id, ..] = claims_for(&mut world, &profile);
    assert_eq!(
        (&id["email"], &id["email_verified"], &id["given_name"]),
        (&json!("alice@example.com"), &json!(true), &json!("alice"))
    );
    let [id, ..] = claims_for(&mut world, &portal("openid"));
    assert_eq!(id.get("email"), None, "not granted");
}

#[test]
fn an_address_always_comes_with_whether_it_was_verified() {
    let mut world = with_groups();
    let [_, userinfo, _] = claims_for(&mut world, &portal("openid email"));
    assert_eq!(userinfo["email_verified"], true);
    let mut user = declared_user("alice", true);
    user.claims
        .insert("email_verified".to_owned(), false.into());
    world.provision(user.clone());
    let [_, userinfo, _] = claims_for(&mut world, &portal("openid email"));
    assert_eq!(userinfo["email_verified"], false);
    user.email = None;
    world.provision(user);
    let [_, userinfo, _] = claims_for(&mut world, &portal("openid email"));
    assert_eq!(userinfo.get("email_verified"), None, "there is no address");
}

/// A user of `count` groups with long names.
fn with_many_groups(world: &mut World, count: usize) {
    let mut user = declared_user("alice", true);
    let groups = (0..count)
        .map(|number| format!("a-rather-long-name-of-a-group-of-a-directory-{number:04}"));
    user.groups = Some(groups.collect());
    world.provision(user);
}

#[test]
fn a_user_in_very_many_groups_can_sign_in_and_operators_learn_what_was_left_out() {
    let mut world = with_groups();
    with_many_groups(&mut world, 150);
    let request = portal("openid email groups orders.example.com/read");
    let alice = world.signed_in("alice");
    let code = world.authorize(&alice, &request).code();
    world.take_events();
    let tokens = world.redeem(PORTAL, &code).expect("tokens");
    let left_out = world.events.iter().find(|it| it.kind == ClaimsLeftOut);
    let left_out = left_out.and_then(|it| it.left_out.as_deref());
    assert_eq!(
        left_out,
        Some("groups groups"),
        "of access token and ID token"
    );
    assert!(world.take_events().contains(&TokensIssued));
    let (access, id) = (
        world.claims(&tokens.access),
        tokens.id.expect("an ID token"),
    );
    assert_eq!(access.get("groups"), None);
    assert_eq!(world.claims(&id).get("groups"), None);
    let mut world_of = |groups: usize| {
        with_many_groups(&mut world, groups);
        let [id, ..] = claims_for(&mut world, &request);
        id.get("groups").is_some()
    };
    assert!(world_of(50), "there is room for these");
}

#[test]
fn only_the_largest_claims_are_left_out_and_sealed_tokens_are_alike() {
    let mut world = with_groups();
    world.reconfigure(|realm| {
        let claims = [
            ("mail", "user.email"),
            ("roles", "groups"),
            ("tier", "'gold'"),
        ];
        let claims = claims.map(|(name, from)| (name.to_owned(), from.parse().expect("a source")));
        let orders = &mut realm.resources[0];
        orders.token = TokenForm::Sealed;
        orders.claims = ClaimMapping::new(Carrier::AccessToken, claims).expect("a mapping");
        client(realm, "console").resources = vec![orders.identifier.clone()];
    });
    with_many_groups(&mut world, 150);
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, &portal("openid orders.example.com/read"));
    let claims = world.introspect("console", &tokens.access).expect("claims");
    let claims = serde_json::to_value(claims).expect("JSON");
    assert_eq!(
        (&claims["mail"], &claims["tier"]),
        (&json!("alice@example.com"), &json!("gold"))
    );
    assert_eq!((claims.get("roles"), claims.get("groups")), (None, None));
}

#[test]
fn rfc8707_2_a_request_for_one_resource_alone_gets_the_scopes_of_it() {
    let mut world = World::new();
    let targets = [
        ("https://orders.example.com", "orders.example.com/read"),
        // Of which the client has no default.
        ("files.example.com", "files.example.com/read"),
    ];
    for (named, expected) in targets {
        let tokens = world.machine_token("orders", &[("resource", named)]);
        assert_eq!(tokens.expect("a token").scope, expected, "{named}");
        let codes = world
            .device_codes_with("tv", &[("resource", named)])
            .expect("codes");
        world.approve("alice", &codes);
        let given = world.poll(&codes).expect("tokens").scope;
        let all = scope(&format!("openid profile {expected}"));
        assert_eq!(given, all.to_string());
    }
}

#[test]
fn rfc8707_2_resources_are_compared_by_their_normal_form_and_aud_stays_as_registered() {
    let mut world = World::with(|realm| {
        let mcp = resource(
            "mcp",
            Some("https://mcp.example.com"),
            &[("use", "Use it")],
            TokenForm::Sealed,
        );
        realm.resources.push(mcp);
        client(realm, "orders").scopes = scope("orders.example.com/read mcp/use");
    });
    for named in [
        "https://orders.example.com/",
        "HTTPS://Orders.example.com:443",
        "https://orders.example.com/a/..",
    ] {
        let token = world.machine_token("orders", &[("resource", named)]);
        let token = token.unwrap_or_else(|error| panic!("{named}: {error:?}"));
        assert_eq!(
            world.claims(&token.access)["aud"],
            "https://orders.example.com"
        );
    }
    for other in [
        "http://orders.example.com",
        "https://orders.example.com/a",
        "https://orders.example.com/#",
        "https://orders.example.com@evil.example",
    ] {
        let refused = world.machine_token("orders", &[("resource", other)]);
        assert!(refused.is_err(), "{other}");
    }
}
