//! Accounts with very much access: what a request reads of it is bounded, so that no other request waits long for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use grantor_core::base::row::{Index, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_core::model::ids::{GrantId, SessionId, UserId};
use grantor_core::model::realm::{AccessLimits, Realm};
use grantor_core::people::account;
use grantor_core::records::{self, Grant, GrantState, Record, Session};
use grantor_store::Store;
use grantor_store::memory::Memory;
use grantor_store::testing::{Counting, Faulty};

use grantor_testkit::server::{Form, TestServer};
use grantor_testkit::{AuthorizationRequest, RealmBuilder, SPA};

type Counted = Arc<Counting<Memory>>;

async fn server(limits: AccessLimits) -> (TestServer, Counted) {
    let store = Arc::new(Counting::new(Memory::new()));
    let realm = RealmBuilder::standard().change(|realm: &mut Realm| realm.access = limits);
    let server = TestServer::over(
        realm.build(),
        Arc::clone(&store) as Arc<dyn Store>,
        Arc::new(Faulty::new(Memory::new())),
    );
    server.app.set_ready();
    for name in ["alice", "bob"] {
        server.add_user(name, BTreeMap::new()).await;
    }
    (server, store)
}

async fn insert<R: Record>(store: &Counting<Memory>, rows: impl Iterator<Item = R>) {
    let writes: Vec<Write> = rows
        .map(|row| records::insert("default", &row).expect("a row"))
        .collect();
    for (n, writes) in writes.chunks(25).enumerate() {
        let id = Version::from_bytes((n as u128 + 1).to_be_bytes());
        let done = store
            .inner()
            .commit(Timestamp::default(), id, writes.to_vec());
        done.await.expect("it is written");
    }
}

async fn rows<R: Record>(store: &Counting<Memory>, index: &Index) -> Vec<R> {
    let rows = store.inner().list(index, None, usize::MAX).await;
    let rows = rows.expect("rows").into_iter();
    rows.map(|row| serde_json::from_slice(&row.value).expect("a record"))
        .collect()
}

fn random(n: u64) -> [u8; 16] {
    let digest = UserId::from_username("random", &n.to_string());
    *digest.as_bytes()
}

/// Alice gets 10,000 grants and 1,000 sessions, one a second, like the ones that she has.
async fn flood(server: &TestServer, store: &Counting<Memory>) {
    let realm = server.app.realm();
    let alice = {
        let index = Index::Kind {
            realm: "default".to_owned(),
            kind: Session::KIND.to_owned(),
        };
        rows::<Session>(store, &index).await.remove(0).user
    };
    let grant: Grant = rows(store, &account::grants_of(&realm, alice))
        .await
        .remove(0);
    let session: Session = rows(store, &account::sessions_of(&realm, alice))
        .await
        .remove(0);
    let now = Timestamp::from_secs(server.now());
    let at = |n: u64| now - Duration::from_secs(n);
    let grants = (1..=10_000).map(|n| {
        let mut grant = grant.clone();
        grant.id = GrantId::newest_first(at(n), random(n));
        if let GrantState::DeviceApproved { authorization } = &mut grant.state {
            authorization.at = at(n);
        }
        grant.started.at = at(n);
        grant.started.by.agent = format!("agent/{n}");
        grant
    });
    insert(store, grants).await;
    let sessions = (1..=1000).map(|n| Session {
        id: SessionId::newest_first(at(n), random(n)),
        auth_time: at(n),
        ..session.clone()
    });
    insert(store, sessions).await;
}

const UNLIMITED: AccessLimits = AccessLimits {
    sessions: 100_000,
    grants_per_client: 100_000,
    grants: 100_000,
};

/// The values of the hidden fields of this name, in the order of the page.
fn named<'a>(body: &'a str, field: &str) -> Vec<&'a str> {
    let begin = format!("name=\"{field}\" value=\"");
    let values = body.split(&begin).skip(1);
    values.filter_map(|value| value.split('"').next()).collect()
}

#[tokio::test]
async fn the_account_page_with_10_000_grants_reads_the_newest_few_and_leads_to_older_ones() {
    let (server, store) = server(UNLIMITED).await;
    let mut alice = server.signed_in("alice").await;
    let codes = server.device_codes("tv").await;
    alice.approve(&codes).await;
    flood(&server, &store).await;
    let _ = store.take();
    let page = alice.get("/account").await;
    let counts = store.take();
    println!("{counts:?}");
    assert_eq!(page.status, 200, "{page:?}");
    assert!(counts.rows_read <= 400, "{counts:?}");
    assert!(counts.bytes_read <= 200_000, "{counts:?}");
    assert!(
        counts.longest_list <= 64,
        "others wait for no more: {counts:?}"
    );
    let devices = named(&page.body, "grant");
    let expected: Vec<_> = std::iter::once(0).chain(1..50).collect();
    let newest = |n: &u64| match n {
        0 => None,
        n => Some(GrantId::newest_first(
            Timestamp::from_secs(server.now()) - Duration::from_secs(*n),
            random(*n),
        )),
    };
    assert_eq!(devices.len(), 50);
    for (shown, n) in devices.iter().zip(&expected) {
        if let Some(id) = newest(n) {
            assert_eq!(*shown, id.to_string(), "the newest first");
        }
    }
    assert!(
        page.body.contains("Older entries aren’t shown."),
        "of sessions"
    );
    let (_, link) = page
        .body
        .split_once("href=\"/account?older=")
        .expect("a link");
    let older = link.split('"').next().expect("an id");
    let next = alice.get(&format!("/account?older={older}")).await;
    let counts = store.take();
    assert!(
        counts.rows_read <= 400 && counts.longest_list <= 64,
        "{counts:?}"
    );
    let first = named(&next.body, "grant")[0];
    assert_eq!(first, newest(&128).expect("an id").to_string());
    // To the end, nothing is left out and nothing comes twice.
    let (mut pages, mut page) = (1, page);
    while let Some((_, link)) = page.body.split_once("href=\"/account?older=") {
        let older = link.split('"').next().expect("an id").to_owned();
        page = alice.get(&format!("/account?older={older}")).await;
        pages += 1;
    }
    assert_eq!(pages, 10_001_usize.div_ceil(128));
}

#[tokio::test]
async fn no_request_about_an_account_with_10_000_grants_lists_many_rows_at_once() {
    let (server, store) = server(AccessLimits::default()).await;
    let mut alice = server.signed_in("alice").await;
    let codes = server.device_codes("tv").await;
    alice.approve(&codes).await;
    flood(&server, &store).await;
    let _ = store.take();
    server.signed_in("alice").await;
    let counts = store.take();
    println!("a sign-in: {counts:?}");
    assert!(counts.longest_list <= 64, "{counts:?}");
    assert!(counts.rows_read <= 400, "{counts:?}");
    for _ in 0..64 {
        let codes = server.device_codes("tv").await;
        alice.approve(&codes).await;
        let counts = store.take();
        assert!(counts.longest_list <= 64, "{counts:?}");
        // Codes and access have a limit each.
        assert!(counts.rows_read <= 4500, "{counts:?}");
    }
}

#[tokio::test]
async fn a_sign_in_beyond_the_limit_ends_the_least_recently_used_session() {
    let limits = AccessLimits {
        sessions: 2,
        ..AccessLimits::default()
    };
    let (server, _) = server(limits).await;
    let mut browsers = Vec::new();
    for _ in 0..3 {
        server.advance(Duration::from_secs(60));
        browsers.push(server.signed_in("alice").await);
    }
    let mut answers = Vec::new();
    for browser in &mut browsers {
        answers.push(browser.get("/account").await.status);
    }
    assert_eq!(answers, [303, 200, 200]);
}

#[tokio::test]
async fn codes_without_end_leave_hardly_more_grants_than_the_limit() {
    let limits = AccessLimits {
        grants_per_client: 5,
        ..AccessLimits::default()
    };
    let (server, store) = server(limits).await;
    let mut alice = server.signed_in("alice").await;
    let path = AuthorizationRequest::new(SPA).path();
    let asked = alice.get(&path).await;
    let form = Form::of(&asked, "/consent").fill("decision", "approve");
    alice.submit(form).await;
    for _ in 0..300 {
        let answer = alice.get(&path).await;
        assert!(answer.header("location").contains("code="), "{answer:?}");
    }
    let kind = Index::Kind {
        realm: "default".to_owned(),
        kind: Grant::KIND.to_owned(),
    };
    let left = rows::<Grant>(&store, &kind).await.len();
    assert!((5..100).contains(&left), "{left}");
}
