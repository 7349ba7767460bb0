//! Resource indicators (RFC 8707) at the authorization endpoint, the token endpoint and in a refresh.

use grantor_core::model::claim_mapping::ClaimMapping;
use grantor_core::model::group_filter::GroupFilter;
use grantor_core::model::resource::{Resource, TokenForm};
use grantor_core::model::resource_uri::NormalUri;
use grantor_jose::Algorithm;

use grantor_testkit::server::{Answer, TestServer, claims, refused};
use grantor_testkit::{AuthorizationRequest, PORTAL, client, declared, scope};

const ORDERS: &str = "https://orders.example.com";
const STOCK: &str = "https://stock.example.com";
const BOTH: &str = "openid offline_access orders.example.com/read stock.example.com/look";

/// A server with a second API.
async fn server() -> TestServer {
    TestServer::with(|realm| {
        realm.resources.push(Resource {
            identifier: "stock.example.com".to_owned(),
            uri: Some(STOCK.to_owned()),
            normal: NormalUri::parse(STOCK),
            scopes: [("look".to_owned(), declared("See what there is"))].into(),
            token: TokenForm::Jwt(Algorithm::Es256),
            lifetime: None,
            groups: GroupFilter::All,
            claims: ClaimMapping::default(),
        });
        client(realm, "portal").scopes = scope(BOTH);
    })
    .await
}

fn audience(tokens: &Answer) -> String {
    let claims = claims(&tokens.member("access_token"));
    claims["aud"].as_str().expect("one resource").to_owned()
}

#[tokio::test]
async fn rfc8707_2_2_of_the_resources_that_were_asked_for_a_token_is_for_one() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let request = AuthorizationRequest::new(PORTAL)
        .with("scope", BOTH)
        .and("resource", ORDERS)
        .and("resource", STOCK);
    let code = alice.authorize(&request).await.code();
    let undecided = server.redeem(PORTAL, &code).await;
    assert_eq!(
        undecided.error(),
        refused(400, "invalid_target"),
        "it says not which of the two"
    );
    let elsewhere = server
        .redeem_with(PORTAL, &code, &[("resource", "https://evil.example.com")])
        .await;
    assert_eq!(elsewhere.error(), refused(400, "invalid_target"));
    // Neither used it up.
    let first = server
        .redeem_with(PORTAL, &code, &[("resource", ORDERS)])
        .await;
    assert_eq!(audience(&first), ORDERS);
    assert!(!first.member("scope").contains("stock"), "{first:?}");
    let second = server
        .refresh_with(
            PORTAL,
            &first.member("refresh_token"),
            &[("resource", STOCK)],
        )
        .await;
    assert_eq!(audience(&second), STOCK);
    assert!(!second.member("scope").contains("orders"), "{second:?}");
}

#[tokio::test]
async fn rfc8707_2_2_no_token_is_for_a_resource_that_was_not_asked_for_first() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    let request = AuthorizationRequest::new(PORTAL)
        .with("scope", BOTH)
        .and("resource", ORDERS);
    let code = alice.authorize(&request).await.code();
    let other = server
        .redeem_with(PORTAL, &code, &[("resource", STOCK)])
        .await;
    assert_eq!(other.error(), refused(400, "invalid_target"));
    let tokens = server.redeem(PORTAL, &code).await;
    assert_eq!(audience(&tokens), ORDERS, "the one that was asked for");
    let widened = server
        .refresh_with(
            PORTAL,
            &tokens.member("refresh_token"),
            &[("resource", STOCK)],
        )
        .await;
    assert_eq!(widened.error(), refused(400, "invalid_target"));
}

#[tokio::test]
async fn rfc8707_2_a_resource_that_is_unknown_or_no_uri_is_an_invalid_target() {
    let server = server().await;
    let mut alice = server.signed_in("alice").await;
    for wrong in [
        "https://unknown.example.com",
        "orders",
        "https://orders.example.com#x",
        "https://orders.example.com/",
    ] {
        let result = alice
            .authorize(&AuthorizationRequest::new(PORTAL).with("resource", wrong))
            .await;
        assert_eq!(result.error(), "invalid_target", "{wrong}");
    }
}
