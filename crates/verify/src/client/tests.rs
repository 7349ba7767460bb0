use serde_json::{Value, json};

use super::*;
use crate::testing::{Answer, Site, http};

async fn site(answer: Value) -> (Site, TokenClient) {
    let site = Site::new().await;
    site.publish(&[]);
    site.set("/token", Answer::Json(answer));
    let credentials = ClientCredentials::new("orders", "s3cret");
    let client = TokenClient::new(http(), site.url.parse().unwrap(), credentials);
    (site, client)
}

#[tokio::test]
async fn rfc8693_2_1_a_token_is_exchanged() {
    let (site, client) = site(json!({
        "access_token": "new", "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer",
        "expires_in": 60, "scope": "ship",
    }))
    .await;
    let wanted = Wanted::audience("shipping").scope("ship").scope("track");
    let given = client
        .exchange(&BearerToken::new("old"), &wanted)
        .await
        .unwrap();
    assert_eq!(given.access_token.reveal(), "new");
    assert_eq!(
        (given.expires_in, given.scope),
        (Some(60), Some("ship".into()))
    );
    let body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
                &subject_token=old\
                &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
                &audience=shipping&scope=ship+track";
    assert_eq!(site.bodies("/token"), [body]);
}

#[tokio::test]
async fn rfc6749_4_4_a_token_in_the_clients_own_name() {
    let (site, client) = site(json!({ "access_token": "new", "token_type": "bearer" })).await;
    let wanted = Wanted::resource("https://shipping.example.com");
    let given = client.client_credentials(&wanted).await.unwrap();
    assert_eq!(given.access_token.reveal(), "new");
    assert_eq!((given.expires_in, given.scope), (None, None));
    let body = "grant_type=client_credentials&resource=https%3A%2F%2Fshipping.example.com";
    assert_eq!(site.bodies("/token"), [body]);
}

#[tokio::test]
async fn what_is_no_bearer_token_is_not_taken_for_one() {
    let (_site, client) = site(json!({ "access_token": "new", "token_type": "N_A" })).await;
    let error = client
        .client_credentials(&Wanted::default())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "the issuer gave a token of type `N_A`");
}

#[tokio::test]
async fn rfc6749_5_2_a_refusal_is_told() {
    let (site, client) = site(Value::Null).await;
    let wanted = Wanted::default();
    let error = async || {
        client
            .client_credentials(&wanted)
            .await
            .unwrap_err()
            .to_string()
    };
    let body = json!({ "error": "invalid_target", "error_description": "No." });
    site.set("/token", Answer::Refused(400, body));
    assert_eq!(error().await, "the issuer refuses: invalid_target: No.");
    site.set(
        "/token",
        Answer::Refused(401, json!({ "error": "invalid_client" })),
    );
    assert_eq!(error().await, "the issuer refuses: invalid_client");
    site.set("/token", Answer::Status(400));
    assert!(error().await.ends_with("answered 400"));
    site.set(
        "/token",
        Answer::Refused(500, json!({ "error": "server_error" })),
    );
    assert!(error().await.ends_with("answered 500"));
}
