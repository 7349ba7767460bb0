//! A store or signer that is away: 503, never an answer by the protocol, and the device goes on polling.

use std::sync::atomic::Ordering;

use grantor_store::testing::Fault;

use crate::browser::{Browser, Form};
use crate::house::House;
use crate::wire::{Answer, DEVICE_AUTHORIZATION, REVOKE, refused};

fn assert_away(answer: &Answer) {
    assert_eq!(answer.error(), refused(503, "temporarily_unavailable"));
    assert_eq!(answer.header("retry-after"), "1");
    assert!(
        !answer.body.contains("fault"),
        "the reason is for the log: {answer:?}"
    );
}

fn assert_page_away(page: &Answer) {
    assert_eq!((page.status, page.header("retry-after")), (503, "1"));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.body.contains("id=\"trace-id\""));
}

#[tokio::test]
async fn every_endpoint_that_needs_the_store_says_that_it_is_away() {
    let house = House::new().await;
    let codes = house.device("openid").await;
    let tokens = house.device_tokens("openid orders.example.com/read").await;
    let (access, refresh) = (
        tokens.member("access_token"),
        tokens.member("refresh_token"),
    );
    house.store.set_down(true);
    assert_away(&house.poll(&codes).await);
    assert_away(&house.refresh(&refresh).await);
    assert_away(&house.userinfo(&access).await);
    assert_away(&house.introspect(&access).await);
    assert_away(
        &house
            .post(DEVICE_AUTHORIZATION, &[("client_id", "tv")])
            .await,
    );
    assert_away(
        &house
            .post(REVOKE, &[("client_id", "tv"), ("token", &refresh)])
            .await,
    );
    // What needs no row needs no store.
    assert_eq!(house.machine(&[]).await.status, 200);
    assert_eq!(house.get("/.well-known/jwks.json").await.status, 200);
    house.store.set_down(false);
    assert_eq!(
        house.poll(&codes).await.error(),
        refused(400, "slow_down"),
        "the second poll in no time"
    );
    assert_eq!(
        house.refresh(&refresh).await.status,
        200,
        "nothing was used up"
    );
}

#[tokio::test]
async fn an_approved_device_gets_its_tokens_after_a_failed_commit() {
    let house = House::new().await;
    let codes = house.device("openid").await;
    Browser::signed_in(&house, "alice")
        .await
        .approve(&codes.user)
        .await;
    house.store.inject(Fault::Commit);
    assert_away(&house.poll(&codes).await);
    assert_eq!(house.poll(&codes).await.status, 200);
}

#[tokio::test]
async fn a_signer_that_is_away_burns_no_code() {
    let house = House::new().await;
    let codes = house.device("openid").await;
    Browser::signed_in(&house, "alice")
        .await
        .approve(&codes.user)
        .await;
    house.world.signer_down.store(true, Ordering::Relaxed);
    assert_away(&house.poll(&codes).await);
    assert_away(&house.machine(&[]).await);
    house.world.signer_down.store(false, Ordering::Relaxed);
    assert_eq!(house.poll(&codes).await.status, 200);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_found_out() {
    for fault in [Fault::UnknownWritten, Fault::UnknownLost] {
        let house = House::new().await;
        let codes = house.device("openid").await;
        Browser::signed_in(&house, "alice")
            .await
            .approve(&codes.user)
            .await;
        house.store.inject(fault);
        assert_eq!(house.poll(&codes).await.status, 200, "{fault:?}");
    }
}

#[tokio::test]
async fn pages_say_it_in_words() {
    let house = House::new().await;
    let codes = house.device("openid").await;
    let mut alice = Browser::signed_in(&house, "alice").await;
    let asked = alice.type_code(&codes.user).await;
    let approve = Form::of(&asked, "/device/decision").fill("decision", "approve");
    let code = Form::of(&alice.get("/device").await, "/device").fill("user_code", &codes.user);
    let out = Form::of(&alice.get("/logout").await, "/logout");
    let mut nobody = Browser::new(&house);
    let login = Form::of(&nobody.get("/login").await, "/login");
    house.store.set_down(true);
    for path in ["/", "/device", "/logout"] {
        assert_page_away(&alice.get(path).await);
    }
    assert_page_away(&alice.submit(code).await);
    assert_page_away(&alice.submit(approve.clone()).await);
    assert_page_away(&alice.submit(out).await);
    assert_page_away(
        &nobody
            .submit(login.fill("username", "bob").fill("password", "x"))
            .await,
    );
    assert_eq!(nobody.get("/login").await.status, 200, "which needs no row");
    house.store.set_down(false);
    let done = alice.submit(approve).await;
    assert!(
        done.body.contains("id=\"done\""),
        "the same form still works: {done:?}"
    );
}

#[tokio::test]
async fn a_failing_store_costs_nobody_a_try() {
    let house = House::new().await;
    let mut alice = Browser::new(&house);
    house.store.set_down(true);
    for _ in 0..20 {
        assert_eq!(alice.sign_in("alice", "wrong").await.status, 503);
    }
    house.store.set_down(false);
    assert_eq!(
        alice.sign_in("alice", crate::house::PASSWORD).await.status,
        303
    );
}
