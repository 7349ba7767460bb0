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

/// A consent form that does not count: the request begins again.
fn assert_unanswered(answer: &Answer) {
    crate::assert_begins_again(answer, "/oauth2/authorize");
}

/// A signed-in browser and the consent form that it shows.
async fn consent_form<'h>(server: &'h TestServer, user: &str, app: &str) -> (Browser<'h>, Form) {
    let mut browser = server.signed_in(user).await;
    let form = browser.consent_form(&AuthorizationRequest::new(app)).await;
    (browser, form.fill("decision", "approve"))
}
