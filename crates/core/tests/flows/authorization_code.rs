//! The authorization code at the token endpoint: once, by its client, with its verifier.

use grantor_core::base::error::ErrorCode::{
    self, InvalidGrant, InvalidRequest, UnauthorizedClient,
};
use grantor_core::engine::event::EventKind;
use grantor_core::model::ids::GrantId;
use grantor_core::tokens::handles::Code;
use serde_json::json;

use grantor_testkit::world::{Browser, Run, World, answer};
use grantor_testkit::{
    AuthorizationRequest, CHALLENGE, ISSUER, SITE_ON_LOOPBACK, Spans as _, VERIFIER, client,
    redirect_uri, scope, user_id,
};

fn coded(client: &str) -> (World, Browser, String) {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new(client).with("nonce", "n-0S6_WzA2Mj");
    let code = world.consent(&alice, &request).code();
    (world, alice, code)
}

#[test]
fn rfc6749_4_1_4_a_code_gives_tokens() {
    let (mut world, _, code) = coded("site");
    let now = world.now.as_secs();
    world.advance(59.s());
    let tokens = world.redeem("site", &code).expect("tokens");
    assert_eq!(tokens.scope, "openid");
    assert!(tokens.refresh.is_some());
    let id = world.claims(&tokens.id.expect("an ID token"));
    assert_eq!(id["nonce"], "n-0S6_WzA2Mj");
    assert_eq!(id["auth_time"], now);
    assert_eq!((&id["acr"], &id["amr"]), (&json!("1"), &json!(["pwd"])));
    assert_eq!((&id["iss"], &id["aud"]), (&json!(ISSUER), &json!("site")));
    assert_eq!(id["sub"], user_id("alice").to_string());
    assert!(id["at_hash"].is_string() && id["sid"].is_string());
    let claims: Vec<_> = id.keys().map(String::as_str).collect();
    let protocol = [
        "acr",
        "amr",
        "at_hash",
        "aud",
        "auth_time",
        "exp",
        "iat",
        "iss",
        "jti",
        "nonce",
        "sid",
        "sub",
    ];
    assert_eq!(
        claims, protocol,
        "nothing of the user that was not asked for"
    );
}

#[test]
fn openid_core_12_2_a_refreshed_id_token_is_of_the_same_sign_in_and_without_the_nonce() {
    let (mut world, _, code) = coded("site");
    let first = world.redeem("site", &code).expect("tokens");
    world.advance(20.mins());
    let second = world.refresh("site", first.refresh()).expect("tokens");
    let [first, second] = [&first, &second].map(|tokens| {
        let id = tokens.id.as_deref().expect("an ID token");
        world.claims(id)
    });
    for same in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(first[same], second[same], "{same}");
    }
    assert_ne!(first["iat"], second["iat"]);
    assert!(!second.contains_key("nonce"));
}

#[test]
fn an_id_token_has_no_unrequested_nonce_and_is_absent_without_openid() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let plain = AuthorizationRequest::new("spa").without("nonce");
    let tokens = world.app_tokens(&alice, &plain);
    let id = world.claims(&tokens.id.expect("an ID token"));
    assert!(!id.contains_key("nonce"));
    let plain = plain.with("scope", "orders.example.com/read");
    let tokens = world.app_tokens(&alice, &plain);
    assert_eq!(tokens.id, None);
    assert_eq!(tokens.scope, "orders.example.com/read");
}

#[test]
fn rfc6749_4_1_2_a_code_lives_for_a_minute() {
    let (mut world, _, code) = coded("spa");
    world.advance(60.s());
    assert_eq!(world.redeem("spa", &code), Err(InvalidGrant));
}

#[test]
fn rfc6749_4_1_2_a_code_used_twice_revokes_its_tokens() {
    for wait in [0.s(), 30.s(), 10.mins()] {
        let (mut world, _, code) = coded("site");
        let tokens = world.redeem("site", &code).expect("tokens");
        assert!(world.is_active("site", &tokens.access));
        world.take_events();
        world.advance(wait);
        assert_eq!(world.redeem("site", &code), Err(InvalidGrant));
        assert_eq!(world.take_events(), [EventKind::CodeReusedGrantRevoked]);
        assert!(!world.is_active("site", &tokens.access));
        assert!(!world.is_active("site", tokens.refresh()));
        assert!(world.userinfo(&tokens.access).is_err());
        assert_eq!(world.refresh("site", tokens.refresh()), Err(InvalidGrant));
        assert_eq!(world.redeem("site", &code), Err(InvalidGrant));
        assert_eq!(world.take_events(), []);
    }
}

#[test]
fn a_replayed_code_revokes_refreshed_tokens_too() {
    let (mut world, _, code) = coded("site");
    let first = world.redeem("site", &code).expect("tokens");
    let second = world.refresh("site", first.refresh()).expect("tokens");
    assert_eq!(world.redeem("site", &code), Err(InvalidGrant));
    assert!(!world.is_active("site", &second.access));
}

#[test]
fn a_used_code_without_its_client_or_verifier_ends_nothing() {
    let (mut world, _, code) = coded("spa");
    let tokens = world.redeem("spa", &code).expect("tokens");
    let wrong = "x".repeat(43);
    assert_eq!(world.redeem("site", &code), Err(InvalidGrant));
    for more in [vec![], vec![("code_verifier", wrong.as_str())]] {
        assert_eq!(world.redeem_with("spa", &code, &more), Err(InvalidGrant));
    }
    assert!(world.userinfo(&tokens.access).is_ok());
}

#[test]
fn rfc6749_4_1_3_a_code_is_bound_to_its_client() {
    let (mut world, _, code) = coded("site");
    for other in ["wiki", "spa"] {
        assert_eq!(world.redeem(other, &code), Err(InvalidGrant), "{other}");
    }
    world.redeem("site", &code).expect("nothing has changed");
}

#[test]
fn rfc6749_4_1_3_the_redirect_uri_must_be_repeated() {
    let (mut world, _, code) = coded("site");
    let mut present = |uri: Option<&str>| {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("code_verifier", VERIFIER),
        ];
        pairs.extend(uri.map(|uri| ("redirect_uri", uri)));
        world.request_tokens("site", &pairs)
    };
    assert_eq!(present(None), Err(InvalidGrant));
    assert_eq!(present(Some(SITE_ON_LOOPBACK)), Err(InvalidGrant));
    assert_eq!(
        present(Some("https://site.example.com/callback/")),
        Err(InvalidGrant)
    );
    present(Some(redirect_uri("site"))).expect("tokens");
}

#[test]
fn rfc7636_4_6_the_verifier_meets_the_challenge() {
    let (mut world, _, code) = coded("spa");
    let wrong = VERIFIER.to_uppercase();
    for more in [
        vec![],
        vec![("code_verifier", wrong.as_str())],
        vec![("code_verifier", "short")],
        vec![("code_verifier", CHALLENGE)],
    ] {
        let refused = world.redeem_with("spa", &code, &more);
        assert_eq!(refused, Err(InvalidGrant), "{more:?}");
    }
    world
        .redeem("spa", &code)
        .expect("a wrong verifier changes nothing");
}

#[test]
fn rfc9700_4_8_2_a_verifier_without_a_challenge_is_refused() {
    let mut world = World::with(|realm| client(realm, "site").code.pkce_required = false);
    let alice = world.signed_in("alice");
    let without = AuthorizationRequest::new("site")
        .without("code_challenge")
        .without("code_challenge_method");
    let code = world.consent(&alice, &without).code();
    assert_eq!(world.redeem("site", &code), Err(InvalidGrant));
    world.redeem_with("site", &code, &[]).expect("tokens");
    // A confidential client has authenticated, so its replay counts without a verifier.
    let tokens = world.redeem_with("site", &code, &[]);
    assert_eq!(tokens, Err(InvalidGrant));
    assert!(
        world
            .take_events()
            .contains(&EventKind::CodeReusedGrantRevoked)
    );
}

#[test]
fn a_request_without_a_code_and_a_client_without_the_grant_are_refused() {
    let (mut world, _, code) = coded("site");
    let missing = [("grant_type", "authorization_code")];
    assert_eq!(world.request_tokens("site", &missing), Err(InvalidRequest));
    assert_eq!(world.redeem("tv", &code), Err(UnauthorizedClient));
    let device = world.device_codes("tv").device;
    assert_eq!(world.redeem("site", &device), Err(InvalidGrant));
}

#[test]
fn a_validly_sealed_code_without_a_matching_grant_is_refused() {
    let mut world = World::new();
    let codes = world.device_codes("console");
    let device = world.grant_of(&codes);
    for grant in [device, GrantId::from_bytes([9; 16])] {
        let code = world.realm.sealing.authorization_code(&Code {
            grant,
            expires_at: world.now + 60.s(),
            client: world.realm.client("site").expect("a client").id.tag(),
        });
        assert_eq!(world.redeem("site", &code), Err(InvalidGrant));
    }
}

#[test]
fn openid_core_11_without_offline_access_tokens_end_with_the_session() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let online = world.app_tokens(&alice, &AuthorizationRequest::new("site"));
    let scope = "openid offline_access";
    let offline = world.app_tokens(
        &alice,
        &AuthorizationRequest::new("site").with("scope", scope),
    );
    let pending = world
        .consent(&alice, &AuthorizationRequest::new("site"))
        .code();
    assert!(world.is_active("site", &online.access));
    world.sign_out(&alice);
    assert!(!world.is_active("site", &online.access));
    assert!(world.userinfo(&online.access).is_err());
    assert_eq!(world.refresh("site", online.refresh()), Err(InvalidGrant));
    assert_eq!(world.redeem("site", &pending), Err(InvalidGrant));
    assert!(world.is_active("site", &offline.access));
    world.refresh("site", offline.refresh()).expect("tokens");
}

#[test]
fn a_user_cut_off_between_code_and_tokens_gets_none() {
    for cut in [
        (|world| world.set_enabled("alice", false)) as fn(&mut World),
        |world| world.withdraw("alice"),
    ] {
        let (mut world, _, code) = coded("site");
        cut(&mut world);
        assert_eq!(world.redeem("site", &code), Err(InvalidGrant));
    }
}

#[test]
fn a_client_changed_between_code_and_tokens_gets_only_what_it_may_have_now() {
    let (mut world, _, code) = coded("site");
    world.reconfigure(|realm| client(realm, "site").enabled = false);
    assert_eq!(world.redeem("site", &code), Err(ErrorCode::InvalidClient));
    world.reconfigure(|realm| {
        let site = client(realm, "site");
        site.enabled = true;
        site.scopes = scope("profile");
    });
    let tokens = world.redeem("site", &code).expect("tokens");
    assert_eq!((tokens.scope.as_str(), tokens.id), ("", None));
}

#[test]
fn openid_core_5_5_claims_one_by_one() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let claims = r#"{"userinfo":{"given_name":{"essential":true}},"id_token":{"email":null}}"#;
    let request = AuthorizationRequest::new("site").with("claims", claims);
    let tokens = world.app_tokens(&alice, &request);
    let id = world.claims(tokens.id.as_deref().expect("an ID token"));
    assert_eq!(id["email"], "alice@example.com");
    assert!(!id.contains_key("given_name"));
    let userinfo = world.userinfo(&tokens.access).expect("claims");
    assert_eq!(userinfo["given_name"], "alice");
    assert!(!userinfo.contains_key("email"));
    let refreshed = world.refresh("site", tokens.refresh()).expect("tokens");
    let userinfo = world.userinfo(&refreshed.access).expect("claims");
    assert_eq!(userinfo["given_name"], "alice");
}

#[test]
fn the_set_of_device_tokens_can_be_limited_without_limiting_apps() {
    let mut world = World::with(|realm| {
        realm.device.tokens.id = false;
        realm.device.tokens.refresh = false;
    });
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, &AuthorizationRequest::new("site"));
    assert!(tokens.id.is_some() && tokens.refresh.is_some());
    let tokens = world.device_tokens("tv", "alice");
    assert!(tokens.id.is_none() && tokens.refresh.is_none());
}

#[test]
fn a_sign_out_between_read_and_commit_leaves_no_tokens() {
    for refresh in [false, true] {
        let (mut world, alice, code) = coded("site");
        let request = if refresh {
            let tokens = world.redeem("site", &code).expect("tokens");
            world.refresh_request("site", tokens.refresh())
        } else {
            let redirect_uri = redirect_uri("site");
            let pairs = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", redirect_uri),
                ("code_verifier", VERIFIER),
            ];
            world.token_request("site", &pairs).expect("a request")
        };
        let mut run = Run::new(&mut world, request);
        while !run.is_about_to_commit() {
            assert!(run.effect(&mut world).is_none(), "it is not over yet");
        }
        world.sign_out(&alice);
        let end = loop {
            if let Some(end) = run.effect(&mut world) {
                break end;
            }
        };
        assert_eq!(answer(end.expect("an answer")), Err(InvalidGrant));
    }
}

#[test]
fn claims_of_a_scope_removed_from_the_client_are_not_returned() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let claims = r#"{"userinfo":{"email":null},"id_token":{"email":null}}"#;
    let request = AuthorizationRequest::new("site").with("claims", claims);
    let tokens = world.app_tokens(&alice, &request);
    world.reconfigure(|realm| {
        client(realm, "site").scopes = scope("openid profile");
    });
    let userinfo = world.userinfo(&tokens.access).expect("claims");
    assert!(!userinfo.contains_key("email"));
    let tokens = world.refresh("site", tokens.refresh()).expect("tokens");
    let id = world.claims(&tokens.id.expect("an ID token"));
    assert!(!id.contains_key("email"));
}

#[test]
fn what_is_bound_to_a_session_leaves_no_row_after_the_longest_life_of_one() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let before = world.rows();
    for _ in 0..3 {
        world.app_tokens(&alice, &AuthorizationRequest::new("site"));
    }
    world
        .consent(&alice, &AuthorizationRequest::new("site"))
        .code();
    world.sign_out(&alice);
    world.advance(7.days() + 6.mins());
    world.sweep();
    // The session is gone, and the consent is there.
    assert_eq!(world.rows(), before);
}
