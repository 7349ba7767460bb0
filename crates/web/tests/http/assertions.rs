//! Assertions as grants and as a client's credentials (RFC 7521 section 4) are not built: they count for nothing.

use grantor_testkit::server::{
    FORMS, TOKEN, TestServer, With as _, authorization_of, post, refused,
};

const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2ln";

#[tokio::test]
async fn rfc7521_4_1_assertions_are_not_accepted_as_grants() {
    let server = TestServer::new().await;
    for profile in ["saml2-bearer", "jwt-bearer"] {
        let grant = format!("urn:ietf:params:oauth:grant-type:{profile}");
        let pairs = [("grant_type", grant.as_str()), ("assertion", JWT)];
        let request = post(TOKEN, &pairs).with("authorization", &authorization_of("orders"));
        let answer = server.send(request).await;
        assert_eq!(answer.error(), refused(400, "unsupported_grant_type"));
    }
}

#[tokio::test]
async fn rfc7521_4_2_assertions_are_not_accepted_for_client_authentication() {
    let server = TestServer::new().await;
    for profile in ["saml2-bearer", "jwt-bearer"] {
        let kind = format!("urn:ietf:params:oauth:client-assertion-type:{profile}");
        let assertion = [
            ("client_id", "console"),
            ("client_assertion_type", kind.as_str()),
            ("client_assertion", JWT),
            ("grant_type", "refresh_token"),
            ("refresh_token", "x"),
            ("token", "x"),
        ];
        for endpoint in FORMS {
            let answer = server.post(endpoint, &assertion).await;
            assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
        }
    }
    let metadata = server.get("/.well-known/oauth-authorization-server").await;
    assert!(!metadata.body.contains("_jwt") && !metadata.body.contains("-bearer"));
}
