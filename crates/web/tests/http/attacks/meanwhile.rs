//! What was true when a request came and is not when it goes on: users, clients and sessions that end in between.

use grantor_core::people::SetEnabled;

use crate::apps::{Ask, PORTAL, SHOP};
use crate::browser::Browser;
use crate::house::{House, client};
use crate::wire::refused;

/// The house, with a user of its own whom the operator can disable.
async fn disable(house: &House, username: &str) {
    let username = username.to_owned();
    let set = SetEnabled {
        username,
        enabled: false,
    };
    let outcome = house.app.run(set).await.expect("the store is there");
    outcome.reply.expect("no protocol");
}

/// alice belongs to the configuration, which commands do not change; dora was added by one.
async fn with_dora() -> House {
    let house = House::new().await;
    let hash = house
        .app
        .hash_password(grantor_core::base::secret::Secret::new(
            crate::house::PASSWORD,
        ))
        .await;
    let dora = grantor_core::people::AddUser {
        username: "dora".to_owned(),
        password: hash.expect("a worker is free"),
        email: None,
    };
    house
        .app
        .run(dora)
        .await
        .expect("the store is there")
        .reply
        .expect("no protocol");
    house
}

#[tokio::test]
async fn a_disabled_user_agrees_to_nothing_and_codes_and_tokens_are_worth_nothing() {
    let house = with_dora().await;
    let (mut dora, form) = super::asked(&house, "dora", &SHOP).await;
    let waiting = dora.authorize(&Ask::of(&PORTAL)).await.code();
    let redeemed = dora
        .authorize(&Ask::of(&PORTAL).with("scope", "openid offline_access"))
        .await
        .code();
    let tokens = house.redeem(&PORTAL, &redeemed).await;
    disable(&house, "dora").await;

    let answer = dora.submit(form).await;
    assert!(
        answer.header("location").starts_with("/login?"),
        "{answer:?}"
    );
    let silent = dora
        .authorize(&Ask::of(&PORTAL).with("prompt", "none"))
        .await;
    assert_eq!(silent.error(), "login_required");
    assert_eq!(
        house.redeem(&PORTAL, &waiting).await.error(),
        refused(400, "invalid_grant")
    );
    let userinfo = house.userinfo(&tokens.member("access_token")).await;
    assert_eq!(userinfo.error(), refused(401, "invalid_token"));
    let refreshed = house
        .refresh_of(&PORTAL, &tokens.member("refresh_token"), &[])
        .await;
    assert_eq!(refreshed.error(), refused(400, "invalid_grant"));
}

#[tokio::test]
async fn a_client_that_is_disabled_gets_nothing_for_its_codes_and_tokens() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let ask = Ask::of(&PORTAL).with("scope", "openid offline_access");
    let waiting = alice.authorize(&ask).await.code();
    let tokens = house
        .redeem(&PORTAL, &alice.authorize(&ask).await.code())
        .await;
    let later = house.restarted(|realm| client(realm, "portal").enabled = false);
    assert_eq!(
        later.redeem(&PORTAL, &waiting).await.error(),
        refused(401, "invalid_client")
    );
    let refresh = tokens.member("refresh_token");
    assert_eq!(
        later.refresh_of(&PORTAL, &refresh, &[]).await.error(),
        refused(401, "invalid_client")
    );
    let userinfo = later.userinfo(&tokens.member("access_token")).await;
    assert_eq!(userinfo.error(), refused(401, "invalid_token"));
    crate::authorize::assert_stays(&later.get(&ask.path()).await, 400);
}

#[tokio::test]
async fn a_client_that_lost_a_scope_or_grant_gets_no_more_of_it() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let ask = Ask::of(&PORTAL).with("scope", "openid email");
    let waiting = alice.authorize(&ask).await.code();
    let less =
        house.restarted(|realm| client(realm, "portal").scopes = crate::house::scope("openid"));
    let tokens = less.redeem(&PORTAL, &waiting).await;
    assert_eq!(tokens.member("scope"), "openid");
    let waiting = alice.authorize(&ask).await.code();
    let without = house.restarted(|realm| client(realm, "portal").grants.clear());
    assert_eq!(
        without.redeem(&PORTAL, &waiting).await.error(),
        refused(400, "unauthorized_client")
    );
}

/// A store that fails between two steps gives no half of anything.
#[tokio::test]
async fn a_code_whose_commit_failed_is_not_given() {
    let house = House::new().await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    house.store.inject(grantor_store::testing::Fault::Commit);
    let answer = alice.get(&Ask::of(&PORTAL).path()).await;
    crate::authorize::assert_stays(&answer, 503);
    assert_eq!(answer.header("retry-after"), "1");
    alice.authorize(&Ask::of(&PORTAL)).await.code();
}
