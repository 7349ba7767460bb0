//! Lists: pages, cursors and searches.

use std::collections::BTreeSet;

use grantor_testkit::server::TestServer;
use serde_json::json;

use super::{made, server};

async fn page(server: &TestServer, token: &str, path: &str) -> (Vec<String>, Option<String>) {
    let answer = server.api(token, "GET", path, None).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let page = answer.api_json();
    let names = page["items"].as_array().expect("a list").iter();
    let names = names.map(|user| user["username"].as_str().expect("a name").to_owned());
    (
        names.collect(),
        page["next"].as_str().map(ToOwned::to_owned),
    )
}

/// All pages; each name must come once.
async fn all(server: &TestServer, token: &str, path: &str) -> BTreeSet<String> {
    let (mut all, mut next) = (BTreeSet::new(), None::<String>);
    loop {
        let after = next.map_or_else(String::new, |cursor| format!("&after={cursor}"));
        let (names, more) = page(server, token, &format!("{path}{after}")).await;
        for name in names {
            assert!(all.insert(name.clone()), "{name} comes once");
        }
        match more {
            Some(_) => next = more,
            None => return all,
        }
    }
}

async fn with_users() -> (TestServer, String) {
    let server = server().await;
    let token = server.api_machine_token(&["users:write"]).await;
    for n in 0..5 {
        let user = json!({ "username": format!("al{n}"), "email": format!("al{n}@example.com") });
        made(&server, &token, user).await;
    }
    // Its address begins with what the others' names do, and its name does not.
    made(
        &server,
        &token,
        json!({ "username": "zoe", "email": "ALbert@example.com" }),
    )
    .await;
    (server, token)
}

#[tokio::test]
async fn pages_of_any_size_together_have_each_user_once() {
    let (server, token) = with_users().await;
    let expected = all(&server, &token, "/users?limit=1000").await;
    assert_eq!(
        expected.len(),
        4 + 6,
        "those of the file, too: {expected:?}"
    );
    for limit in 1..12 {
        assert_eq!(
            all(&server, &token, &format!("/users?limit={limit}")).await,
            expected
        );
    }
}

#[tokio::test]
async fn a_search_finds_names_and_addresses_by_their_beginning_and_each_user_once() {
    let (server, token) = with_users().await;
    let found = async |q: &str, limit: usize| {
        let names = all(&server, &token, &format!("/users?limit={limit}&q={q}")).await;
        names.into_iter().collect::<Vec<_>>().join(" ")
    };
    for limit in [1, 2, 3, 100] {
        assert_eq!(found("al", limit).await, "al0 al1 al2 al3 al4 alice zoe");
        assert_eq!(found("AL3", limit).await, "al3");
        assert_eq!(found("al3%40example.com", limit).await, "al3");
        assert_eq!(found("albert", limit).await, "zoe");
        assert_eq!(found("nobody", limit).await, "");
        // No wildcard of a query language.
        assert_eq!(found("%25", limit).await, "");
        assert_eq!(found("_l", limit).await, "");
    }
}

#[tokio::test]
async fn a_cursor_opens_in_its_own_list_and_search_only() {
    let (server, token) = with_users().await;
    let (_, next) = page(&server, &token, "/users?limit=2").await;
    let cursor = next.expect("more");
    let id = grantor_testkit::user_id("alice");
    let rights = ["users:read", "grants:read"];
    let token = server.api_machine_token(&rights).await;
    let refused = async |path: &str| {
        let answer = server.api(&token, "GET", path, None).await;
        assert_eq!(answer.problem(), (400, "malformed".to_owned()), "{path}");
    };
    refused(&format!("/users?q=al&after={cursor}")).await;
    refused(&format!("/users/{id}/sessions?after={cursor}")).await;
    refused(&format!("/users/{id}/grants?after={cursor}")).await;
    let (_, next) = page(&server, &token, "/users?limit=2&q=al").await;
    let of_search = next.expect("more");
    refused(&format!("/users?after={of_search}")).await;
    refused(&format!("/users?q=a&after={of_search}")).await;
    // It can be neither made up nor changed, and shows nothing.
    let mut changed = cursor.clone();
    let with = if changed.ends_with('A') { 'B' } else { 'A' };
    changed.replace_range(10..11, &with.to_string());
    refused(&format!("/users?after={changed}")).await;
    refused("/users?after=default/user/").await;
    refused("/users?after=x").await;
    for limit in ["0", "1001", "-1", "x"] {
        refused(&format!("/users?limit={limit}")).await;
    }
    refused("/users?order=name").await;
    let same = page(&server, &token, &format!("/users?limit=3&after={cursor}")).await;
    assert_eq!(same.0.len(), 3, "another limit is fine");
}

#[tokio::test]
async fn a_list_is_of_its_right() {
    let (server, _) = with_users().await;
    for (right, status) in [
        ("users:read", 200),
        ("users:write", 200),
        ("grants:read", 403),
    ] {
        let token = server.api_machine_token(&[right]).await;
        let answer = server.api(&token, "GET", "/users", None).await;
        assert_eq!(answer.status, status, "{right}");
        if status == 403 {
            assert_eq!(answer.problem().1, "insufficient_scope");
            assert!(
                answer
                    .header("www-authenticate")
                    .contains("grantor/users:read")
            );
        }
    }
}

#[tokio::test]
async fn a_page_costs_the_same_at_the_end_as_at_the_beginning() {
    use std::sync::Arc;

    use grantor_store::Store;
    use grantor_store::memory::Memory;
    use grantor_store::testing::{Counting, Faulty};
    use grantor_testkit::{RealmBuilder, api};

    let faulty = Arc::new(Faulty::new(Memory::new()));
    let counting = Arc::new(Counting::new(Arc::clone(&faulty)));
    let realm = RealmBuilder::standard().change(api::serve).build();
    let server = TestServer::over(realm, Arc::clone(&counting) as Arc<dyn Store>, faulty);
    server.app.set_ready();
    let token = server.api_machine_token(&["users:write"]).await;
    for n in 0..300 {
        made(
            &server,
            &token,
            json!({ "username": format!("user{n:03}") }),
        )
        .await;
    }
    // One read admits the caller; a search reads the row of the text itself, and the users, 16 at a time.
    for (path, gets) in [
        ("/users?limit=100", 1),
        ("/users?limit=100&q=user", 1 + 100 / 16 + 1),
    ] {
        let (mut next, mut pages) = (None::<String>, 0);
        loop {
            let after = next.map_or_else(String::new, |cursor| format!("&after={cursor}"));
            let _ = counting.take();
            let (names, more) = page(&server, &token, &format!("{path}{after}")).await;
            let counts = counting.take();
            assert_eq!((names.len(), counts.lists, counts.commits), (100, 1, 0));
            let first = usize::from(pages == 0 && path.contains("q="));
            assert_eq!(counts.gets, gets + first, "{path}");
            pages += 1;
            next = more;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(pages, 3);
    }
}
