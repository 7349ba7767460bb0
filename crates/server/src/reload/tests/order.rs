//! What is written when, and what becomes of a store that fails in between.

use grantor_core::base::row::Write as RowWrite;
use grantor_core::base::row::{Committed, Index, Key, Row, Version};
use grantor_core::base::time::Timestamp;
use grantor_core::records::Record as _;
use grantor_store::memory::Memory;
use grantor_store::{Health, StoreCall, StoreError};

use super::*;

/// Asked before each commit, which fails where the answer is false.
type Check = Box<dyn FnMut(&[RowWrite]) -> bool + Send>;

/// A store that counts the reads of users, and whose commits a test sees.
#[derive(Default)]
pub(super) struct Watched {
    inner: Memory,
    user_reads: StdMutex<usize>,
    check: StdMutex<Option<Check>>,
}

impl Store for Watched {
    fn get(&self, keys: &[Key]) -> StoreCall<'_, Vec<Option<Row>>> {
        let users = keys.iter().filter(|key| key.kind() == User::KIND).count();
        *self.user_reads.lock().unwrap() += users;
        self.inner.get(keys)
    }

    fn list(&self, index: &Index, after: Option<&Key>, limit: usize) -> StoreCall<'_, Vec<Row>> {
        self.inner.list(index, after, limit)
    }

    fn commit(
        &self,
        now: Timestamp,
        id: Version,
        writes: Vec<RowWrite>,
    ) -> StoreCall<'_, Committed> {
        let mut check = self.check.lock().unwrap();
        if check.as_mut().is_none_or(|check| check(&writes)) {
            return self.inner.commit(now, id, writes);
        }
        async { Err(StoreError::Unavailable("a fault of the test".to_owned())) }.boxed()
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreCall<'_, usize> {
        self.inner.sweep(now, limit)
    }

    fn check(&self, now: Timestamp) -> StoreCall<'_, Health> {
        self.inner.check(now)
    }
}

const USERS: usize = 3;

fn users() -> String {
    let users = (0..USERS).map(|number| {
        format!(
            "[[user]]\nusername = \"user-{number}\"\npassword = \"a long password of {number}\"\n"
        )
    });
    users.collect()
}

fn writes(of: &[RowWrite], kind: &str) -> bool {
    of.iter().any(|write| write.key().kind() == kind)
}

impl TestServer {
    /// What a reload does whose commits are refused from the first one on of which `is_last` holds.
    async fn failing(
        &self,
        wanted: Reload,
        mut is_last: impl FnMut(&[RowWrite]) -> bool + Send + 'static,
    ) -> Result<Reloaded, String> {
        let mut failed = false;
        *self.store.check.lock().unwrap() = Some(Box::new(move |writes| {
            failed |= is_last(writes);
            !failed
        }));
        let answer = self.take(wanted).await;
        *self.store.check.lock().unwrap() = None;
        answer
    }
}

/// That [`users::provision`] then hashes nothing is shown by the core's
/// `a_prepared_password_was_hashed_before_anything_is_written`.
#[tokio::test]
async fn passwords_and_keys_are_made_before_the_first_user_is_written() {
    let server = TestServer::with(ORDERS).await;
    server.write(&format!(
        "{ORDERS}{TV}id_token_alg = \"EdDSA\"\n{}",
        users()
    ));
    let seen = Arc::new(StdMutex::new(Vec::new()));
    let (store, app) = (
        Arc::clone(&server.store),
        Arc::clone(&server.installation.app),
    );
    let (before, log) = (app.realm(), Arc::clone(&seen));
    let check = move |writes: &[RowWrite]| {
        assert!(
            Arc::ptr_eq(&before, &app.realm()),
            "the last write was before"
        );
        let kind = writes[0].key().kind().to_owned();
        log.lock()
            .unwrap()
            .push((kind, *store.user_reads.lock().unwrap()));
        false
    };
    server.failing(Reload::default(), check).await.unwrap();
    let seen = seen.lock().unwrap();
    let is_user = |(kind, _): &&(String, usize)| kind == User::KIND;
    let (first, reads) = (
        seen.iter().position(|it| is_user(&it)).unwrap(),
        seen.iter().find(is_user).unwrap().1,
    );
    // Each is prepared, and looked at; the first one is read again to write it.
    assert_eq!(reads, 2 * USERS + 1, "{seen:?}");
    let ((last, _), written) = seen[first..].split_last().unwrap();
    assert!(written.iter().all(|it| is_user(&it)), "{seen:?}");
    assert_eq!(
        (written.len(), &**last),
        (USERS, "declared"),
        "who they are is remembered last"
    );
    assert!(first >= 2, "a client and keys are before: {seen:?}");
}

#[tokio::test]
async fn a_store_that_fails_keeps_the_realm_and_the_answer_says_what_was_written() {
    let server = TestServer::with(&format!("{ORDERS}{TV}")).await;
    let before = server.installation.app.realm();
    let radio = TV.replace("tv", "radio");
    server.write(&format!("{ORDERS}{radio}{}", users()));
    let prune = Reload {
        prune: true,
        ..Reload::default()
    };
    let stored = async || {
        listed::<User>(&*server.installation.store)
            .await
            .unwrap()
            .len()
    };

    let why = server
        .failing(prune.clone(), writes_client)
        .await
        .unwrap_err();
    assert!(why.contains("nothing was changed"), "{why}");
    assert_eq!(stored().await, 0);

    let mut count = 0;
    let second = move |written: &[RowWrite]| {
        count += usize::from(writes(written, User::KIND));
        count == 2
    };
    let why = server.failing(prune.clone(), second).await.unwrap_err();
    assert!(why.contains("some are those of the changed file"), "{why}");
    assert_eq!(stored().await, 1);
    let realm = server.installation.app.realm();
    assert!(
        Arc::ptr_eq(&before, &realm),
        "the rules are those of before"
    );
    // The client that is still served is still known, so it stays the same one.
    assert!(server.declared_clients().await.contains(&"tv".to_owned()));

    // Clients are forgotten after the realm was replaced.
    let reloaded = server.failing(prune.clone(), writes_client).await.unwrap();
    assert!(
        reloaded.problems[0].contains("reload with --prune again"),
        "{reloaded}"
    );
    let realm = server.installation.app.realm();
    assert!(realm.client("tv").is_none() && realm.client("radio").is_some());
    assert_eq!(stored().await, USERS);
    assert!(server.take(prune).await.unwrap().problems.is_empty());
    assert_eq!(server.declared_clients().await, ["orders", "radio"]);
}

fn writes_client(of: &[RowWrite]) -> bool {
    writes(of, DeclaredClient::KIND)
}
