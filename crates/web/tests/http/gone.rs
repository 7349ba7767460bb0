//! A client that disconnects: its request is completed, with its events.

use std::time::Duration;

use grantor_core::base::peer::Peer;
use grantor_core::base::secret::Secret;
use grantor_core::engine::event::EventKind;
use grantor_core::people::SignIn;

use grantor_testkit::server::TestServer;

/// What the handler of a request that is sent by a browser and cut off does: it is polled, and dropped.
async fn begin_and_leave(server: &TestServer, password: &str) {
    let address = "192.0.2.9".parse().expect("an address");
    let sign_in = SignIn {
        username: "alice".to_owned(),
        password: Secret::new(password),
        previous: None,
        stay: false,
        known_browser: None,
        peer: Peer::new(address, "a browser"),
    };
    let mut request = Box::pin(server.app.run(sign_in));
    assert!(
        futures_util::poll!(&mut request).is_pending(),
        "a password takes its time"
    );
}

async fn event(server: &TestServer) -> EventKind {
    let returned = async {
        loop {
            if let Some((_, kind)) = server.take_events().pop() {
                return kind;
            }
            tokio::task::yield_now().await;
        }
    };
    let returned = tokio::time::timeout(Duration::from_secs(60), returned).await;
    returned.expect("the event is recorded though the client left")
}

#[tokio::test]
async fn a_wrong_password_is_recorded_even_when_the_client_disconnects() {
    let server = TestServer::new().await;
    begin_and_leave(&server, "wrong").await;
    assert_eq!(event(&server).await, EventKind::SignInFailed);
}

#[tokio::test]
async fn correct_passwords_of_disconnected_browsers_lock_no_one_out() {
    let server = TestServer::new().await;
    // Ten wrong ones would be the limit.
    for _ in 0..12 {
        begin_and_leave(&server, "alice-password").await;
        assert_eq!(event(&server).await, EventKind::SignedIn);
    }
}
