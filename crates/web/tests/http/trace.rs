//! The trace id: always ours, in each answer, and with each event.

use std::collections::HashSet;

use grantor_testkit::server::{DEVICE_AUTHORIZATION, TOKEN, TestServer, With as _, post};

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
