//! The trace id: always ours, in each answer, and with each event.

use std::collections::HashSet;

use grantor_core::model::client::DeviceApproval;
use grantor_core::model::realm::Realm;
use grantor_testkit::client;
use grantor_testkit::server::{DEVICE_AUTHORIZATION, Form, TOKEN, TestServer, With as _, post};

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn the_trace_id_is_ours_in_body_header_and_event_whatever_the_caller_sends() {
    let server = TestServer::new().await;
    let traceparent = format!("00-{ID}-00f067aa0ba902b7-01");
    let refused = server
        .send(post(TOKEN, &[]).with("traceparent", &traceparent))
        .await;
    let id = refused.header("x-request-id").to_owned();
    assert_eq!(refused.member("trace_id"), id.as_str());
    assert_ne!(id, ID);
    let events = server.take_events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, id);
    let begun = post(DEVICE_AUTHORIZATION, &[("client_id", "tv")]);
    let begun = server.send(begun.with("traceparent", &traceparent)).await;
    let events = server.take_events();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].0, begun.header("x-request-id"));
    assert_ne!(events[0].0, ID);
}

#[tokio::test]
async fn every_answer_has_its_own_trace_id() {
    let server = TestServer::new().await;
    let mut ids = HashSet::new();
    for path in [
        "/",
        "/login",
        "/healthz",
        "/.well-known/jwks.json",
        "/no/such/page",
        "/oauth2/token",
    ] {
        let answer = server.get(path).await;
        let id = answer.header("x-request-id").to_owned();
        assert!(
            id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()),
            "{path}: {id:?}"
        );
        assert!(ids.insert(id), "{path} has an id of its own");
    }
}

#[tokio::test]
async fn a_page_that_refuses_shows_the_trace_id_of_its_answer() {
    let retype = |realm: &mut Realm| {
        client(realm, "tv").device.approval = DeviceApproval::Retype;
    };
    let server = TestServer::with(retype).await;
    let wrong_password = server.browser().sign_in("alice", "wrong").await;
    let mut alice = server.signed_in("alice").await;
    let wrong_code = alice.type_code("BCDF-GHJK").await;
    let bad_logout = alice.get("/oauth2/logout?client_id=nobody").await;
    let tv = server.post(DEVICE_AUTHORIZATION, &[("client_id", "tv")]);
    let question = alice.type_code(&tv.await.member("user_code")).await;
    let unseen = Form::of(&question, "/device/decision").fill("decision", "approve");
    let not_retyped = alice.submit(unseen).await;
    for refused in [wrong_password, wrong_code, bad_logout, not_retyped] {
        assert_eq!(refused.status, 400, "{refused:?}");
        let id = format!("id=\"trace-id\">{}<", refused.header("x-request-id"));
        assert!(refused.body.contains(&id), "{refused:?}");
    }
}

#[tokio::test]
async fn a_malformed_traceparent_is_not_repeated() {
    let server = TestServer::new().await;
    for bad in [
        "x",
        "00-<script>-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        let answer = server.send(post(TOKEN, &[]).with("traceparent", bad)).await;
        assert_ne!(answer.header("x-request-id"), ID);
        answer.error();
    }
}
