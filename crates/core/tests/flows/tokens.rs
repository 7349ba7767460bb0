//! The claims of tokens, and their form.

use std::collections::BTreeSet;

use grantor_core::base::error::ErrorCode::{InvalidScope, InvalidTarget};
use grantor_core::model::resource::TokenForm;
use grantor_jose::{Algorithm, TokenType, left_half_hash};
use serde_json::json;

use grantor_testkit::world::World;
use grantor_testkit::{DEVICE_CODE, ISSUER, Spans, user_id};

fn header(token: &str) -> (Algorithm, Option<String>) {
    let token = grantor_jose::decode(token).expect("a JWT");
    (token.header().algorithm, token.header().typ.clone())
}

#[test]
fn rfc9068_2_2_an_access_token_names_its_user_client_and_resource() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let (algorithm, typ) = header(&tokens.access);
    assert_eq!(algorithm, Algorithm::Es256);
    assert!(TokenType::Access.is(typ.as_deref()));
    let mut claims = world.claims(&tokens.access);
    let jti = claims.remove("jti").expect("a jti");
    assert_eq!(jti.as_str().map(str::len), Some(48));
    let now = world.now.as_secs();
    let expected = json!({
        "iss": ISSUER,
        "sub": user_id("alice").to_string(),
        "aud": "https://orders.example.com",
        "exp": now + 600,
        "iat": now,
        "client_id": "tv",
        "scope": "openid orders.example.com/read profile",
        "auth_time": now,
        "groups": ["staff"],
    });
    assert_eq!(serde_json::Value::Object(claims), expected);
}

/// "Authorization servers … MUST include RS256 … among their supported signature algorithms."
#[test]
fn rfc9068_2_1_a_resource_has_the_algorithm_that_it_declares_and_rs256_is_one() {
    for algorithm in [Algorithm::Es256, Algorithm::Rs256] {
        let mut world = World::with(|realm| realm.resources[0].token = TokenForm::Jwt(algorithm));
        let of_user = world.device_tokens("tv", "alice").access;
        let of_machine = world.machine_token("orders", &[]).expect("tokens").access;
        for token in [of_user, of_machine] {
            // Without "application/", and signed by the realm, which `claims` checks.
            let typ = Some("at+jwt".to_owned());
            assert_eq!(header(&token), (algorithm, typ));
            assert_eq!(world.claims(&token)["aud"], "https://orders.example.com");
        }
    }
}

#[test]
fn rfc9068_2_2_a_machines_token_names_its_client_as_subject() {
    let mut world = World::new();
    let tokens = world.machine_token("orders", &[]).expect("tokens");
    let mut claims = world.claims(&tokens.access);
    assert!(claims.remove("jti").is_some());
    let now = world.now.as_secs();
    let expected = json!({
        "iss": ISSUER,
        "sub": "orders",
        "aud": "https://orders.example.com",
        "exp": now + 600,
        "iat": now,
        "client_id": "orders",
        "scope": "orders.example.com/read",
    });
    assert_eq!(serde_json::Value::Object(claims), expected);
}

/// "Their values are fixed and remain the same across all access tokens that derive from a given authorization
/// response".
#[test]
fn rfc9068_2_2_1_every_access_token_of_a_grant_tells_of_one_sign_in() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    let signed_in = world.now.as_secs();
    world.advance(30.s());
    let mut tokens = world.poll(&codes).expect("tokens");
    for _ in 0..3 {
        assert_eq!(world.claims(&tokens.access)["auth_time"], signed_in);
        world.advance(20.mins());
        tokens = world.refresh("tv", tokens.refresh()).expect("tokens");
    }
}

#[test]
fn rfc9068_5_tokens_for_different_resources_have_different_audiences() {
    let mut world = World::new();
    let mut audiences = BTreeSet::new();
    for scope in [
        "orders.example.com/read",
        "files.example.com/read",
        "openid",
    ] {
        let tokens = world.device_tokens_with("console", "alice", &[("scope", scope)]);
        let reply = world.introspect("console", &tokens.access);
        let token = reply.expect("an answer").token.expect("active");
        assert!(audiences.insert(token.aud), "{scope}");
    }
}

#[test]
fn oidc_core_2_an_id_token_says_who_signed_in_when_and_how() {
    let mut world = World::new();
    let codes = world.device_codes("tv");
    world.approve("alice", &codes);
    let signed_in = world.now.as_secs();
    world.advance(30.s());
    let tokens = world.poll(&codes).expect("tokens");
    let id = tokens.id.expect("an ID token");
    assert_eq!(header(&id), (Algorithm::Rs256, Some("JWT".to_owned())));
    let expected = json!({
        "iss": ISSUER,
        "sub": user_id("alice").to_string(),
        "aud": "tv",
        "exp": signed_in + 630,
        "iat": signed_in + 30,
        "auth_time": signed_in,
        "amr": ["pwd"],
        "acr": "1",
        "at_hash": left_half_hash(Algorithm::Rs256, &tokens.access),
    });
    let mut claims = world.claims(&id);
    // Both name the grant, and are not the same.
    let id_jti = claims.remove("jti").expect("an id");
    let access_jti = &world.claims(&tokens.access)["jti"];
    let [id_jti, access_jti] = [&id_jti, access_jti].map(|jti| jti.as_str().expect("text"));
    assert_eq!(id_jti[..32], access_jti[..32]);
    assert_ne!(id_jti, access_jti);
    assert_eq!(serde_json::Value::Object(claims), expected);
}

#[test]
fn each_client_has_the_algorithm_of_its_id_tokens() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv2", "alice");
    let id = tokens.id.expect("an ID token");
    assert_eq!(header(&id).0, Algorithm::Es256);
    let hash = left_half_hash(Algorithm::Es256, &tokens.access);
    assert_eq!(world.claims(&id)["at_hash"], hash);
}

#[test]
fn a_refreshed_id_token_is_of_the_same_sign_in_and_of_the_new_access_token() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let signed_in = world.now.as_secs();
    world.advance(20.mins());
    let next = world.refresh("tv", tokens.refresh()).expect("tokens");
    let id = world.claims(next.id.as_deref().expect("an ID token"));
    // OpenID Connect Core section 12.2: iss, sub, aud and auth_time stay, iat is that of now.
    assert_eq!(id["auth_time"], signed_in);
    assert_eq!(id["iat"], signed_in + 1200);
    assert_eq!(
        id["at_hash"],
        left_half_hash(Algorithm::Rs256, &next.access)
    );
}

#[test]
fn a_resource_can_have_sealed_tokens() {
    let mut world = World::new();
    let scope = [("scope", "files.example.com/read openid")];
    let tokens = world.device_tokens_with("tv", "alice", &scope);
    assert!(tokens.access.starts_with("grantor_at_"));
    assert!(!tokens.access.contains('.'), "nothing to be read in it");
    let reply = world
        .introspect("console", &tokens.access)
        .expect("console is this API");
    let reply = reply.token.expect("active");
    assert_eq!(reply.aud.as_deref(), Some("files.example.com"));
    assert_eq!(reply.scope, "files.example.com/read openid");
    let id = world.claims(tokens.id.as_deref().expect("an ID token"));
    assert_eq!(
        id["at_hash"],
        left_half_hash(Algorithm::Rs256, &tokens.access)
    );
    let mut forged = tokens.access.clone();
    let last = if forged.pop() == Some('A') { 'Q' } else { 'A' };
    forged.push(last);
    assert!(!world.is_active("console", &forged));
}

#[test]
fn a_token_for_no_resource_is_for_the_issuer() {
    let mut world = World::new();
    let tokens = world.device_tokens_with("tv", "alice", &[("scope", "openid profile")]);
    assert_eq!(world.claims(&tokens.access)["aud"], ISSUER);
}

#[test]
fn device_authorization_refuses_scopes_that_no_token_can_hold() {
    let mut world = World::new();
    let both = ("scope", "orders.example.com/read files.example.com/read");
    let refused = world
        .device_codes_with("tv", &[both])
        .expect_err("two resources");
    assert_eq!(refused.code, InvalidScope);
    let unknown = ("resource", "https://elsewhere.example");
    let refused = world
        .device_codes_with("tv", &[unknown])
        .expect_err("unknown");
    assert_eq!(refused.code, InvalidTarget);
}

#[test]
fn rfc8707_2_2_a_grant_may_span_resources_and_each_token_names_one() {
    let mut world = World::new();
    let asked = [
        ("scope", "orders.example.com/read files.example.com/read"),
        ("resource", "https://orders.example.com"),
        ("resource", "files.example.com"),
    ];
    let codes = world.device_codes_with("tv", &asked).expect("codes");
    world.approve("alice", &codes);
    assert_eq!(world.poll(&codes), Err(InvalidTarget), "which of them?");
    let poll = [
        ("grant_type", DEVICE_CODE),
        ("device_code", &codes.device),
        ("resource", "files.example.com"),
    ];
    let tokens = world
        .request_tokens("tv", &poll)
        .expect("the refusal spent nothing");
    assert_eq!(tokens.scope, "files.example.com/read");
    let other = [("resource", "https://orders.example.com")];
    let next = world
        .refresh_with("tv", tokens.refresh(), &other)
        .expect("tokens");
    assert_eq!(next.scope, "orders.example.com/read");
}

#[test]
fn rfc8707_2_2_a_token_request_names_no_resource_that_the_grant_does_not() {
    let mut world = World::new();
    let asked = [
        ("scope", "orders.example.com/read files.example.com/read"),
        ("resource", "https://orders.example.com"),
    ];
    let tokens = world.device_tokens_with("tv", "alice", &asked);
    assert_eq!(tokens.scope, "orders.example.com/read");
    let other = [("resource", "files.example.com")];
    assert_eq!(
        world.refresh_with("tv", tokens.refresh(), &other),
        Err(InvalidTarget)
    );
    assert!(
        world.refresh("tv", tokens.refresh()).is_ok(),
        "and nothing is spent"
    );
}
