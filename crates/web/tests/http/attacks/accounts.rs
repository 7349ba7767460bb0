//! Whether an account exists: neither the text of an answer nor its cost reveals it.

use std::sync::Arc;

use grantor_store::Store;
use grantor_store::memory::Memory;
use grantor_store::testing::{Counting, Faulty};

use grantor_testkit::server::{Answer, Form, TestServer};
use grantor_testkit::{AuthorizationRequest, RealmBuilder, SPA};

/// What a wrong password for this name is answered on the way to an app.
async fn answered(server: &TestServer, username: &str) -> Answer {
    let mut browser = server.browser();
    let to_login = browser.get(&AuthorizationRequest::new(SPA).path()).await;
    let login = browser.get(to_login.header("location")).await;
    let form = Form::of(&login, "/login").fill("username", username);
    browser.submit(form.fill("password", "wrong")).await
}

/// The page without what differs in each.
fn text(answer: &Answer, username: &str) -> String {
    let form = Form::of(answer, "/login");
    let body = answer.body.replace(&form.fields["form_token"], "TOKEN");
    let body = body.replace(answer.header("x-request-id"), "TRACE");
    body.replace(&format!("value=\"{username}\""), "value=\"NAME\"")
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_one_answer_after_as_many_reads() {
    let store = Arc::new(Counting::new(Memory::new()));
    let server = TestServer::over(
        RealmBuilder::standard().build(),
        Arc::clone(&store) as Arc<dyn Store>,
        Arc::new(Faulty::new(Memory::new())),
    );
    server.app.set_ready();
    server
        .add_user("alice", std::collections::BTreeMap::new())
        .await;
    let mut all = Vec::new();
    for username in ["alice", "nobody", "ALICE ", "n"] {
        let before = answered(&server, username).await;
        let _ = store.take();
        let again = answered(&server, username).await;
        let counts = store.take();
        assert_eq!((before.status, again.status), (400, 400));
        let headers: Vec<_> = again.headers.keys().map(ToString::to_string).collect();
        all.push((
            counts.gets,
            counts.lists,
            counts.commits,
            counts.rows_written,
            headers,
            text(&again, username),
        ));
    }
    assert!(all[0].0 > 0, "something was read");
    for other in &all[1..] {
        assert_eq!(*other, all[0]);
    }
}

/// A hint is filled in whether or not there is such a user, and nothing else of the page changes.
#[tokio::test]
async fn a_login_hint_does_not_reveal_whether_the_user_exists() {
    let server = TestServer::new().await;
    let mut pages = Vec::new();
    for hint in ["alice", "nobody"] {
        let mut browser = server.browser();
        let to_login = browser
            .get(
                &AuthorizationRequest::new(SPA)
                    .with("login_hint", hint)
                    .path(),
            )
            .await;
        let login = browser.get(to_login.header("location")).await;
        let return_to = Form::of(&login, "/login").fields["return_to"].clone();
        let escaped = return_to
            .replace('/', "&#x2f;")
            .replace('&', "&amp;")
            .replace("&amp;#x2f;", "&#x2f;");
        pages.push(text(&login, hint).replace(&escaped, "BACK"));
    }
    assert_eq!(pages[0], pages[1]);
}
