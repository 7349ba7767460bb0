//! The authorization endpoint: what the user is asked, and what is returned to the client.

use grantor_core::base::error::ErrorCode::{
    self, InvalidRequest, InvalidScope, InvalidTarget, LoginRequired, RegistrationNotSupported,
    RequestNotSupported, RequestUriNotSupported, UnauthorizedClient,
    UnmetAuthenticationRequirements, UnsupportedResponseType,
};
use grantor_core::base::secret::Secret;
use grantor_core::endpoints::authorize::{AUTH_AFTER, ResponseMode, sign_in_proof};

use grantor_testkit::world::{AuthorizationOutcome, Browser, World, params};
use grantor_testkit::{
    AuthorizationRequest, CHALLENGE, ISSUER, SITE_ON_LOOPBACK, Spans as _, VERIFIER, client,
    redirect_uri, user_id,
};

/// The error returned to the client for a request that needs no user interaction.
fn error(world: &mut World, request: &AuthorizationRequest) -> ErrorCode {
    world.authorize(&Browser::new(), request).error()
}

#[test]
fn rfc6749_4_1_2_1_without_a_valid_redirect_uri_the_browser_is_not_redirected() {
    let mut world = World::new();
    let unproven = [
        AuthorizationRequest::new("spa").without("client_id"),
        AuthorizationRequest::new("spa").with("client_id", "nobody"),
        AuthorizationRequest::new("spa").with("redirect_uri", "https://evil.example/cb"),
        AuthorizationRequest::new("spa").with("redirect_uri", redirect_uri("site")),
        AuthorizationRequest::new("spa")
            .with("redirect_uri", &format!("{}?x=1", redirect_uri("spa"))),
        AuthorizationRequest::new("site").without("redirect_uri"),
        AuthorizationRequest::new("tv"),
    ];
    for request in unproven {
        let request = request.with("prompt", "none");
        let ended = world.authorize(&Browser::new(), &request);
        assert!(
            matches!(ended, AuthorizationOutcome::Page(_)),
            "{request:?}: {ended:?}"
        );
    }
}

#[test]
fn an_authorization_request_of_a_disabled_client_does_not_redirect() {
    let mut world = World::with(|realm| client(realm, "spa").enabled = false);
    let ended = world.authorize(&Browser::new(), &AuthorizationRequest::new("spa"));
    assert!(matches!(ended, AuthorizationOutcome::Page(_)));
}

#[test]
fn rfc6749_3_1_2_3_the_only_redirect_uri_may_be_left_out_but_not_with_openid() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa").without("redirect_uri");
    assert!(matches!(
        world.authorize(&alice, &request),
        AuthorizationOutcome::Page(_)
    ));
    let request = request.with("scope", "orders.example.com/read");
    let response = world.consent(&alice, &request).answer();
    assert_eq!(response.redirect.uri(), redirect_uri("spa"));
    // A request object may name another, so the default is not taken.
    let request = request.with("request", "eyJ");
    assert!(matches!(
        world.authorize(&alice, &request),
        AuthorizationOutcome::Page(_)
    ));
}

#[test]
fn rfc8252_7_3_a_loopback_redirect_accepts_any_port_and_needs_consent_each_time() {
    for (registered, other_port) in [
        (SITE_ON_LOOPBACK, "http://127.0.0.1:61023/cb"),
        ("http://localhost/cb", "http://localhost:61023/cb"),
    ] {
        let mut world = World::with(|realm| {
            let loopback = registered.parse().expect("a redirect URI");
            client(realm, "spa").code.redirect_uris.push(loopback);
        });
        let alice = world.signed_in("alice");
        let registered = AuthorizationRequest::new("spa").with("redirect_uri", registered);
        world.consent(&alice, &registered).code();
        // The exact URI may be that of a web app in development.
        world.authorize(&alice, &registered).code();
        let other = registered.with("redirect_uri", other_port);
        world.authorize(&alice, &other).consent();
        let response = world.consent(&alice, &other).answer();
        assert_eq!(response.redirect.uri(), other_port);
        world.authorize(&alice, &other).consent();
        let silent = world.authorize(&alice, &other.with("prompt", "none"));
        assert_eq!(silent.error(), ErrorCode::ConsentRequired);
    }
}

#[test]
fn rfc6749_4_1_2_1_errors_are_returned_to_the_client() {
    let mut world = World::new();
    let spa = || AuthorizationRequest::new("spa");
    for (request, expected) in [
        (spa().without("response_type"), InvalidRequest),
        (
            spa().with("response_type", "token"),
            UnsupportedResponseType,
        ),
        (
            spa().with("response_type", "code id_token"),
            UnsupportedResponseType,
        ),
        (spa().with("response_mode", "fragment"), InvalidRequest),
        (spa().with("scope", "admin"), InvalidScope),
        (spa().with("scope", "openid \"x\""), InvalidScope),
        (
            spa().with("resource", "https://unknown.example"),
            InvalidTarget,
        ),
        (spa().with("max_age", "-1"), InvalidRequest),
        (spa().with("max_age", "soon"), InvalidRequest),
        (spa().with("prompt", "none login"), InvalidRequest),
        (spa().with("prompt", "create"), InvalidRequest),
        (spa().with("claims", "{"), InvalidRequest),
        (spa().with("nonce", &"n".repeat(1025)), InvalidRequest),
        (spa().with("request", "eyJ"), RequestNotSupported),
        (
            spa().with("request_uri", "https://x.example/"),
            RequestUriNotSupported,
        ),
        (spa().with("registration", "{}"), RegistrationNotSupported),
        (spa().without("code_challenge"), InvalidRequest),
        (spa().with("code_challenge_method", "plain"), InvalidRequest),
        (spa().without("code_challenge_method"), InvalidRequest),
    ] {
        assert_eq!(error(&mut world, &request), expected, "{request:?}");
    }
    world.reconfigure(|realm| client(realm, "spa").grants.clear());
    assert_eq!(error(&mut world, &spa()), UnauthorizedClient);
}

#[test]
fn oidc_core_6_1_the_refusal_of_a_request_object_arrives_as_its_client_listens() {
    // {"response_mode":"form_post","state":"inner"}, with no signature.
    const OBJECT: &str =
        "eyJhbGciOiJub25lIn0.eyJyZXNwb25zZV9tb2RlIjoiZm9ybV9wb3N0Iiwic3RhdGUiOiJpbm5lciJ9.";
    let mut world = World::new();
    let request = AuthorizationRequest::new("spa")
        .without("state")
        .with("request", OBJECT);
    let response = world.authorize(&Browser::new(), &request).answer();
    assert_eq!(response.redirect.mode(), ResponseMode::FormPost);
    let parameters = response.parameters("4f");
    assert!(parameters.contains(&("state", "inner".to_owned())));
    assert!(parameters.contains(&("error", "request_not_supported".to_owned())));
}

#[test]
fn scopes_of_two_resources_need_resources_that_are_named() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let both = AuthorizationRequest::new("spa").with(
        "scope",
        "openid orders.example.com/read files.example.com/read",
    );
    assert_eq!(world.authorize(&alice, &both).error(), InvalidScope);
    let named = both
        .and("resource", "https://orders.example.com")
        .and("resource", "files.example.com");
    let code = world.consent(&alice, &named).code();
    // RFC 8707 section 2.2: the client names one of them for each token.
    let of = |resource| [("code_verifier", VERIFIER), ("resource", resource)];
    let tokens = world.redeem_with("spa", &code, &of("https://orders.example.com"));
    let tokens = tokens.expect("tokens");
    assert_eq!(tokens.scope, "openid orders.example.com/read");
    let files = [("resource", "files.example.com")];
    let tokens = world
        .refresh_with("spa", tokens.refresh(), &files)
        .expect("tokens");
    assert_eq!(tokens.scope, "files.example.com/read openid");
    let other = [("resource", "https://unknown.example")];
    assert_eq!(
        world.refresh_with("spa", tokens.refresh(), &other),
        Err(InvalidTarget)
    );
}

#[test]
fn rfc9207_2_each_answer_has_iss_and_state() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let state = "~._-%&=+ \u{e9}".repeat(20);
    let request = AuthorizationRequest::new("spa").with("state", &state);
    let given = world.consent(&alice, &request).answer();
    let refused = world
        .authorize(&alice, &request.with("max_age", "x"))
        .answer();
    for response in [given, refused] {
        let parameters = response.parameters("t");
        let value = |name| parameters.iter().find(|(known, _)| *known == name);
        assert_eq!(value("iss").expect("iss").1, ISSUER);
        assert_eq!(value("state").expect("state").1, state);
    }
    let stateless = world.consent(&alice, &AuthorizationRequest::new("spa").without("state"));
    let stateless = stateless.answer().parameters("t");
    assert!(stateless.iter().all(|(name, _)| *name != "state"));
}

#[test]
fn form_post_answers_errors_too() {
    let mut world = World::new();
    let request = AuthorizationRequest::new("spa")
        .with("response_mode", "form_post")
        .with("prompt", "none");
    let response = world.authorize(&Browser::new(), &request).answer();
    assert_eq!(response.redirect.mode(), ResponseMode::FormPost);
    assert_eq!(
        response.outcome.expect_err("no session").code,
        LoginRequired
    );
}

#[test]
fn openid_core_3_1_2_1_prompt_none_asks_nothing() {
    let mut world = World::new();
    let request = AuthorizationRequest::new("spa").with("prompt", "none");
    assert_eq!(error(&mut world, &request), LoginRequired);
    let alice = world.signed_in("alice");
    assert_eq!(
        world.authorize(&alice, &request).error(),
        ErrorCode::ConsentRequired
    );
    world
        .consent(&alice, &AuthorizationRequest::new("spa"))
        .code();
    world.authorize(&alice, &request).code();
    world.sign_out(&alice);
    assert_eq!(world.authorize(&alice, &request).error(), LoginRequired);
}

#[test]
fn openid_core_3_1_2_1_prompt_login_takes_a_sign_in_after_it() {
    let mut world = World::new();
    let mut alice = world.signed_in("alice");
    world
        .consent(&alice, &AuthorizationRequest::new("spa"))
        .code();
    for prompt in ["login", "select_account"] {
        world.advance(5.s());
        let request = AuthorizationRequest::new("spa").with("prompt", prompt);
        let back = world.authorize(&alice, &request).sign_in();
        // Coming back without having signed in does not help.
        world.authorize(&alice, &back).sign_in();
        world.advance(1.s());
        let before = alice.session.clone();
        world.sign_in(&mut alice, "alice", "alice-password");
        assert_ne!(
            before.map(|c| c.reveal().to_owned()),
            alice.session.as_ref().map(|c| c.reveal().to_owned())
        );
        let signed_in = world.now.as_secs();
        let code = world.authorize(&alice, &back).code();
        let tokens = world.redeem("spa", &code).expect("tokens");
        let id = world.claims(&tokens.id.expect("an ID token"));
        assert_eq!(id["auth_time"], signed_in);
    }
}

/// The parameter is in the address, where anyone can write what they like.
#[test]
fn a_link_does_not_switch_prompt_login_off() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let mut mallory = world.signed_in("bob");
    let cookie = |browser: &Browser| browser.session.clone().expect("a session");
    let sealing = world.realm.sealing.clone();
    let proof = |cookie: &Secret, request: &AuthorizationRequest| {
        sign_in_proof(&sealing, cookie, &params(&request.pairs()))
    };
    for demand in [("prompt", "login"), ("max_age", "0")] {
        let request = AuthorizationRequest::new("portal").with(demand.0, demand.1);
        // What the attacker gets by signing in for the same request.
        world.sign_in(&mut mallory, "bob", "bob-password");
        let other = request.clone().with("state", "other");
        let now = world.now.as_millis();
        for forged in [
            "0".to_owned(),
            now.to_string(),
            u64::MAX.to_string(),
            proof(&cookie(&mallory), &request),
            proof(&cookie(&alice), &other),
            proof(&Secret::new(""), &request),
        ] {
            let link = request.clone().with(AUTH_AFTER, &forged);
            world.authorize(&alice, &link).sign_in();
        }
    }
}

#[test]
fn a_sign_in_serves_its_own_request_for_an_hour_and_until_the_next_one() {
    let mut world = World::new();
    let mut alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("portal").with("prompt", "login");
    let sealing = world.realm.sealing.clone();
    let proven = |browser: &Browser| {
        let cookie = browser.session.as_ref().expect("a session");
        let proof = sign_in_proof(&sealing, cookie, &params(&request.pairs()));
        request.clone().with(AUTH_AFTER, &proof)
    };
    let first = proven(&alice);
    world.authorize(&alice, &first).code();
    world.advance(1.h() - 1.ms());
    world.authorize(&alice, &first).code();
    world.advance(1.ms());
    world.authorize(&alice, &first).sign_in();
    world.sign_in(&mut alice, "alice", "alice-password");
    world.authorize(&alice, &first).sign_in();
    world.authorize(&alice, &proven(&alice)).code();
}

#[test]
fn openid_core_3_1_2_1_a_sign_in_that_is_too_old_comes_again() {
    let mut world = World::new();
    let mut alice = world.signed_in("alice");
    let signed_in = world.now.as_secs();
    world
        .consent(&alice, &AuthorizationRequest::new("spa"))
        .code();
    world.advance(100.s());
    let young = AuthorizationRequest::new("spa").with("max_age", "100");
    let back = world.authorize(&alice, &young).sign_in();
    let silent = young.with("prompt", "none");
    assert_eq!(world.authorize(&alice, &silent).error(), LoginRequired);
    let old = AuthorizationRequest::new("spa").with("max_age", "101");
    let code = world.authorize(&alice, &old).code();
    let tokens = world.redeem("spa", &code).expect("tokens");
    let id = world.claims(&tokens.id.expect("an ID token"));
    assert_eq!(id["auth_time"], signed_in);

    world.sign_in(&mut alice, "alice", "alice-password");
    // The form takes as long as it takes.
    world.advance(200.s());
    world.authorize(&alice, &back).code();
}

#[test]
fn openid_core_3_1_2_1_a_hint_names_who_is_expected() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let mut bob = world.signed_in("bob");
    let hint = world
        .app_tokens(&alice, &AuthorizationRequest::new("spa"))
        .id;
    let hint = hint.expect("an ID token");
    world
        .consent(&bob, &AuthorizationRequest::new("spa"))
        .code();
    let hinted = AuthorizationRequest::new("spa").with("id_token_hint", &hint);
    let silent = hinted.clone().with("prompt", "none");
    world.authorize(&alice, &silent).code();
    assert_eq!(world.authorize(&bob, &silent).error(), LoginRequired);
    // An expired one is still a hint.
    world.advance(20.mins());
    world.authorize(&alice, &silent).code();
    // Another user is asked to sign in; if that is still another one, the request is refused.
    let back = world.authorize(&bob, &hinted).sign_in();
    world.sign_in(&mut bob, "bob", "bob-password");
    assert_eq!(world.authorize(&bob, &back).error(), LoginRequired);
    world.sign_in(&mut bob, "alice", "alice-password");
    world.authorize(&bob, &back).code();
}

#[test]
fn an_id_token_hint_must_be_of_this_issuer() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let tokens = world.app_tokens(&alice, &AuthorizationRequest::new("spa"));
    let id = tokens.id.expect("an ID token");
    let (signed, _) = id.rsplit_once('.').expect("a JWT");
    let none = "eyJhbGciOiJub25lIn0.e30.";
    for wrong in ["x", none, &tokens.access, signed, &format!("{signed}.AAAA")] {
        let request = AuthorizationRequest::new("spa").with("id_token_hint", wrong);
        assert_eq!(world.authorize(&alice, &request).error(), InvalidRequest);
    }
    world.reconfigure(|realm| realm.issuer = "https://other.example".to_owned());
    let request = AuthorizationRequest::new("spa").with("id_token_hint", &id);
    assert_eq!(world.authorize(&alice, &request).error(), InvalidRequest);
}

#[test]
fn openid_core_5_5_1_1_an_essential_acr_that_is_not_offered_fails_and_a_voluntary_one_does_not() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let asks = |acr: &str| AuthorizationRequest::new("spa").with("claims", acr);
    let strong = asks(r#"{"id_token":{"acr":{"essential":true,"values":["3"]}}}"#);
    assert_eq!(
        world.consent(&alice, &strong).error(),
        UnmetAuthenticationRequirements
    );
    for request in [
        asks(r#"{"id_token":{"acr":{"essential":true,"values":["3","1"]}}}"#),
        asks(r#"{"id_token":{"acr":{"values":["3"]}}}"#),
        AuthorizationRequest::new("spa").with("acr_values", "3 2"),
    ] {
        let tokens = world.app_tokens(&alice, &request);
        assert_eq!(world.claims(&tokens.id.expect("an ID token"))["acr"], "1");
    }
}

#[test]
fn openid_core_5_5_1_the_user_whom_the_client_expects() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let expecting = |name: &str| {
        let claims = format!(
            r#"{{"id_token":{{"sub":{{"value":"{}"}}}}}}"#,
            user_id(name)
        );
        AuthorizationRequest::new("spa").with("claims", &claims)
    };
    world.consent(&alice, &expecting("alice")).code();
    world.consent(&alice, &expecting("bob")).sign_in();
    let silent = expecting("bob").with("prompt", "none");
    assert_eq!(world.authorize(&alice, &silent).error(), LoginRequired);
}

#[test]
fn unknown_parameters_are_ignored() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let request = AuthorizationRequest::new("spa")
        .with("display", "popup")
        .with("claims_locales", "se")
        .with("ui_locales", "se")
        .with("login_hint", "buffy@host")
        .with("extra", "foobar");
    world.consent(&alice, &request).code();
}

#[test]
fn single_sign_on_one_session_serves_every_app() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let sids = ["spa", "site", "wiki"].map(|client| {
        let tokens = world.app_tokens(&alice, &AuthorizationRequest::new(client));
        world.claims(&tokens.id.expect("an ID token"))["sid"].clone()
    });
    assert!(sids[0].is_string());
    assert_eq!(sids[0], sids[1]);
    assert_eq!(sids[1], sids[2]);
}

#[test]
fn a_session_whose_user_was_cut_off_gives_no_code() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    world
        .consent(&alice, &AuthorizationRequest::new("spa"))
        .code();
    world.set_enabled("alice", false);
    world
        .authorize(&alice, &AuthorizationRequest::new("spa"))
        .sign_in();
    world.set_enabled("alice", true);
    world
        .authorize(&alice, &AuthorizationRequest::new("spa"))
        .sign_in();
}

#[test]
fn a_code_is_long_and_reveals_nothing() {
    let mut world = World::new();
    let alice = world.signed_in("alice");
    let codes = [(); 2].map(|()| {
        world
            .consent(&alice, &AuthorizationRequest::new("spa"))
            .code()
    });
    assert_ne!(codes[0], codes[1]);
    for code in codes {
        assert!(code.starts_with("grantor_ac_") && code.len() > 90);
        assert!(!world.dump().contains(&code) && !world.dump().contains(VERIFIER));
    }
    assert!(
        world.dump().contains(CHALLENGE),
        "the challenge is no secret"
    );
}
