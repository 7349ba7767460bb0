//! Revocation on the wire (RFC 7009).

use crate::house::House;
use crate::wire::{Answer, REVOKE, With, orders, post, refused};

async fn revoke(house: &House, client: &str, more: &[(&str, &str)]) -> Answer {
    house
        .post(REVOKE, &[&[("client_id", client)], more].concat())
        .await
}

/// RFC 7009 section 2.2: 200, with nothing to read.
fn assert_done(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, ""),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn rfc7009_2_a_refresh_token_is_revoked_and_every_token_of_its_grant() {
    let house = House::new().await;
    let tokens = house.device_tokens("openid").await;
    let (access, refresh) = (
        tokens.member("access_token"),
        tokens.member("refresh_token"),
    );
    assert_done(&revoke(&house, "tv", &[("token", &refresh)]).await);
    assert_eq!(
        house.refresh(&refresh).await.error(),
        refused(400, "invalid_grant")
    );
    assert_eq!(
        house.userinfo(&access).await.error(),
        refused(401, "invalid_token")
    );
}

#[tokio::test]
async fn rfc7009_2_an_access_token_is_revoked_at_once_and_its_grant_lives() {
    let house = House::new().await;
    let tokens = house.device_tokens("openid").await;
    let (access, refresh) = (
        tokens.member("access_token"),
        tokens.member("refresh_token"),
    );
    assert_done(&revoke(&house, "tv", &[("token", &access)]).await);
    assert_eq!(
        house.userinfo(&access).await.error(),
        refused(401, "invalid_token")
    );
    assert_eq!(house.refresh(&refresh).await.status, 200);
}

#[tokio::test]
async fn rfc7009_2_2_an_unknown_token_is_no_error() {
    let house = House::new().await;
    for token in ["x", "grantor_rt_AAAA", "a.b.c"] {
        assert_done(&revoke(&house, "tv", &[("token", token)]).await);
    }
}

#[tokio::test]
async fn rfc7009_2_1_a_hint_that_is_wrong_or_unknown_changes_nothing() {
    let house = House::new().await;
    for (name, hint) in [
        ("access_token", "refresh_token"),
        ("refresh_token", "access_token"),
        ("access_token", "no_such_type"),
    ] {
        let tokens = house.device_tokens("openid").await;
        let token = tokens.member(name);
        assert_done(
            &revoke(
                &house,
                "tv",
                &[("token", &token), ("token_type_hint", hint)],
            )
            .await,
        );
        let access = tokens.member("access_token");
        assert_eq!(
            house.userinfo(&access).await.status,
            401,
            "{name} as {hint}"
        );
    }
}

#[tokio::test]
async fn rfc7009_2_1_the_token_of_another_client_is_refused_and_lives() {
    let house = House::new().await;
    let tokens = house.device_tokens("openid").await;
    for name in ["access_token", "refresh_token"] {
        let answer = revoke(&house, "tv2", &[("token", &tokens.member(name))]).await;
        assert_eq!(answer.error(), refused(400, "invalid_grant"));
    }
    assert_eq!(
        house.userinfo(&tokens.member("access_token")).await.status,
        200
    );
    assert_eq!(
        house.refresh(&tokens.member("refresh_token")).await.status,
        200
    );
}

#[tokio::test]
async fn rfc7009_2_1_a_confidential_client_proves_itself() {
    let house = House::new().await;
    let token = house.machine(&[]).await.member("access_token");
    let answer = revoke(&house, "orders", &[("token", &token)]).await;
    assert_eq!(answer.error(), refused(401, "invalid_client"));
    assert_eq!(house.introspect(&token).await.json()["active"], true);
    let request = post(REVOKE, &[("token", &token)]).with("authorization", &orders());
    assert_done(&house.send(request).await);
    assert_eq!(house.introspect(&token).await.json()["active"], false);
}

#[tokio::test]
async fn rfc7009_2_1_a_token_is_needed() {
    let house = House::new().await;
    assert_eq!(
        revoke(&house, "tv", &[]).await.error(),
        refused(400, "invalid_request")
    );
}
