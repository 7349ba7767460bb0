//! Who has an account: neither the text nor the work of an answer tells.

use std::sync::Arc;

use grantor_store::Store;
use grantor_store::memory::Memory;
use grantor_store::testing::{Counting, Faulty};

use crate::apps::{Ask, SPA};
use crate::browser::{Browser, Form};
use crate::house::{House, realm};
use crate::wire::Answer;

/// What a wrong password for this name is answered on the way to an app.
async fn answered(house: &House, username: &str) -> Answer {
    let mut browser = Browser::new(house);
    let to_login = browser.get(&Ask::of(&SPA).path()).await;
    let login = browser.get(to_login.header("location")).await;
    let form = Form::of(&login, "/login").fill("username", username);
    browser.submit(form.fill("password", "wrong")).await
}

/// The page without what each has of its own.
fn text(answer: &Answer, username: &str) -> String {
    let form = Form::of(answer, "/login");
    let body = answer.body.replace(&form.fields["form_token"], "TOKEN");
    body.replace(&format!("value=\"{username}\""), "value=\"NAME\"")
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_are_one_answer_after_as_many_reads() {
    let store = Arc::new(Counting::new(Memory::new()));
    let house = House::of(
        realm(),
        Arc::clone(&store) as Arc<dyn Store>,
        Arc::new(Faulty::new(Memory::new())),
    );
    house
        .provision("alice", std::collections::BTreeMap::new())
        .await;
    let mut all = Vec::new();
    for username in ["alice", "nobody", "ALICE ", "n"] {
        let before = answered(&house, username).await;
        let _ = store.take();
        let again = answered(&house, username).await;
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
async fn a_login_hint_does_not_tell_whether_there_is_such_a_user() {
    let house = House::new().await;
    let mut pages = Vec::new();
    for hint in ["alice", "nobody"] {
        let mut browser = Browser::new(&house);
        let to_login = browser
            .get(&Ask::of(&SPA).with("login_hint", hint).path())
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
