//! Assertions as grants and as a client's credentials (RFC 7521 section 4) are not built, and are refused by their name.

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
            ("client_assertion_type", kind.as_str()),
            ("client_assertion", JWT),
            ("grant_type", "refresh_token"),
            ("refresh_token", "x"),
            ("token", "x"),
        ];
        for endpoint in FORMS {
            for id in [None, Some("tv"), Some("console"), Some("nobody")] {
                let id = id.map(|id| ("client_id", id));
                let pairs = [&assertion, id.as_slice()].concat();
                let answer = server.post(endpoint, &pairs).await;
                assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
                let description = answer.member("error_description");
                assert!(description.contains("client_assertion"), "{description}");
            }
            // RFC 6749 section 5.2, `invalid_request`: "utilizes more than one mechanism for authenticating the client".
            let both =
                post(endpoint, &assertion).with("authorization", &authorization_of("console"));
            let answer = server.send(both).await;
            assert_eq!(
                answer.error(),
                refused(400, "invalid_request"),
                "{endpoint}"
            );
        }
    }
    let metadata = server.get("/.well-known/oauth-authorization-server").await;
    assert!(!metadata.body.contains("_jwt") && !metadata.body.contains("-bearer"));
}
