//! Refusals as events: each explains the trace id of its answer, and none holds what was sent.

use grantor_core::base::check::Check;
use grantor_core::base::error::Cause;
use grantor_core::engine::event::{Event, EventKind, EventOutcome};
use grantor_testkit::server::{
    Answer, DEVICE_AUTHORIZATION, INTROSPECT, REVOKE, TOKEN, TestServer, With as _, post,
};

/// The one event since the last, which must be that of this answer.
fn event_of(server: &TestServer, answer: &Answer) -> Event {
    let mut events = server.take_whole_events();
    assert_eq!(events.len(), 1, "{events:?} {answer:?}");
    let (trace, event) = events.remove(0);
    assert_eq!(trace, answer.header("x-request-id"));
    event
}

#[tokio::test]
async fn each_refusal_is_an_event_with_its_check_and_private_cause() {
    let server = TestServer::new().await;
    let orders = ("client_id", "orders");
    let machine = ("grant_type", "client_credentials");
    let refresh = ("grant_type", "refresh_token");
    let cases = [
        (
            TOKEN,
            "token",
            vec![("client_id", "tv")],
            Check::Request,
            None,
            "invalid_request",
        ),
        (
            TOKEN,
            "token",
            vec![machine],
            Check::ClientAuthentication,
            Some(Cause::CredentialsMissing),
            "invalid_client",
        ),
        (
            TOKEN,
            "token",
            vec![machine, ("client_id", "nobody")],
            Check::ClientAuthentication,
            Some(Cause::UnknownClient),
            "invalid_client",
        ),
        (
            TOKEN,
            "token",
            vec![machine, orders, ("client_secret", "wrong")],
            Check::ClientAuthentication,
            Some(Cause::WrongSecret),
            "invalid_client",
        ),
        (
            TOKEN,
            "token",
            vec![refresh, ("client_id", "tv"), ("refresh_token", "x")],
            Check::Token,
            Some(Cause::ForgedOrForeignToken),
            "invalid_grant",
        ),
        (
            DEVICE_AUTHORIZATION,
            "device_authorization",
            vec![("client_id", "tv"), ("scope", "a\"b")],
            Check::Scope,
            None,
            "invalid_scope",
        ),
        (
            INTROSPECT,
            "introspect",
            vec![("token", "x"), ("client_id", "tv")],
            Check::ClientAuthentication,
            Some(Cause::SecretMissing),
            "invalid_client",
        ),
        (
            REVOKE,
            "revoke",
            vec![("client_id", "tv")],
            Check::Request,
            None,
            "invalid_request",
        ),
    ];
    for (path, endpoint, form, check, reason, error) in cases {
        let answer = server.post(path, &form).await;
        assert_eq!(answer.error().1, error, "{form:?}");
        let event = event_of(&server, &answer);
        assert_eq!(event.kind, EventKind::Refused, "{form:?}");
        assert_eq!(
            (event.check, event.reason),
            (Some(check), reason),
            "{form:?}"
        );
        assert!(event.peer.is_some(), "folded by network");
        let request = event.request.expect("what was asked");
        assert_eq!((request.endpoint, request.error), (endpoint, error));
        let description = answer.member("error_description");
        assert_eq!(*request.description, *description);
    }
}

#[tokio::test]
async fn pages_that_refuse_are_events_too() {
    let server = TestServer::new().await;
    let mut browser = server.browser();
    for (path, check, reason) in [
        (
            "/oauth2/authorize?client_id=nobody",
            Check::ClientAuthentication,
            Some(Cause::UnknownClient),
        ),
        ("/oauth2/authorize?client_id=%ff", Check::Request, None),
        (
            "/oauth2/logout?client_id=nobody",
            Check::ClientAuthentication,
            Some(Cause::UnknownClient),
        ),
    ] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 400, "{path}");
        let event = event_of(&server, &page);
        assert_eq!((event.kind, event.check), (EventKind::Refused, Some(check)));
        assert_eq!(event.reason, reason, "{path}");
    }
    // Paths that are not ours say nothing about anyone.
    browser.get("/wp-login.php").await;
    assert_eq!(server.take_whole_events(), []);
}

/// Whatever field it is in.
#[tokio::test]
async fn no_event_of_a_refusal_holds_a_secret_a_code_or_a_token() {
    const SECRET: &str = "grantor_rt_of-a-user-in-the-wrong-field";
    let server = TestServer::new().await;
    for name in [
        "client_id",
        "client_secret",
        "code",
        "refresh_token",
        "device_code",
        "token",
        "grant_type",
        "redirect_uri",
        "code_verifier",
        "client_assertion",
        "username",
        "password",
    ] {
        for path in [TOKEN, DEVICE_AUTHORIZATION, INTROSPECT, REVOKE] {
            for grant in ["authorization_code", "refresh_token", "password"] {
                let mut form = vec![("grant_type", grant), ("client_id", "tv")];
                form.retain(|(known, _)| *known != name);
                form.push((name, SECRET));
                server.post(path, &form).await;
                let header = format!("Bearer {SECRET}");
                server
                    .send(post(path, &form).with("authorization", &header))
                    .await;
            }
        }
        for path in ["/oauth2/authorize", "/oauth2/logout", "/login"] {
            server.get(&format!("{path}?{name}={SECRET}")).await;
        }
    }
    let events = server.take_whole_events();
    assert!(events.len() > 100, "{}", events.len());
    for (_, event) in events {
        let text = serde_json::to_string(&event).expect("JSON");
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn polls_that_wait_are_no_events() {
    let server = TestServer::new().await;
    let codes = server.device_codes("tv").await;
    server.take_whole_events();
    for expected in ["authorization_pending", "slow_down"] {
        assert_eq!(server.poll(&codes).await.error().1, expected);
    }
    assert_eq!(server.take_whole_events(), []);
}

#[tokio::test]
async fn a_decision_that_says_itself_why_it_refused_is_one_event() {
    let server = TestServer::new().await;
    let tokens = server
        .device_tokens_with("tv", "alice", &[("scope", "openid offline_access")])
        .await;
    let first = tokens.member("refresh_token");
    let second = server.refresh("tv", &first).await.member("refresh_token");
    server.refresh("tv", &second).await;
    server.take_whole_events();
    let reused = server.refresh("tv", &first).await;
    assert_eq!(reused.error().1, "invalid_grant");
    let event = event_of(&server, &reused);
    assert_eq!(event.kind, EventKind::RefreshReusedGrantRevoked);
    assert_eq!(event.check, Some(Check::RefreshToken));
    // The grant is gone, and says so from then on.
    let again = server.refresh("tv", &first).await;
    let event = event_of(&server, &again);
    assert_eq!(
        (event.kind, event.reason),
        (EventKind::Refused, Some(Cause::NoSuchGrant))
    );
}

#[tokio::test]
async fn a_request_that_fails_is_an_event_with_the_reason() {
    let server = TestServer::new().await;
    let tokens = server
        .device_tokens_with("tv", "alice", &[("scope", "openid offline_access")])
        .await;
    server.take_whole_events();
    server.store.set_down(true);
    let away = server.refresh("tv", &tokens.member("refresh_token")).await;
    assert_eq!(away.status, 503);
    let event = event_of(&server, &away);
    assert_eq!(event.kind.outcome(), EventOutcome::Failed);
    assert_eq!(
        (event.kind, event.check),
        (EventKind::RequestFailed, Some(Check::Server))
    );
    let request = event.request.expect("what was asked");
    assert_eq!(
        (request.endpoint, request.error),
        ("token", "temporarily_unavailable")
    );
    assert!(request.description.contains("fault"), "{request:?}");
}
