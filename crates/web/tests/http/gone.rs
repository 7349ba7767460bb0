//! A client that goes away: what it began is carried to its end, with its events.

use std::time::Duration;

use grantor_core::base::peer::Peer;
use grantor_core::base::secret::Secret;
use grantor_core::engine::event::EventKind;
use grantor_core::people::SignIn;

use crate::house::{House, PASSWORD};

/// What the handler of a request that is sent by a browser and cut off does: it is polled, and dropped.
async fn begin_and_leave(house: &House, password: &str) {
    let address = "192.0.2.9".parse().expect("an address");
    let sign_in = SignIn {
        username: "alice".to_owned(),
        password: Secret::new(password),
        previous: None,
        known_browser: None,
        peer: Peer::new(address, "a browser"),
    };
    let mut request = Box::pin(house.app.run(sign_in));
    assert!(
        futures_util::poll!(&mut request).is_pending(),
        "a password takes its time"
    );
}

async fn event(house: &House) -> EventKind {
    let told = async {
        loop {
            if let Some((_, kind)) = house.world.take_events().pop() {
                return kind;
            }
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(60), told).await;
    told.expect("the event comes, though nobody waits for the answer")
}

#[tokio::test]
async fn a_wrong_password_is_told_to_the_operator_though_its_sender_left() {
    let house = House::new().await;
    begin_and_leave(&house, "wrong").await;
    assert_eq!(event(&house).await, EventKind::SignInFailed);
}

#[tokio::test]
async fn right_passwords_of_browsers_that_left_lock_nobody_out() {
    let house = House::new().await;
    // Ten wrong ones would be the limit.
    for _ in 0..12 {
        begin_and_leave(&house, PASSWORD).await;
        assert_eq!(event(&house).await, EventKind::SignedIn);
    }
}
