//! A user changes the password on `/account`.

use std::time::Duration;

use grantor_core::base::secret::Secret;
use grantor_core::engine::event::EventKind;
use grantor_core::model::realm::CookieLife;
use grantor_core::people::AddUser;

use grantor_testkit::server::{Answer, Browser, Form, TestServer};

const CHANGE: &str = "/account/password";
const NEW: &str = "correct horse";

/// A server with the user dora, whom no file declares.
async fn with_dora() -> TestServer {
    let server = TestServer::new().await;
    let password = server.app.hash_password(Secret::new("dora-password")).await;
    let dora = AddUser {
        username: "dora".to_owned(),
        password: password.expect("a worker is free"),
        groups: Vec::new(),
        organization: None,
        email: None,
    };
    let added = server.app.run(dora).await.expect("a store that answers");
    added.reply.expect("no OAuth error");
    server
}

async fn change(browser: &mut Browser<'_>, current: &str, new: &str, repeated: &str) -> Answer {
    let page = browser.get("/account").await;
    let form = Form::of(&page, CHANGE)
        .fill("current", current)
        .fill("new", new)
        .fill("repeated", repeated);
    browser.submit(form).await
}

#[tokio::test]
async fn a_user_changes_the_password_and_only_this_browser_stays_signed_in() {
    let server = with_dora().await;
    let (mut here, mut phone) = (
        server.signed_in("dora").await,
        server.signed_in("dora").await,
    );
    let mut stolen = here.clone();
    server.take_events();
    let changed = change(&mut here, "dora-password", NEW, NEW).await;
    assert_eq!(changed.status, 303, "{changed:?}");
    let location = changed.header("location").to_owned();
    assert_eq!(location, "/account?notice=password-changed");
    let events: Vec<_> = server.take_events().into_iter().map(|it| it.1).collect();
    assert_eq!(events, [EventKind::PasswordChanged]);
    let page = here.get(&location).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("id=\"notice\""), "{page:?}");
    for ended in [&mut phone, &mut stolen] {
        assert_eq!(ended.get("/account").await.status, 303);
    }
    let old = server.browser().sign_in("dora", "dora-password").await;
    assert_eq!(old.status, 400);
    assert_eq!(server.browser().sign_in("dora", NEW).await.status, 303);
}

/// With what is left of the session's time.
#[tokio::test]
async fn whoever_stays_signed_in_does_so_after_changing_the_password() {
    let server = with_dora().await.restarted(|realm| {
        realm.lifetimes.session_cookie = CookieLife::Persistent;
    });
    for stay in [true, false] {
        let (old, new) = match stay {
            true => ("dora-password", NEW),
            false => (NEW, "battery staple"),
        };
        let mut dora = server.browser();
        let form = Form::of(&dora.get("/login").await, "/login");
        let mut form = form.fill("username", "dora").fill("password", old);
        if stay {
            form = form.fill("stay", "yes");
        }
        dora.submit(form).await;
        server.advance(Duration::from_secs(60));
        let changed = change(&mut dora, old, new, new).await;
        assert_eq!(
            changed.header("location"),
            "/account?notice=password-changed"
        );
        let lasts = format!("; Max-Age={}", 7 * 24 * 3600 - 60);
        assert_eq!(changed.header("set-cookie").ends_with(&lasts), stay);
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_on_the_page_and_changes_nothing() {
    let server = with_dora().await;
    let mut dora = server.signed_in("dora").await;
    for (current, new, repeated, text) in [
        ("wrong", NEW, NEW, "The current password is wrong."),
        ("dora-password", "short", "short", "is too short"),
        ("dora-password", NEW, "correct horsf", "match"),
        ("dora-password", "", "", "is too short"),
    ] {
        let refused = change(&mut dora, current, new, repeated).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(refused.body.contains(text), "{}", refused.body);
        let trace = refused.header("x-request-id");
        assert!(refused.body.contains(trace), "{}", refused.body);
        assert!(!refused.body.contains(NEW), "what was typed is not shown");
    }
    for _ in 0..9 {
        change(&mut dora, "wrong", NEW, NEW).await;
    }
    let refused = change(&mut dora, "dora-password", NEW, NEW).await;
    assert_eq!(refused.status, 429);
    assert!(refused.headers.contains_key("retry-after"));
    let signed_in = server.browser().sign_in("dora", "dora-password").await;
    assert_eq!(signed_in.status, 303, "nor is dora locked out");
}

#[tokio::test]
async fn a_user_of_the_file_is_told_whom_to_ask_and_a_forged_form_changes_nothing() {
    let server = with_dora().await;
    let mut alice = server.signed_in("alice").await;
    let page = alice.get("/account").await;
    assert!(
        page.body
            .contains("Your administrator manages your password.")
    );
    assert!(!page.body.contains(CHANGE));
    let mut forged = Form::of(&page, "/account/everywhere")
        .fill("current", "alice-password")
        .fill("new", NEW)
        .fill("repeated", NEW);
    forged.action = CHANGE.to_owned();
    let refused = alice.submit(forged.clone()).await;
    assert_eq!(refused.header("location"), "/account?notice=gone");
    assert_eq!(server.browser().sign_in("alice", NEW).await.status, 400);

    // Without a token of the browser's own session, nothing is read.
    let mut dora = server.signed_in("dora").await;
    let theirs = dora.submit(forged.clone().fill("current", "dora-password"));
    crate::assert_begins_again(&theirs.await, "/account");
    forged.fields.remove("form_token");
    crate::assert_begins_again(&dora.submit(forged.clone()).await, "/account");
    crate::assert_begins_again(&server.browser().submit(forged).await, "/account");
    assert_eq!(server.browser().sign_in("dora", NEW).await.status, 400);
}

#[tokio::test]
async fn no_address_focuses_the_button_that_changes_the_password() {
    let server = with_dora().await;
    let mut dora = server.signed_in("dora").await;
    let page = dora.get("/account").await.body;
    let (_, form) = page
        .split_once(&format!("action=\"{CHANGE}#password\""))
        .expect("a form");
    let (form, _) = form.split_once("</form>").expect("its end");
    let (_, button) = form.split_once("<button").expect("a button");
    let (button, _) = button.split_once('>').expect("its end");
    for attribute in [" id=", "autofocus", "accesskey", "formaction"] {
        assert!(!button.contains(attribute), "{button}");
    }
    assert!(!form.contains("autofocus"));
    assert_eq!(
        form.matches(" required").count(),
        3,
        "Enter alone sends nothing"
    );
}

#[tokio::test]
async fn password_managers_find_the_page() {
    let server = with_dora().await;
    let answer = server.get("/.well-known/change-password").await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/account#password");
    let mut dora = server.signed_in("dora").await;
    let page = dora.get("/account").await;
    for fact in [
        "id=\"password\"",
        "name=\"username\" value=\"dora\" autocomplete=\"username\"",
        "autocomplete=\"current-password\"",
        "autocomplete=\"new-password\"",
    ] {
        assert!(page.body.contains(fact), "{fact}");
    }

    let below = TestServer::with(|realm| realm.issuer += "/realms/staff").await;
    for path in ["", "/realms/staff"] {
        let answer = below
            .get(&format!("{path}/.well-known/change-password"))
            .await;
        assert_eq!(answer.header("location"), "/realms/staff/account#password");
    }
}
