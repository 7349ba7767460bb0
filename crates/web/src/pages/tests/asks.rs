//! What the pages say on which something is decided, and in which order.

use super::{ENGLISH, between, without};
use crate::pages::{AccountPage, Consent, DeviceConfirm};
use crate::render::{Page, Pages};

/// A line that stands by the buttons is read; one below them is not.
#[test]
fn whose_account_it_is_stands_right_above_the_buttons() {
    let pages = Pages::new(None).unwrap();
    let consent = Consent::samples().into_iter();
    let consent = consent.map(|page| pages.render(&page, ENGLISH).unwrap());
    let device = DeviceConfirm::samples().into_iter();
    let device = device.map(|page| pages.render(&page, ENGLISH).unwrap());
    for html in consent.chain(device) {
        let above = between(&html, "id=\"whose\"", "<div class=\"decision\">");
        assert!(above.contains("alice@example.com"), "{above}");
        assert_eq!(above.matches("<p").count(), 0, "nothing between: {above}");
        assert_eq!(
            html.matches("alice@example.com").count(),
            1,
            "and nowhere else: {html}"
        );
    }
}

/// It says something to the app's developers alone, and may be chosen by whoever registered the app.
#[test]
fn the_client_id_of_who_asks_is_among_the_details() {
    let pages = Pages::new(None).unwrap();
    for page in Consent::samples() {
        let html = pages.render(&page, ENGLISH).unwrap();
        assert!(between(&html, "<details", "</details>").contains(&page.client_id));
        assert!(!without(&html, "<details", "</details>").contains("id=\"client-id\""));
    }
    for page in DeviceConfirm::samples() {
        let html = pages.render(&page, ENGLISH).unwrap();
        assert!(between(&html, "<details", "</details>").contains(&page.client_id));
        assert!(!without(&html, "<details", "</details>").contains("id=\"client-id\""));
    }
}

#[test]
fn only_what_is_new_is_marked_as_new() {
    let pages = Pages::new(None).unwrap();
    for page in Consent::samples() {
        let html = pages.render(&page, ENGLISH).unwrap();
        let marks = html.matches("<span class=\"badge new\">New</span>");
        let new = page.new_scopes.len() + usize::from(page.new_claims);
        assert_eq!(marks.count(), new, "{html}");
        assert_eq!(html.contains("id=\"asked-again\""), page.asked_again);
    }
}

/// One step more than a button, and no more than one: the button that does it is unfolded by another.
#[test]
fn signing_out_everywhere_is_asked_about_once() {
    let page = AccountPage::samples().remove(0);
    let html = Pages::new(None).unwrap().render(&page, ENGLISH).unwrap();
    assert_eq!(html.matches("value=\"everywhere\"").count(), 1);
    let asks = between(&html, "<details class=\"ask\">", "</details>");
    let (summary, question) = asks.split_once("</summary>").unwrap();
    assert!(summary.contains("Sign out everywhere") && !summary.contains("<button"));
    assert!(
        question.contains("/account&#x2f;everywhere") || question.contains("/account/everywhere")
    );
    assert!(question.contains("You’ll have to sign in again in every browser"));
    assert!(question.contains("Yes, sign out everywhere</button>"));
    assert!(!html.contains(" open"), "folded at first");
}

/// Relative times in words, and the exact one with its zone for a mouse (`title`) and for everyone (in the details).
#[test]
fn times_are_relative_and_the_exact_one_has_its_zone() {
    let pages = Pages::new(None).unwrap();
    let account = pages
        .render(&AccountPage::samples().remove(0), ENGLISH)
        .unwrap();
    let confirm = pages
        .render(&DeviceConfirm::samples().remove(0), ENGLISH)
        .unwrap();
    for (html, ago, exact) in [
        (&account, "Last seen", "2026-11-21 18:39 UTC"),
        (&account, "Allowed", "2026-10-18 01:19 UTC"),
        (&account, "Connected", "2026-11-15 23:45 UTC"),
        (&confirm, "Requested", "2026-11-21 18:39 UTC"),
    ] {
        let outside = without(html, "<details", "</details>");
        assert!(outside.contains(ago), "{outside}");
        assert!(outside.contains(&format!("title=\"{exact}\">")), "{exact}");
        let shown = without(&outside, "<", ">");
        assert!(!shown.contains("UTC"), "on demand only: {shown}");
        assert!(html.contains(&format!("\">{exact}</time>")), "{exact}");
    }
    for (html, ago) in [
        (&account, ">just now</time>"),
        (&account, ">34 days ago</time>"),
        (&confirm, ">2 minutes ago</time>"),
    ] {
        assert!(html.contains(ago), "{ago}");
    }
    for html in [&account, &confirm] {
        let times = html.split("<time ").skip(1);
        for time in times {
            assert!(time.starts_with("datetime=\"2026-"), "{time}");
        }
    }
}
