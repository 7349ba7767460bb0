//! Userinfo (OpenID Connect Core section 5.3, RFC 6750).

use futures_util::FutureExt as _;
use grantor_core::base::error::ErrorCode::{InsufficientScope, InvalidRequest, InvalidToken};
use grantor_core::endpoints::userinfo::Userinfo;
use grantor_jose::{Algorithm, SigningInput, TokenType};
use serde_json::{Value, json};

use grantor_testkit::world::{World, declared_user, params};
use grantor_testkit::{signer, user_id};

fn claims_for(scope: &str) -> Value {
    let mut world = World::new();
    let tokens = world.device_tokens_with("tv", "alice", &[("scope", scope)]);
    Value::Object(world.userinfo(&tokens.access).expect("claims"))
}

#[test]
fn oidc_core_5_4_each_scope_gives_its_claims() {
    let sub = user_id("alice").to_string();
    assert_eq!(claims_for("openid"), json!({ "sub": sub }));
    assert_eq!(
        claims_for("openid profile"),
        json!({ "sub": sub, "given_name": "alice", "preferred_username": "alice" })
    );
    assert_eq!(
        claims_for("openid email orders.example.com/read"),
        json!({ "sub": sub, "email": "alice@example.com", "email_verified": true })
    );
}

#[test]
fn rfc6750_3_1_without_openid_the_scope_is_insufficient() {
    let mut world = World::new();
    let tokens = world.device_tokens_with("tv", "alice", &[("scope", "orders.example.com/read")]);
    assert_eq!(tokens.id, None, "and there is no ID token either");
    assert_eq!(world.userinfo(&tokens.access), Err(InsufficientScope));
    assert_eq!(InsufficientScope.status(), 403);
}

#[test]
fn an_id_token_or_refresh_token_is_not_accepted_as_access_token() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let id = tokens.id.as_deref().expect("an ID token");
    for bad in [id, tokens.refresh(), "x", "", "a.b.c"] {
        assert_eq!(world.userinfo(bad), Err(InvalidToken), "{bad}");
    }
}

#[test]
fn rfc9068_4_another_type_of_token_with_the_same_claims_is_refused() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let claims = world.claims(&tokens.access);
    let mint = |typ| {
        let header = world.realm.signing.header(Algorithm::Es256, typ);
        let input = SigningInput::new(header.expect("a key"), &claims).expect("JSON");
        let token = input.sign(signer()).now_or_never();
        token.and_then(Result::ok).expect("a signature")
    };
    let (access, id) = (mint(TokenType::Access), mint(TokenType::Id));
    assert!(world.userinfo(&access).is_ok());
    assert_eq!(world.userinfo(&id), Err(InvalidToken));
    assert!(!world.is_active("orders", &id));
}

#[test]
fn a_machine_has_no_userinfo() {
    let mut world = World::new();
    let tokens = world.machine_token("orders", &[]).expect("tokens");
    assert_eq!(world.userinfo(&tokens.access), Err(InvalidToken));
}

#[test]
fn claims_are_read_when_they_are_asked_for() {
    let mut world = World::new();
    let tokens = world.device_tokens_with("tv", "alice", &[("scope", "openid email")]);
    let mut user = declared_user("alice", true);
    user.email = Some("new@example.com".to_owned());
    assert_eq!(world.provision(user), Some(true));
    assert_eq!(
        world.userinfo(&tokens.access).expect("claims")["email"],
        "new@example.com"
    );
}

#[test]
fn a_sealed_access_token_opens_userinfo_too() {
    let mut world = World::new();
    let scope = [("scope", "openid files.example.com/read")];
    let tokens = world.device_tokens_with("tv", "alice", &scope);
    assert!(tokens.access.starts_with("grantor_at_"));
    assert!(world.userinfo(&tokens.access).is_ok());
}

#[test]
fn rfc6750_2_the_token_comes_in_one_way() {
    let mut world = World::new();
    let tokens = world.device_tokens("tv", "alice");
    let header = format!("bEaReR {}", tokens.access);
    let body = params(&[("access_token", &tokens.access)]);
    let none = params(&[]);
    for request in [
        Userinfo::parse(Some(header.as_bytes()), &none),
        Userinfo::parse(None, &body),
    ] {
        assert!(world.ask(request.expect("a request")).reply.is_ok());
    }
    let both = Userinfo::parse(Some(header.as_bytes()), &body);
    assert_eq!(both.expect_err("two ways").code, InvalidRequest);
    let neither = Userinfo::parse(None, &none);
    assert_eq!(neither.expect_err("no way").code, InvalidToken);
    for bad in [&b"Basic dHY6"[..], b"Bearer", b"", b"\xff\xff"] {
        assert_eq!(
            Userinfo::parse(Some(bad), &none)
                .expect_err("no Bearer")
                .code,
            InvalidToken
        );
    }
}
