//! Users, clients and sessions that end between two requests of a flow.

use grantor_core::people::SetEnabled;

use grantor_testkit::server::{TestServer, refused};
use grantor_testkit::{AuthorizationRequest, PORTAL, SHOP, client, scope};

/// The operator disables a user by command.
async fn disable(server: &TestServer, username: &str) {
    let username = username.to_owned();
    let set = SetEnabled {
        username,
        enabled: false,
    };
    let outcome = server.app.run(set).await.expect("the store is there");
    outcome.reply.expect("no OAuth error");
}

/// A server with the user dora, added by command: commands do not change alice, whom the configuration declares.
async fn with_dora() -> TestServer {
    let server = TestServer::new().await;
    let hash = server
        .app
        .hash_password(grantor_core::base::secret::Secret::new("dora-password"))
        .await;
    let dora = grantor_core::people::AddUser {
        username: "dora".to_owned(),
        password: hash.expect("a worker is free"),
        groups: Vec::new(),
        organization: None,
        email: None,
    };
    server
        .app
        .run(dora)
        .await
        .expect("the store is there")
        .reply
        .expect("no OAuth error");
    server
}

#[tokio::test]
async fn a_disabled_user_cannot_consent_and_their_codes_and_tokens_are_refused() {
    let server = with_dora().await;
    let (mut dora, form) = super::consent_form(&server, "dora", SHOP).await;
    let waiting = dora
        .authorize(&AuthorizationRequest::new(PORTAL))
        .await
        .code();
    let redeemed = dora
        .authorize(&AuthorizationRequest::new(PORTAL).with("scope", "openid offline_access"))
        .await
        .code();
    let tokens = server.redeem(PORTAL, &redeemed).await;
    disable(&server, "dora").await;

    let answer = dora.submit(form).await;
    assert!(
        answer.header("location").starts_with("/login?"),
        "{answer:?}"
    );
    let silent = dora
        .authorize(&AuthorizationRequest::new(PORTAL).with("prompt", "none"))
        .await;
    assert_eq!(silent.error(), "login_required");
    assert_eq!(
        server.redeem(PORTAL, &waiting).await.error(),
        refused(400, "invalid_grant")
    );
    let userinfo = server.userinfo(&tokens.member("access_token")).await;
    assert_eq!(userinfo.error(), refused(401, "invalid_token"));
    let refreshed = server
        .refresh(PORTAL, &tokens.member("refresh_token"))
        .await;
    assert_eq!(refreshed.error(), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn a_client_that_is_disabled_gets_nothing_for_its_codes_and_tokens() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let request = AuthorizationRequest::new(PORTAL).with("scope", "openid offline_access");
    let waiting = alice.authorize(&request).await.code();
    let tokens = server
        .redeem(PORTAL, &alice.authorize(&request).await.code())
        .await;
    let later = server.restarted(|realm| client(realm, "portal").enabled = false);
    assert_eq!(
        later.redeem(PORTAL, &waiting).await.error(),
        refused(401, "invalid_client")
    );
    let refresh = tokens.member("refresh_token");
    assert_eq!(
        later.refresh(PORTAL, &refresh).await.error(),
        refused(401, "invalid_client")
    );
    let userinfo = later.userinfo(&tokens.member("access_token")).await;
    assert_eq!(userinfo.error(), refused(401, "invalid_token"));
    crate::authorize::assert_stays(&later.get(&request.path()).await, 400);
}

#[tokio::test]
async fn a_client_that_lost_a_scope_or_grant_gets_no_more_of_it() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let request = AuthorizationRequest::new(PORTAL).with("scope", "openid email");
    let waiting = alice.authorize(&request).await.code();
    let less = server.restarted(|realm| client(realm, "portal").scopes = scope("openid"));
    let tokens = less.redeem(PORTAL, &waiting).await;
    assert_eq!(tokens.member("scope"), "openid");
    let waiting = alice.authorize(&request).await.code();
    let without = server.restarted(|realm| client(realm, "portal").grants.clear());
    assert_eq!(
        without.redeem(PORTAL, &waiting).await.error(),
        refused(400, "unauthorized_client")
    );
}

/// A store that fails between two steps leaves nothing half done.
#[tokio::test]
async fn a_code_whose_commit_failed_is_not_given() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    server.store.inject(grantor_store::testing::Fault::Commit);
    let answer = alice.get(&AuthorizationRequest::new(PORTAL).path()).await;
    crate::authorize::assert_stays(&answer, 503);
    assert_eq!(answer.header("retry-after"), "1");
    alice
        .authorize(&AuthorizationRequest::new(PORTAL))
        .await
        .code();
}
