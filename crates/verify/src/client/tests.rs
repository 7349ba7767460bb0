use serde_json::{Value, json};

use super::*;
use crate::report::Report;
use crate::testing::{Answer, MockIssuer, http};

async fn issuer(answer: Value) -> (MockIssuer, TokenClient) {
    let issuer = MockIssuer::new().await;
    issuer.publish(&[]);
    issuer.set("/token", Answer::Json(answer));
    let credentials = ClientCredentials::new("orders", "s3cret");
    let client = TokenClient::new(http(), issuer.url.parse().unwrap(), credentials);
    (issuer, client)
}

#[tokio::test]
async fn rfc8693_2_1_a_token_is_exchanged() {
    let (issuer, client) = issuer(json!({
        "access_token": "new", "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer",
        "expires_in": 60, "scope": "ship",
    }))
    .await;
    let request = TokenRequest::audience("shipping")
        .scope("ship")
        .scope("track");
    let issued = client
        .exchange(&BearerToken::new("old"), &request)
        .await
        .unwrap();
    assert_eq!(issued.access_token.reveal(), "new");
    assert_eq!(
        (issued.expires_in, issued.scope),
        (Some(60), Some("ship".into()))
    );
    let body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
                &subject_token=old\
                &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
                &audience=shipping&scope=ship+track";
    assert_eq!(issuer.bodies("/token"), [body]);
}

#[tokio::test]
async fn rfc6749_4_4_a_client_requests_a_token_for_itself() {
    let (issuer, client) = issuer(json!({ "access_token": "new", "token_type": "bearer" })).await;
    let request = TokenRequest::resource("https://shipping.example.com");
    let issued = client.client_credentials(&request).await.unwrap();
    assert_eq!(issued.access_token.reveal(), "new");
    assert_eq!((issued.expires_in, issued.scope), (None, None));
    let body = "grant_type=client_credentials&resource=https%3A%2F%2Fshipping.example.com";
    assert_eq!(issuer.bodies("/token"), [body]);
}

#[tokio::test]
async fn another_token_type_is_not_accepted_as_a_bearer_token() {
    let (_issuer, client) = issuer(json!({ "access_token": "new", "token_type": "N_A" })).await;
    let error = client
        .client_credentials(&TokenRequest::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the issuer issued a token of type `N_A`");
}

#[tokio::test]
async fn rfc6749_5_2_a_refusal_is_returned_with_its_code() {
    let (issuer, client) = issuer(Value::Null).await;
    let request = TokenRequest::default();
    let error = async || {
        let error = client.client_credentials(&request).await.unwrap_err();
        Report(&error).to_string()
    };
    let body = json!({ "error": "invalid_target", "error_description": "No." });
    issuer.set("/token", Answer::Refused(400, body));
    assert_eq!(
        error().await,
        "the issuer refused the token request: invalid_target: No."
    );
    issuer.set(
        "/token",
        Answer::Refused(401, json!({ "error": "invalid_client" })),
    );
    assert_eq!(
        error().await,
        "the issuer refused the token request: invalid_client"
    );
    issuer.set("/token", Answer::Status(400));
    assert!(error().await.ends_with("answered with status 400"));
    issuer.set(
        "/token",
        Answer::Refused(500, json!({ "error": "server_error" })),
    );
    assert!(error().await.ends_with("answered with status 500"));
}
