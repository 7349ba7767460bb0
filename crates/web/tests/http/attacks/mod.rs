//! Attacks on signing in to apps, as RFC 9700 section 4 tells them, each tried on the HTTP face. What is not of this flow
//! (devices, machines, logout) stands with it.

use crate::apps::{Ask, WebApp};
use crate::browser::{Browser, Form};
use crate::house::House;
use crate::wire::Answer;

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

/// Signed in, and asked to agree: the browser and the form.
async fn asked<'h>(house: &'h House, user: &str, app: &WebApp) -> (Browser<'h>, Form) {
    let mut browser = Browser::signed_in(house, user).await;
    let form = browser.asked(&Ask::of(app)).await;
    (browser, form.fill("decision", "approve"))
}
