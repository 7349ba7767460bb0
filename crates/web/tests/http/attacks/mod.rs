//! Attacks on signing in to apps, as RFC 9700 section 4 describes them, each tried over HTTP. What is not part of this flow
//! (devices, machines, logout) stands with it.

use grantor_testkit::AuthorizationRequest;
use grantor_testkit::server::{Answer, Browser, Form, TestServer};

mod accounts;
mod codes;
mod forms;
mod jwts;
mod meanwhile;
mod mix_up;
mod pages;
mod redirects;
mod sessions;

/// The page of a form that does not count.
fn assert_expired(page: &Answer) {
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.body.contains("Page expired"), "{page:?}");
    assert_eq!(page.header("location"), "");
}

/// A signed-in browser and the consent form that it shows.
async fn consent_form<'h>(server: &'h TestServer, user: &str, app: &str) -> (Browser<'h>, Form) {
    let mut browser = server.signed_in(user).await;
    let form = browser.consent_form(&AuthorizationRequest::new(app)).await;
    (browser, form.fill("decision", "approve"))
}
