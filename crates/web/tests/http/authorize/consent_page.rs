//! What the consent page says.

use grantor_testkit::server::{Answer, TestServer};
use grantor_testkit::{AuthorizationRequest, SPA};

/// The scopes that are marked as new.
fn marked(page: &Answer) -> Vec<&str> {
    let lines = page.body.split("<li>").skip(1);
    let new = lines.filter(|line| line.contains(">New</span>"));
    new.filter_map(|line| line.split(['>', '<']).nth(2))
        .collect()
}

#[tokio::test]
async fn what_was_not_agreed_to_before_is_marked_as_new() {
    let server = TestServer::new().await;
    let mut alice = server.signed_in("alice").await;
    let request = |scope| AuthorizationRequest::new(SPA).with("scope", scope);
    let page = alice.get(&request("openid profile").path()).await;
    assert!(!page.body.contains("asked-again"), "the first time");
    assert!(marked(&page).is_empty(), "all is new, so nothing is marked");
    alice.authorize(&request("openid profile")).await.code();

    let more = "openid profile email orders.example.com/read";
    let page = alice.get(&request(more).path()).await;
    assert!(page.body.contains("Now it’s asking for more."));
    assert_eq!(marked(&page), ["See your email address", "Read orders"]);

    // The same once more: nothing is new.
    let again = request("openid profile").with("prompt", "consent");
    let page = alice.get(&again.path()).await;
    assert!(page.body.contains("You’ve allowed this app before.</p>"));
    assert!(marked(&page).is_empty());
    // Another user agreed to nothing.
    let mut bob = server.signed_in("bob").await;
    let page = bob.get(&request(more).path()).await;
    assert!(!page.body.contains("asked-again") && marked(&page).is_empty());
}
