//! Mix-up (RFC 9700 section 4.4): a client of several servers learns from each answer which of them sent it
//! (RFC 9207).

use crate::authorize::{FAULTS, given};
use grantor_testkit::server::{TestServer, redirect_of};
use grantor_testkit::{AuthorizationRequest, ISSUER, PORTAL, SHOP, SPA};
#[tokio::test]
async fn rfc9207_2_every_answer_names_the_issuer_success_or_error_by_redirect_or_post() {
    let server = TestServer::new().await;
    for (app, mode) in [(SPA, "query"), (SHOP, "form_post")] {
        let request = AuthorizationRequest::new(app).with("response_mode", mode);
        let mut alice = server.browser();
        let denied = alice.authorize_with(&request, "alice", "deny").await;
        let agreed = alice.authorize(&request).await;
        for result in [&denied, &agreed] {
            assert_eq!(given(result, app)["iss"], ISSUER);
        }
        assert!(given(&agreed, app).contains_key("code"));
        for (name, value, _) in FAULTS {
            let result = server
                .browser()
                .authorize(&request.clone().with(name, value))
                .await;
            // An error in the response mode itself is returned by the default mode.
            assert_eq!(given(&result, app)["iss"], ISSUER, "{name}={value}");
        }
    }
}

/// RFC 9207 section 2.4: by simple string comparison, so it is the very text of the metadata and of the ID token.
#[tokio::test]
async fn rfc9207_2_4_the_issuer_is_the_same_string_everywhere() {
    for issuer in ["https://id.example.com", "https://id.example.com/realms/a"] {
        let server = TestServer::with(|realm| realm.issuer = issuer.to_owned()).await;
        let below = issuer.trim_start_matches("https://id.example.com");
        let metadata = server
            .get(&format!("{below}/.well-known/openid-configuration"))
            .await;
        assert!(
            metadata.body.contains(&format!("\"issuer\":\"{issuer}\"")),
            "{metadata:?}"
        );
        let mut anybody = server.browser();
        let request = AuthorizationRequest::new(PORTAL).with("prompt", "none");
        let answer = anybody.get(&format!("{below}{}", request.path())).await;
        assert_eq!(redirect_of(&answer).1["iss"], issuer);
    }
}
