//! Introspection (RFC 7662): who may learn what.

use grantor_core::base::error::ErrorCode::{InvalidClient, InvalidRequest};
use grantor_core::client_auth::Authenticated;
use grantor_core::endpoints::introspect::Introspect;
use serde_json::{json, to_value};

use grantor_testkit::world::{World, form_of, params};
use grantor_testkit::{ISSUER, Spans, user_id};

#[test]
fn rfc7662_2_2_an_active_token_says_what_it_is() {
    let mut world = World::new();
    let tokens = world.device_tokens("console", "alice");
    let response = world
        .introspect("console", &tokens.access)
        .expect("an answer");
    let mut response = to_value(response).expect("JSON");
    let jti = response
        .as_object_mut()
        .and_then(|response| response.remove("jti"));
    assert!(jti.is_some_and(|jti| jti.as_str().is_some_and(|jti| jti.len() == 48)));
    let now = world.now.as_secs();
    let expected = json!({
        "active": true,
        "scope": "openid orders.example.com/read profile",
        "client_id": "console",
        "username": "alice",
        "token_type": "Bearer",
        "exp": now + 600,
        "iat": now,
        "sub": user_id("alice").to_string(),
        "aud": "https://orders.example.com",
        "iss": ISSUER,
        "auth_time": now,
        "groups": ["staff"],
    });
    assert_eq!(response, expected);
}

#[test]
fn rfc7662_2_2_an_inactive_token_has_no_other_members() {
    let mut world = World::new();
    let response = world.introspect("console", "x").expect("an answer");
    assert_eq!(
        to_value(response).expect("JSON"),
        json!({ "active": false })
    );
}

#[test]
fn an_api_can_introspect_tokens_for_it_of_any_client() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    assert!(world.is_active("orders", &tokens.access), "it is this API");
    assert!(!world.is_active("console", &tokens.access), "it is another");
}

#[test]
fn an_api_sees_tokens_for_other_audiences_as_inactive() {
    let mut world = World::new();
    for scope in ["openid", "files.example.com/read"] {
        let tokens = world.device_tokens_with("tv", "alice", &[("scope", scope)]);
        assert!(!world.is_active("orders", &tokens.access), "{scope}");
    }
}

#[test]
fn a_client_can_introspect_its_own_tokens_for_any_audience() {
    let mut world = World::new();
    for scope in [
        "openid",
        "files.example.com/read",
        "orders.example.com/write",
    ] {
        let tokens = world.device_tokens_with("console", "alice", &[("scope", scope)]);
        assert!(world.is_active("console", &tokens.access), "{scope}");
        assert!(world.is_active("console", tokens.refresh()), "{scope}");
    }
}

#[test]
fn only_the_client_of_a_refresh_token_can_introspect_it() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    for other in ["console", "orders"] {
        assert!(!world.is_active(other, tokens.refresh()));
    }
}

#[test]
fn rfc7662_2_2_a_refresh_token_has_no_token_type() {
    let mut world = World::new();
    let tokens = world.device_tokens("console", "alice");
    let response = world
        .introspect("console", tokens.refresh())
        .expect("an answer");
    let response = response.token.expect("active");
    assert_eq!((response.token_type, response.aud), (None, None));
    assert_eq!(response.exp, (world.now + 30.days()).as_secs());
}

#[test]
fn a_refresh_token_is_inactive_once_it_would_be_refused() {
    let mut world = World::new();
    let first = world.device_tokens("console", "alice");
    let second = world.refresh("console", first.refresh()).expect("tokens");
    assert!(world.is_active("console", first.refresh()), "in its grace");
    world.advance(61.s());
    assert!(
        !world.is_active("console", first.refresh()),
        "and asking revokes nothing"
    );
    assert!(world.is_active("console", second.refresh()));
    world.advance(30.days());
    assert!(
        !world.is_active("console", second.refresh()),
        "idle for too long"
    );
}

#[test]
fn an_access_token_is_inactive_from_its_exp_on() {
    let mut world = World::new();
    let tokens = world.device_tokens("console", "alice");
    world.advance(10.mins() - 1.s());
    assert!(world.is_active("console", &tokens.access));
    world.advance(1.s());
    assert!(!world.is_active("console", &tokens.access));
}

#[test]
fn rfc7662_2_1_a_public_client_cannot_introspect() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    assert_eq!(world.introspect("tv", &tokens.access), Err(InvalidClient));
    assert_eq!(InvalidClient.status(), 401);
    let form = params(&[("client_id", "console"), ("token", &tokens.access)]);
    let request = Authenticated::<Introspect>::parse(None, &form, world.peer()).expect("a request");
    assert_eq!(
        world.ask(request).reply.expect_err("no secret").code,
        InvalidClient
    );
}

#[test]
fn an_id_token_a_device_code_and_rubbish_are_inactive() {
    let mut world = World::new();
    let codes = world.device_codes("console");
    let tokens = world.device_tokens("console", "alice");
    let id = tokens.id.as_deref().expect("an ID token");
    let cut = &tokens.access[..tokens.access.len() - 1];
    for token in [
        id,
        &codes.device,
        cut,
        "a.b.c",
        "grantor_rt_",
        "grantor_at_AAAA",
    ] {
        assert!(!world.is_active("console", token), "{token}");
    }
    let missing = Authenticated::<Introspect>::parse(None, &form_of("console", &[]), world.peer());
    assert_eq!(missing.expect_err("no token").code, InvalidRequest);
}

#[test]
fn a_token_of_another_issuer_with_our_keys_is_inactive() {
    let mut world = World::new();
    let mut other = World::with(|realm| realm.issuer = "https://other.example".to_owned());
    let tokens = other.device_tokens("console", "alice");
    assert!(!world.is_active("console", &tokens.access));
}

/// A user who let an app know no more than `openid` told nobody a name.
#[test]
fn a_username_is_told_only_with_the_scope_profile() {
    let mut world = World::new();
    for (scope, username) in [
        ("openid orders.example.com/read", None),
        ("openid profile orders.example.com/read", Some("alice")),
    ] {
        let tokens = world.device_tokens_with("console", "alice", &[("scope", scope)]);
        for token in [&tokens.access, tokens.refresh()] {
            let answer = world.introspect("console", token).expect("an answer");
            let token = answer.token.expect("it is active");
            assert_eq!(token.username.as_deref(), username, "{scope}");
        }
    }
}
