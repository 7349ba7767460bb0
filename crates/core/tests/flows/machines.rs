//! Machine tokens (RFC 6749 section 4.4) and their audience (RFC 8707).

use grantor_core::base::error::ErrorCode::{
    InvalidClient, InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient,
    UnsupportedGrantType,
};
use grantor_core::grants::GrantType;

use grantor_testkit::world::World;
use grantor_testkit::{ISSUER, Spans, client, scope};

#[test]
fn a_machine_gets_an_access_token_and_nothing_else() {
    let mut world = World::new();
    let (cost, tokens) = world.cost(|world| world.machine_token("orders", &[]));
    let tokens = tokens.expect("tokens");
    assert_eq!(cost, [0, 0, 0]);
    assert_eq!((tokens.id.as_ref(), tokens.refresh.as_ref()), (None, None));
    assert_eq!(
        (tokens.scope.as_str(), tokens.expires_in),
        ("orders.example.com/read", 600)
    );
    let claims = world.claims(&tokens.access);
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&"orders".into(), &"orders".into())
    );
    assert_eq!(claims["aud"], "https://orders.example.com");
    assert_eq!(claims.get("auth_time"), None);
    assert_eq!(
        claims["jti"].as_str().map(str::len),
        Some(32),
        "it names no grant"
    );
}

#[test]
fn two_machine_tokens_have_different_ids() {
    let mut world = World::new();
    let [one, two] = [(); 2].map(|()| world.machine_token("orders", &[]).expect("tokens"));
    assert_ne!(
        world.claims(&one.access)["jti"],
        world.claims(&two.access)["jti"]
    );
}

#[test]
fn rfc6749_4_4_a_public_client_gets_no_machine_token() {
    let mut world = World::with(|realm| {
        client(realm, "tv")
            .grants
            .push(GrantType::ClientCredentials);
    });
    assert_eq!(world.machine_token("tv", &[]), Err(InvalidClient));
}

#[test]
fn a_client_without_the_grant_is_unauthorized() {
    let mut world = World::new();
    assert_eq!(world.machine_token("console", &[]), Err(UnauthorizedClient));
}

#[test]
fn rfc6749_3_3_a_machines_scope_is_one_it_may_ask_for() {
    let mut world = World::new();
    let asked = world.machine_token("orders", &[("scope", "orders.example.com/write")]);
    assert_eq!(asked.expect("tokens").scope, "orders.example.com/write");
    for bad in [
        "unknown",
        "orders.example.com/delete",
        "profile",
        "a  b",
        "\"",
        "openid",
    ] {
        assert_eq!(
            world.machine_token("orders", &[("scope", bad)]),
            Err(InvalidScope),
            "{bad}"
        );
    }
}

#[test]
fn scopes_of_two_resources_need_one_to_be_named() {
    let mut world = World::new();
    let both = ("scope", "orders.example.com/read files.example.com/read");
    assert_eq!(world.machine_token("orders", &[both]), Err(InvalidScope));
    for (named, granted, audience) in [
        (
            "https://orders.example.com",
            "orders.example.com/read",
            "https://orders.example.com",
        ),
        (
            "orders.example.com",
            "orders.example.com/read",
            "https://orders.example.com",
        ),
        (
            "files.example.com",
            "files.example.com/read",
            "files.example.com",
        ),
    ] {
        let tokens = world
            .machine_token("orders", &[both, ("resource", named)])
            .expect(named);
        assert_eq!(tokens.scope, granted);
        let reply = world
            .introspect("orders", &tokens.access)
            .expect("an answer");
        assert_eq!(
            reply.token.and_then(|token| token.aud).as_deref(),
            Some(audience)
        );
    }
}

#[test]
fn a_resource_without_any_requested_scope_is_an_invalid_target() {
    let mut world = World::new();
    let files = ("resource", "files.example.com");
    let orders = ("scope", "orders.example.com/read");
    assert_eq!(
        world.machine_token("orders", &[orders, files]),
        Err(InvalidTarget)
    );
    // The device gets the error before its user approves in vain.
    let refused = world.device_codes_with(
        "tv",
        &[("scope", "openid"), ("resource", "orders.example.com")],
    );
    assert_eq!(
        refused.map(|_| ()).map_err(|refusal| refusal.code),
        Err(InvalidTarget)
    );
}

#[test]
fn rfc8707_2_an_unknown_resource_or_two_of_them_are_an_invalid_target() {
    let mut world = World::new();
    for unknown in [
        "https://elsewhere.example",
        "https://orders.example.com/x",
        "x",
        ISSUER,
    ] {
        assert_eq!(
            world.machine_token("orders", &[("resource", unknown)]),
            Err(InvalidTarget),
            "{unknown}"
        );
    }
    let two = [
        ("resource", "orders.example.com"),
        ("resource", "files.example.com"),
    ];
    assert_eq!(world.machine_token("orders", &two), Err(InvalidTarget));
    let same = [
        ("resource", "orders.example.com"),
        ("resource", "https://orders.example.com"),
    ];
    assert!(
        world.machine_token("orders", &same).is_ok(),
        "one resource by two names"
    );
}

#[test]
fn a_machine_without_scopes_gets_a_token_for_the_issuer() {
    let mut world = World::with(|realm| client(realm, "orders").default_scopes = scope(""));
    let tokens = world.machine_token("orders", &[]).expect("tokens");
    let claims = world.claims(&tokens.access);
    assert_eq!(claims["aud"], ISSUER);
    assert_eq!(claims.get("scope"), None);
    assert_eq!(tokens.scope, "");
}

#[test]
fn a_machine_token_ends_only_by_expiry() {
    let mut world = World::with(|realm| client(realm, "orders").access_lifetime = 1.mins());
    let tokens = world.machine_token("orders", &[]).expect("tokens");
    assert_eq!(tokens.expires_in, 60);
    world.advance(59.s());
    assert!(world.is_active("orders", &tokens.access));
    world.advance(1.s());
    assert!(!world.is_active("orders", &tokens.access));
}

#[test]
fn rfc6749_5_2_a_grant_type_that_is_missing_unknown_or_not_built_is_refused() {
    let mut world = World::new();
    assert_eq!(world.request_tokens("orders", &[]), Err(InvalidRequest));
    for grant in [
        "password",
        "device_code",
        "Client_Credentials",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        assert_eq!(
            world.request_tokens("orders", &[("grant_type", grant)]),
            Err(UnsupportedGrantType),
            "{grant}"
        );
    }
}
