//! What a request may look like (OpenID Connect Core section 3.1.2.1), and what is ignored or refused.

use grantor_testkit::server::{TestServer, post};
use grantor_testkit::{
    AUTHORIZE, AuthorizationRequest, FORUM, NATIVE, PORTAL, SHOP, SHOP_WITH_QUERY, SPA, VERIFIER,
    client, redirect_uri,
};

/// Item 16.
#[tokio::test]
async fn a_post_is_answered_as_a_get_is() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let authorization = AuthorizationRequest::new(PORTAL).with("state", "a b&c=d%");
    let posted = alice.send(post(AUTHORIZE, &authorization.pairs())).await;
    let result = alice.follow(posted, "alice", "approve").await;
    let (to, params) = result.redirect();
    assert_eq!(
        (to.as_str(), params["state"].as_str()),
        (redirect_uri(PORTAL), "a b&c=d%")
    );
    assert_eq!(server.redeem(PORTAL, &params["code"]).await.status, 200);
}

/// Item 17.
#[tokio::test]
async fn the_order_of_parameters_and_scopes_is_irrelevant() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let mut authorization = AuthorizationRequest::new(PORTAL).with("scope", "email openid profile");
    authorization.0.reverse();
    let code = alice.authorize(&authorization).await.code();
    let tokens = server.redeem(PORTAL, &code).await;
    let scope = tokens.member("scope");
    let mut granted: Vec<_> = scope.split(' ').collect();
    granted.sort_unstable();
    assert_eq!(granted, ["email", "openid", "profile"]);
}

/// Items 18, 35 and 36: OpenID Connect Core section 3.1.2.1: "The Authorization Server SHOULD ignore unrecognized request
/// parameters", and hints are hints.
#[tokio::test]
async fn unknown_parameters_and_hints_never_fail() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for (name, value) in [
        ("extra", "foobar"),
        ("login_hint", "buffy@id.example.com"),
        ("ui_locales", "se"),
        ("ui_locales", "x-klingon de_DE  *"),
        ("claims_locales", "se"),
        ("display", "page"),
        ("display", "popup"),
        ("display", "hologram"),
        ("acr_values", "1 2"),
        ("acr_values", "urn:mace:incommon:iap:silver"),
        ("id_token_hint", ""),
        ("prompt", ""),
        ("max_age", ""),
        ("resource", ""),
        ("audience", "https://orders.example.com"),
    ] {
        let result = alice
            .authorize(&AuthorizationRequest::new(PORTAL).and(name, value))
            .await;
        result.code();
        assert!(result.pages.is_empty(), "{name}={value}");
    }
}

/// Item 35: the hint stands in the form, and any user may still sign in.
#[tokio::test]
async fn a_login_hint_is_filled_in() {
    let server = TestServer::new().await;
    let mut alice = server.browser();
    let authorization = AuthorizationRequest::new(SPA)
        .with("login_hint", "bob")
        .with("ui_locales", "se de");
    let to_login = alice.get(&authorization.path()).await;
    let login = alice.get(to_login.header("location")).await;
    assert!(login.body.contains("value=\"bob\"") && login.body.contains("<html lang=\"de\""));
    alice.follow(login, "alice", "approve").await.code();
}

/// Item 19.
#[tokio::test]
async fn rfc6749_4_1_2_1_a_missing_or_unsupported_response_type_is_returned_to_the_client() {
    let server = TestServer::new().await;
    let mut anybody = server.browser();
    for (response_type, error) in [
        ("", "invalid_request"),
        ("token", "unsupported_response_type"),
        ("id_token", "unsupported_response_type"),
        ("code id_token", "unsupported_response_type"),
        ("code token", "unsupported_response_type"),
        ("none", "unsupported_response_type"),
        ("CODE", "unsupported_response_type"),
    ] {
        let authorization = AuthorizationRequest::new(SPA).with("response_type", response_type);
        let result = anybody.authorize(&authorization).await;
        assert_eq!(result.error(), error, "{response_type}");
        assert_eq!(result.redirect().1["state"], "st-1");
        // OpenID Connect Core sections 3.2.2.6 and 3.3.2.6: where the answer would be in the fragment, the error is.
        let is_implicit = response_type.contains("token");
        let location = result.answer.header("location");
        assert_eq!(location.contains('#'), is_implicit, "{location}");
        assert_eq!(location.contains('?'), !is_implicit, "{location}");
    }
}

/// Item 20.
#[tokio::test]
async fn a_nonce_is_returned_and_none_is_invented() {
    let server = TestServer::new().await;
    for nonce in ["n", &"n-._~".repeat(20), "{\"a\": \"ü\"}"] {
        let tokens = server
            .app_tokens(&AuthorizationRequest::new(SPA).with("nonce", nonce))
            .await;
        assert_eq!(super::id(&tokens)["nonce"], nonce);
    }
    let tokens = server
        .app_tokens(&AuthorizationRequest::new(SPA).without("nonce"))
        .await;
    assert_eq!(super::id(&tokens).get("nonce"), None);
    let long = AuthorizationRequest::new(SPA).with("nonce", &"n".repeat(1025));
    let result = server.browser().authorize(&long).await;
    assert_eq!(result.error(), "invalid_request");
}

/// Item 21: RFC 6749 section 4.1.2: "The exact value received from the client."
#[tokio::test]
async fn state_is_returned_unchanged() {
    let server = TestServer::new().await;
    let long = "0123456789-._~ABCDEFGHIJKLMNOPQRSTUVWXYZ".repeat(25);
    for state in [
        "a",
        &long[..128],
        &long,
        "a b+c%20d&e=f#g?h/i\"j'k<l>m\\n",
        "{\"url\":\"/x?y=z\"}",
        "日本語 ü",
    ] {
        for (app, mode) in [(SPA, "query"), (SHOP, "form_post")] {
            let authorization = AuthorizationRequest::new(app)
                .with("state", state)
                .with("response_mode", mode);
            let success = server.browser().authorize(&authorization).await;
            assert_eq!(super::given(&success, app)["state"], state);
            let error = server
                .browser()
                .authorize(&authorization.with("prompt", "none"))
                .await;
            let error = super::given(&error, app);
            assert_eq!(
                (error["state"].as_str(), error["error"].as_str()),
                (state, "login_required")
            );
        }
    }
    let without = AuthorizationRequest::new(SPA).without("state");
    let result = server.browser().authorize(&without).await;
    assert!(
        !result.redirect().1.contains_key("state"),
        "none is invented"
    );
}

/// Item 23: RFC 6749 section 3.1.2: the query of a redirect URI "MUST be retained when adding additional query parameters".
#[tokio::test]
async fn a_redirect_uri_with_a_query_keeps_it() {
    let server = TestServer::new().await;
    let authorization = AuthorizationRequest::new(SHOP).with("redirect_uri", SHOP_WITH_QUERY);
    let mut alice = server.browser();
    let result = alice.authorize(&authorization).await;
    assert!(
        result
            .answer
            .header("location")
            .starts_with(&format!("{SHOP_WITH_QUERY}&code="))
    );
    let there = [("redirect_uri", SHOP_WITH_QUERY)];
    let tokens = server.redeem_with(SHOP, &result.code(), &there).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let error = alice
        .authorize(&authorization.with("response_type", "x"))
        .await;
    assert!(
        error
            .answer
            .header("location")
            .starts_with(&format!("{SHOP_WITH_QUERY}&error="))
    );
}

/// Item 24.
#[tokio::test]
async fn without_a_redirect_uri_there_is_no_default_among_several() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    for authorization in [
        AuthorizationRequest::new(SHOP).without("redirect_uri"),
        AuthorizationRequest::new(SHOP)
            .without("redirect_uri")
            .with("scope", "email"),
        // OpenID Connect Core section 3.1.2.1 has it REQUIRED, also where one is registered.
        AuthorizationRequest::new(FORUM).without("redirect_uri"),
        AuthorizationRequest::new(FORUM).with("redirect_uri", ""),
    ] {
        super::assert_stays(&alice.get(&authorization.path()).await, 400);
    }
    // RFC 6749 section 3.1.2.3: by OAuth alone, the one that is registered; and then none at the token endpoint.
    let authorization = AuthorizationRequest::new(FORUM)
        .without("redirect_uri")
        .with("scope", "email");
    let code = alice.authorize(&authorization).await.code();
    let redeem = [("grant_type", "authorization_code"), ("code", &code)];
    assert_eq!(server.request_tokens(FORUM, &redeem).await.status, 200);
}

/// Item 39.
#[tokio::test]
async fn pkce_works_for_every_client_and_is_required_of_public_ones() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let code = alice
        .authorize(&AuthorizationRequest::new(SHOP).pkce(VERIFIER))
        .await
        .code();
    let right = [("code_verifier", VERIFIER)];
    assert_eq!(server.redeem_with(SHOP, &code, &right).await.status, 200);
    let code = alice
        .authorize(&AuthorizationRequest::new(SHOP))
        .await
        .code();
    assert_eq!(
        server.redeem(SHOP, &code).await.status,
        200,
        "it may do without"
    );
    for app in [SPA, NATIVE] {
        let bare = AuthorizationRequest::new(app)
            .without("code_challenge")
            .without("code_challenge_method");
        assert_eq!(alice.authorize(&bare).await.error(), "invalid_request");
    }
    // The operator can require it of any client.
    let strict = TestServer::with(|realm| client(realm, "shop").code.pkce_required = true).await;
    let result = strict
        .browser()
        .authorize(&AuthorizationRequest::new(SHOP))
        .await;
    assert_eq!(result.error(), "invalid_request");
}

/// Items 40 to 42: what a request object says is not ignored but refused, and a redirect URI of it that is not registered is
/// not used.
#[tokio::test]
async fn request_objects_are_refused_as_the_metadata_says() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    // {"alg":"none"} {"redirect_uri":"https://evil.example/"}
    let object = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ.";
    for (name, value, error) in [
        ("request", object, "request_not_supported"),
        (
            "request_uri",
            "https://spa.example.com/r#x",
            "request_uri_not_supported",
        ),
        (
            "request_uri",
            "urn:ietf:params:oauth:request_uri:x",
            "request_uri_not_supported",
        ),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let authorization = AuthorizationRequest::new(PORTAL).with(name, value);
        let result = alice.authorize(&authorization).await;
        assert_eq!(result.error(), error);
        assert_eq!(result.redirect().0, redirect_uri(PORTAL));
        let without = alice
            .get(&authorization.without("redirect_uri").path())
            .await;
        super::assert_stays(&without, 400);
        if name == "registration" {
            assert!(
                without.body.contains("Address not registered"),
                "{without:?}"
            );
            continue;
        }
        // The redirect URI is not blamed for what is in the object.
        assert!(
            without.body.contains("Request not supported"),
            "{without:?}"
        );
        let description = format!("The parameter {name} is not supported.");
        assert!(without.body.contains(&description), "{without:?}");
    }
}

#[tokio::test]
async fn a_client_gets_no_code_by_a_grant_that_it_may_not_use() {
    let server = TestServer::with(|realm| client(realm, "shop").grants.clear()).await;
    let result = server
        .browser()
        .authorize(&AuthorizationRequest::new(SHOP))
        .await;
    assert_eq!(result.error(), "unauthorized_client");
}
