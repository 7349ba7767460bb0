//! Further claims: what the operator maps into access tokens, by resource, and into ID tokens, by client.

use std::collections::BTreeMap;

use grantor_core::model::claim_mapping::{Carrier, ClaimMapping, Source};
use grantor_core::model::group_filter::GroupFilter;
use grantor_core::model::realm::Realm;
use grantor_core::model::resource::Resource;
use proptest::prelude::*;
use serde_json::{Map, Value, json, to_value};

use grantor_testkit::world::{Browser, World, declared_user};
use grantor_testkit::{AuthorizationRequest, SHIPPING, Spans, add_services, client, scope};

const FILES: &str = "files.example.com";
const ORDERS: &str = "orders.example.com";

/// Claims and their sources, as the file has them.
fn mapping(carrier: Carrier, claims: &[(&str, &str)]) -> ClaimMapping {
    let claims = claims.iter().map(|(name, source)| {
        let source: Source = source.parse().expect("a source");
        ((*name).to_owned(), source)
    });
    ClaimMapping::new(carrier, claims).expect("a mapping")
}

fn resource<'p>(realm: &'p mut Realm, identifier: &str) -> &'p mut Resource {
    let mut resources = realm.resources.iter_mut();
    resources
        .find(|resource| resource.identifier == identifier)
        .expect("a resource of the realm")
}

/// A world in which the tokens for orders have these claims.
fn with_claims(claims: &[(&str, &str)]) -> World {
    let claims = mapping(Carrier::AccessToken, claims);
    World::with(|realm| resource(realm, ORDERS).claims = claims)
}

/// What is said under these names.
fn selected(claims: &Map<String, Value>, names: &[&str]) -> Value {
    let members = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), claims.get(*name)?.clone())));
    Value::Object(members.collect())
}

#[test]
fn rfc9068_2_2_2_an_access_token_says_what_its_resource_has_mapped() {
    let mut world = with_claims(&[
        ("login", "user.username"),
        ("mail", "user.email"),
        ("https://example.com/first", "user.given_name"),
        ("roles", "groups"),
        ("custom:app", "client.id"),
        ("app_name", "client.name"),
        ("by", "grant.kind"),
        ("signed_in", "grant.auth_time"),
        ("how", "grant.amr"),
        ("tier", "'gold'"),
    ]);
    let tokens = world.device_tokens("tv", "alice");
    let claims = world.claims(&tokens.access);
    let expected = json!({
        "login": "alice",
        "mail": "alice@example.com",
        "https://example.com/first": "alice",
        "roles": ["staff"],
        "custom:app": "tv",
        "app_name": "The tv",
        "by": "device_code",
        "signed_in": world.now.as_secs(),
        "how": ["pwd"],
        "tier": "gold",
    });
    let names: Vec<&str> = expected
        .as_object()
        .map(|expected| expected.keys().map(String::as_str).collect())
        .expect("an object");
    assert_eq!(selected(&claims, &names), expected);
    // And again, after a refresh, as the user is then.
    let mut user = declared_user("alice", true);
    user.email = Some("alice@example.org".to_owned());
    assert_eq!(world.provision(user), Some(true));
    let next = world.refresh("tv", tokens.refresh()).expect("tokens");
    assert_eq!(world.claims(&next.access)["mail"], "alice@example.org");
}

#[test]
fn a_claim_without_a_value_is_left_out() {
    let mut world = with_claims(&[
        ("department", "user.department"),
        ("roles", "groups.admin-*"),
        ("session", "grant.session"),
    ]);
    let tokens = world.device_tokens("tv", "alice");
    let claims = world.claims(&tokens.access);
    assert_eq!(
        selected(&claims, &["department", "roles", "session"]),
        json!({}),
        "no such claim, no such group, and a device has no session"
    );
}

#[test]
fn the_session_id_can_be_mapped_into_a_claim() {
    let mut world = with_claims(&[("session", "grant.session"), ("by", "grant.kind")]);
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("site").with("scope", "openid orders.example.com/read");
    let tokens = world.app_tokens(&alice, &request);
    let claims = world.claims(&tokens.access);
    assert_eq!(claims["by"], "authorization_code");
    assert_eq!(claims["session"], claims["sid"]);
}

#[test]
fn a_machine_token_has_claims_of_its_client_only() {
    let mut world = with_claims(&[
        ("login", "user.username"),
        ("roles", "groups"),
        ("by", "grant.kind"),
        ("app", "client.id"),
        ("tier", "'gold'"),
    ]);
    let tokens = world.machine_token("orders", &[]).expect("tokens");
    let claims = world.claims(&tokens.access);
    assert_eq!(
        selected(&claims, &["login", "roles", "by", "app", "tier"]),
        json!({ "app": "orders", "tier": "gold" })
    );
}

#[test]
fn rfc8693_6_claims_mapped_for_one_resource_are_not_in_tokens_of_another() {
    let mut world = with_claims(&[("mail", "user.email")]);
    for scope in ["files.example.com/read", "openid"] {
        let tokens = world.device_tokens_with("console", "alice", &[("scope", scope)]);
        let returned = world
            .introspect("console", &tokens.access)
            .expect("an answer");
        let returned = to_value(returned).expect("JSON");
        assert_eq!(
            (&returned["active"], returned.get("mail")),
            (&json!(true), None)
        );
    }
}

#[test]
fn rfc7662_2_2_introspection_says_further_claims_and_never_in_place_of_its_own() {
    let claims = mapping(
        Carrier::AccessToken,
        &[("tier", "'gold'"), ("username", "'mallory'")],
    );
    let mut world = World::with(|realm| resource(realm, FILES).claims = claims);
    let scope = [("scope", "profile files.example.com/read")];
    let tokens = world.device_tokens_with("tv", "alice", &scope);
    let returned = world
        .introspect("console", &tokens.access)
        .expect("an answer");
    let returned = to_value(returned).expect("JSON");
    assert_eq!(
        (&returned["tier"], &returned["username"]),
        (&json!("gold"), &json!("alice"))
    );
}

#[test]
fn an_id_token_says_what_its_client_has_mapped() {
    let claims = [("cognito:groups", "groups"), ("groups", "groups.st*")];
    let claims = mapping(Carrier::IdToken, &claims);
    let mut world = World::with(|realm| {
        let tv = client(realm, "tv");
        tv.id_claims = claims;
        tv.scopes = scope("openid groups");
    });
    let mut told = |device: &str, asked: &str| {
        let tokens = world.device_tokens_with(device, "alice", &[("scope", asked)]);
        let claims = world.claims(&tokens.id.expect("an ID token"));
        selected(&claims, &["cognito:groups", "groups"])
    };
    assert_eq!(
        told("tv", "openid groups"),
        json!({ "cognito:groups": ["staff"], "groups": ["staff"] })
    );
    assert_eq!(
        told("tv", "openid"),
        json!({ "cognito:groups": ["staff"] }),
        "what a scope stands for needs it"
    );
    assert_eq!(told("tv2", "openid"), json!({}), "those of others do not");
}

#[test]
fn a_claim_that_is_mapped_and_asked_for_is_said_once() {
    let claims = mapping(Carrier::IdToken, &[("email", "'of@the.operator'")]);
    let mut world = World::with(|realm| client(realm, "site").id_claims = claims);
    let alice = world.signed_in("alice");
    let asked = r#"{"id_token":{"email":null,"given_name":null}}"#;
    let request = AuthorizationRequest::new("site").with("claims", asked);
    let tokens = world.app_tokens(&alice, &request);
    let id = world.claims(&tokens.id.expect("an ID token"));
    assert_eq!(
        selected(&id, &["email", "given_name"]),
        json!({ "email": "of@the.operator", "given_name": "alice" })
    );
}

#[test]
fn an_access_token_lives_as_long_as_its_client_and_its_resource_may() {
    for (of_resource, lives) in [(None, 600), (Some(2.mins()), 120), (Some(1.h()), 600)] {
        let mut world = World::with(|realm| {
            for identifier in [ORDERS, FILES] {
                resource(realm, identifier).lifetime = of_resource;
            }
        });
        let machine = world.machine_token("orders", &[]).expect("tokens");
        let device = world.device_tokens("console", "alice");
        let sealed = [("scope", "files.example.com/read")];
        let sealed = world.device_tokens_with("console", "alice", &sealed);
        for tokens in [&machine, &device, &sealed] {
            assert_eq!(tokens.expires_in, lives);
        }
        let exp = world.claims(&machine.access)["exp"].as_u64();
        assert_eq!(exp, Some(world.now.as_secs() + lives));
        world.advance(std::time::Duration::from_secs(lives - 1));
        assert!(world.is_active("console", &sealed.access));
        world.advance(1.s());
        assert!(!world.is_active("console", &sealed.access));
        assert!(!world.is_active("console", &device.access));
    }
}

#[test]
fn rfc9068_2_2_3_1_a_token_has_only_the_groups_relevant_to_its_resource() {
    let all = json!(["staff", "orders-clerk", "orders-admin"]);
    for (filter, returned) in [
        (None, Some(all)),
        (Some(vec![]), None),
        (Some(vec!["files-*"]), None),
        (
            Some(vec!["orders-*"]),
            Some(json!(["orders-clerk", "orders-admin"])),
        ),
        (
            Some(vec!["staff", "orders-admin"]),
            Some(json!(["staff", "orders-admin"])),
        ),
    ] {
        let mut world = World::with(|realm| {
            if let Some(patterns) = &filter {
                let patterns = patterns.iter().map(|text| text.parse().expect("a pattern"));
                let filter = GroupFilter::Only(patterns.collect());
                resource(realm, ORDERS).groups = filter;
            }
        });
        let mut user = declared_user("alice", true);
        user.groups = Some(
            ["staff", "orders-clerk", "orders-admin"]
                .map(ToOwned::to_owned)
                .into(),
        );
        assert_eq!(world.provision(user), Some(true));
        let tokens = world.device_tokens("tv", "alice");
        let claims = world.claims(&tokens.access);
        assert_eq!(claims.get("groups"), returned.as_ref(), "{filter:?}");
    }
}

#[test]
fn rfc8693_4_4_a_users_token_names_the_client_that_may_act() {
    let mut world = World::with(|realm| {
        for id in ["console", "orders"] {
            client(realm, id).actor = Some("shipping".parse().expect("a client id"));
        }
    });
    let may_act = json!({ "sub": "shipping", "client_id": "shipping" });
    let tokens = world.device_tokens("console", "alice");
    assert_eq!(world.claims(&tokens.access)["may_act"], may_act);
    let returned = world
        .introspect("console", &tokens.access)
        .expect("an answer");
    assert_eq!(to_value(returned).expect("JSON")["may_act"], may_act);
    let machine = world.machine_token("orders", &[]).expect("tokens");
    assert_eq!(
        world.claims(&machine.access).get("may_act"),
        None,
        "there is no user to act for"
    );
    let other = world.device_tokens("tv", "alice");
    assert_eq!(world.claims(&other.access).get("may_act"), None);
}

#[test]
fn rfc8693_2_2_1_an_exchanged_token_says_what_its_own_resource_has_mapped() {
    let claims = |claims: &[(&str, &str)]| mapping(Carrier::AccessToken, claims);
    let mut world = World::with(|realm| {
        add_services(realm);
        resource(realm, ORDERS).claims = claims(&[("mail", "user.email")]);
        let shipping = resource(realm, "shipping.example.com");
        shipping.claims = claims(&[("first_name", "user.given_name"), ("app", "client.id")]);
        shipping.groups = GroupFilter::NONE;
        shipping.lifetime = Some(2.mins());
    });
    let subject = world.orders_token();
    let asked = [("audience", SHIPPING)];
    let exchanged = world.exchange("orders", &subject.access, &asked);
    let exchanged = exchanged.expect("a token");
    assert_eq!(exchanged.expires_in, 120);
    assert_eq!(
        selected(
            &world.claims(&exchanged.token),
            &["mail", "first_name", "app", "groups"]
        ),
        json!({ "first_name": "alice", "app": "orders" })
    );
}

#[test]
fn a_claim_of_the_user_that_a_token_has_no_room_for_is_left_out() {
    let long = |world: &mut World| {
        let mut user = declared_user("alice", true);
        let essay = "x".repeat(7 * 1024);
        user.claims.insert("essay".to_owned(), essay.into());
        assert_eq!(world.provision(user), Some(true));
        let tokens = world.device_tokens("tv", "alice");
        let id = tokens.id.expect("an ID token");
        [&tokens.access, &id].map(|token| world.claims(token).contains_key("essay"))
    };
    let essay = [("essay", "user.essay")];
    assert_eq!(long(&mut with_claims(&essay)), [false; 2]);
    let claims = mapping(Carrier::IdToken, &essay);
    let mut world = World::with(|realm| client(realm, "tv").id_claims = claims);
    assert_eq!(long(&mut world), [false; 2]);
}

/// The claims of a machine's, a user's and an ID token, all of one moment.
fn all_claims(world: &mut World) -> [Map<String, Value>; 3] {
    let alice: Browser = world.signed_in("alice");
    let request = AuthorizationRequest::new("wiki")
        .with("scope", "openid orders.example.com/read")
        .with("nonce", "n");
    let tokens = world.app_tokens(&alice, &request);
    let machine = world.machine_token("orders", &[]).expect("tokens");
    let id = tokens.id.expect("an ID token");
    [machine.access, tokens.access, id].map(|token| world.claims(&token))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_mapping_changes_a_claim_that_the_server_sets(
        claims in proptest::collection::btree_map(
            prop_oneof![
                proptest::sample::select(vec![
                    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "auth_time", "acr", "amr",
                    "nonce", "at_hash", "sid", "azp", "act", "may_act", "cnf", "groups", "active", "token_type",
                ]).prop_map(str::to_owned),
                "[a-z_]{1,4}",
            ],
            prop_oneof![
                proptest::sample::select(Source::names().collect::<Vec<_>>()).prop_map(str::to_owned),
                "'[a-z0-9]{1,4}'",
            ],
            0..6,
        )
    ) {
        let mut plain = World::new();
        let unmapped = all_claims(&mut plain);
        let of = |carrier| {
            // Mappings that are refused at the start have no effect.
            let claims: BTreeMap<String, Source> = claims
                .iter()
                .filter(|(name, _)| ClaimMapping::check(carrier, name).is_ok())
                .map(|(name, source)| (name.clone(), source.parse().expect("a source")))
                .collect();
            ClaimMapping::new(carrier, claims).expect("short")
        };
        let mut world = World::with(|realm| {
            resource(realm, ORDERS).claims = of(Carrier::AccessToken);
            client(realm, "wiki").id_claims = of(Carrier::IdToken);
        });
        for (mapped, unmapped) in all_claims(&mut world).iter().zip(&unmapped) {
            for (name, value) in unmapped {
                // The hash is of the access token, which says more now.
                if name != "at_hash" {
                    prop_assert_eq!(mapped.get(name), Some(value), "{}", name);
                }
            }
            for name in ["nbf", "azp", "act", "may_act", "cnf", "active", "token_type"] {
                prop_assert_eq!(mapped.get(name), unmapped.get(name), "{}", name);
            }
        }
    }
}
