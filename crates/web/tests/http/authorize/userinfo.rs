//! Userinfo with tokens that came by a code (OpenID Connect Core section 5.3).

use grantor_testkit::server::{TestServer, USERINFO, With as _, post};
use grantor_testkit::{AuthorizationRequest, SPA};

/// Items 62 and 63.
#[tokio::test]
async fn userinfo_by_get_and_by_both_kinds_of_post_says_the_sub_of_the_id_token() {
    let server = TestServer::new().await;
    let tokens = server
        .app_tokens(&AuthorizationRequest::new(SPA).with("scope", "openid email"))
        .await;
    let access = tokens.member("access_token");
    let bearer = format!("Bearer {access}");
    let by_header = post(USERINFO, &[]).with("authorization", &bearer);
    for answer in [
        server.userinfo(&access).await,
        server.send(by_header).await,
        server.post(USERINFO, &[("access_token", &access)]).await,
    ] {
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/json")
        );
        assert_eq!(answer.json()["sub"], super::id(&tokens)["sub"]);
        assert_eq!(answer.member("email"), "alice@example.com");
    }
}
