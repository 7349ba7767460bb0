//! Provisions the users of the file into the store, while the server runs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use grantor_core::base::error::{ErrorCode, Failure};
use grantor_core::base::row::{Index, Row};
use grantor_core::engine::decide::Operation;
use grantor_core::people::{PreparePassword, Provision, ProvisionReply, RememberDeclared};
use grantor_core::records::{Record, User, Username};
use grantor_store::{Store, StoreError, list_all, list_pages};
use grantor_web::{App, Unavailable};

use crate::assemble::POOL;
use crate::cause::Causes;
use stored::{LookedAt, StoredUsers};

mod stored;

/// Rows of one read.
const PAGE: usize = 500;
/// Between two pages of a look at all users, so that requests go first.
const PAUSE: Duration = Duration::from_millis(20);
/// The time before another attempt.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// What to do while the store is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOutage {
    /// Try again, until it is back.
    Retry,
    /// End with the error.
    Fail,
}

/// What of the file could not be written, for a reason of its own.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// The names of accounts.
    pub users: Vec<String>,
    /// A sentence for each, and for all else.
    pub problems: Vec<String>,
    /// Whether all users were looked at, and not only those that the file declares or declared.
    pub has_seen_all: bool,
}

/// Hashes new and changed passwords, and writes nothing: [`provision`] then hashes none.
///
/// # Errors
/// The store is unavailable.
pub async fn prepare_passwords(
    app: &Arc<App>,
    users: impl IntoIterator<Item = Provision>,
) -> Result<Vec<Provision>, Unavailable> {
    let mut prepared = Vec::new();
    for user in users {
        match run(app, PreparePassword(user.clone())).await {
            Ok(user) => prepared.push(user),
            Err(error) if is_temporary(&error) => return Err(error),
            // Provisioning says what is wrong with the account.
            Err(_) => prepared.push(user),
        }
    }
    Ok(prepared)
}

/// Makes the declared users of the store those of the file. A new or changed password is hashed, which takes some hundredths
/// of a second. An account that cannot be written for a reason of its own is logged, left out, and returned.
///
/// # Errors
/// The store is unavailable.
pub async fn provision(
    app: &Arc<App>,
    store: &dyn Store,
    users: &[Provision],
    on_outage: OnOutage,
) -> Result<LeftOut, Unavailable> {
    let mut left_out = LeftOut::default();
    let problems = &mut left_out.problems;
    // First, so that cutting a user off does not wait for the password hashes of others.
    let mut looked_at = None;
    match retry(on_outage, || StoredUsers::look(store, users)).await {
        Ok((mut stored, looked)) => {
            warn_of_missing_passwords(stored.without_password(users));
            problems.extend(prepare(app, &mut stored, on_outage).await?);
            warn_of_weak_hashes(stored.below_minimum);
            looked_at = Some(looked);
        }
        Err(error) if is_temporary(&error) => return Err(error),
        Err(error) => {
            tracing::error!(error = %Causes(&error), "accounts that the file no longer declares were not disabled");
            problems.push(
                "Accounts that the file no longer declares were not disabled: see the log."
                    .to_owned(),
            );
        }
    }
    for user in users {
        let username = user.username.as_str();
        match retry(on_outage, || run(app, user.clone())).await {
            Ok(ProvisionReply::Done { changed }) => {
                if changed {
                    tracing::info!(sub = %user.id, "wrote an account of the file");
                }
            }
            Ok(ProvisionReply::NameTaken) => {
                tracing::error!(
                    username,
                    "[[user]]: the name belongs to another account of the store; this one was left out"
                );
                left_out.users.push(username.to_owned());
                left_out.problems.push(format!(
                    "User {username:?} was not written: another account has that name. Rename or delete it (`grantor user \
                     list` shows its sub), then reload."
                ));
            }
            Err(error) if is_temporary(&error) => return Err(error),
            Err(error) => {
                tracing::error!(
                    username, error = %Causes(&error),
                    "[[user]]: the account could not be written and was left out"
                );
                left_out.users.push(username.to_owned());
                left_out
                    .problems
                    .push(format!("User {username:?} was not written: see the log."));
            }
        }
    }
    // Who could not be disabled is looked for again.
    if left_out.problems.is_empty() {
        let users = users.iter().map(|user| user.id).collect();
        let remember = RememberDeclared { users };
        let remembered = retry(on_outage, || run(app, remember.clone())).await;
        if let Err(error) = remembered {
            tracing::warn!(error = %Causes(&error), "the next start looks through all accounts");
        }
    }
    left_out.has_seen_all = looked_at == Some(LookedAt::All);
    Ok(left_out)
}

/// Looks through all users, where the start did not: for what versions before this one left, if they ran in between.
///
/// # Errors
/// The store is unavailable.
pub async fn look_at_all(
    app: &Arc<App>,
    store: &dyn Store,
    users: &[Provision],
) -> Result<(), Unavailable> {
    let index = stored::all();
    let mut pages = list_pages(store, &index, PAGE);
    let mut stored = StoredUsers::new(users);
    while let Some(page) = pages.try_next().await? {
        // Those that the file declares by now, which a reload may have read since, were written by whoever read it.
        let realm = app.realm();
        let others = page.iter().filter_map(read::<User>);
        let others = others.filter(|user| {
            !(user.from_file
                && realm
                    .declared_users
                    .contains(&Username::fold(&user.username)))
        });
        others.for_each(|user| stored.add(&user));
        prepare(app, &mut stored, OnOutage::Retry).await?;
        tokio::time::sleep(PAUSE).await;
    }
    warn_of_weak_hashes(stored.below_minimum);
    Ok(())
}

fn warn_of_missing_passwords(users: usize) {
    if users > 0 {
        tracing::warn!(
            users,
            "declared accounts have no password yet: `grantor user password NAME` sets one"
        );
    }
}

fn warn_of_weak_hashes(users: usize) {
    if users > 0 {
        tracing::warn!(
            users,
            "stored password hashes are below OWASP's minimum for Argon2id; each is replaced when its user signs in"
        );
    }
}

/// Before users are written: the cost of a sign-in, and who is cut off.
async fn prepare(
    app: &Arc<App>,
    stored: &mut StoredUsers,
    on_outage: OnOutage,
) -> Result<Vec<String>, Unavailable> {
    let mut left_out = Vec::new();
    app.include_password_cost(stored.costliest);
    for unmoved in stored.unmoved.drain(..) {
        let sub = unmoved.id;
        match retry(on_outage, || run(app, unmoved.clone())).await {
            Ok(()) => {}
            Err(error) if is_temporary(&error) => return Err(error),
            Err(error) => {
                tracing::error!(%sub, error = %Causes(&error), "the account's address does not sign it in yet")
            }
        }
    }
    for due in stored.due.drain(..) {
        let sub = due.id;
        tracing::info!(%sub, "the file no longer declares this account, or disables it");
        match retry(on_outage, || run(app, due.clone())).await {
            Ok(()) => {}
            Err(error) if is_temporary(&error) => return Err(error),
            Err(error) => {
                tracing::error!(%sub, error = %Causes(&error), "the account could not be disabled");
                left_out.push(format!(
                    "The account {sub} could not be disabled: see the log."
                ));
            }
        }
    }
    Ok(left_out)
}

/// The records of a kind. Those that cannot be read are logged and left out.
pub(crate) async fn listed<T: Record>(store: &dyn Store) -> Result<Vec<T>, Unavailable> {
    let index = Index::Kind {
        realm: POOL.to_owned(),
        kind: T::KIND.to_owned(),
    };
    let mut found = Vec::new();
    let mut rows = list_all(store, &index, PAGE);
    while let Some(row) = rows.try_next().await? {
        found.extend(read::<T>(&row));
    }
    Ok(found)
}

/// The record of a row. One that cannot be read is logged.
fn read<T: Record>(row: &Row) -> Option<T> {
    let record = serde_json::from_slice(&row.value);
    record
        .inspect_err(
            |_| tracing::error!(row = ?row.key, "the row cannot be read; it was not changed"),
        )
        .ok()
}

pub(crate) async fn run<O>(app: &Arc<App>, operation: O) -> Result<O::Reply, Unavailable>
where
    O: Operation<Refused = Infallible> + Send + 'static,
{
    let Ok(reply) = app.run(operation).await?.reply;
    Ok(reply)
}

/// Repeats an attempt while its error is temporary, where that is asked for.
///
/// # Errors
/// The first error that is not.
pub(crate) async fn retry<T, F>(
    on_outage: OnOutage,
    attempt: impl Fn() -> F,
) -> Result<T, Unavailable>
where
    F: Future<Output = Result<T, Unavailable>>,
{
    loop {
        match attempt().await {
            Err(error) if is_temporary(&error) && on_outage == OnOutage::Retry => {
                tracing::warn!(error = %Causes(&error), "what the file declares is not in the store yet; trying again")
            }
            ended => return ended,
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// A damaged row, for example, stays damaged.
pub(crate) fn is_temporary(error: &Unavailable) -> bool {
    match error {
        Unavailable::Store(error) => matches!(error, StoreError::Unavailable(_)),
        // This version never becomes the one that may write the row.
        Unavailable::Failure(Failure::Newer(_)) => false,
        other => other.code() == ErrorCode::TemporarilyUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use grantor_core::model::password_hash::Cost;
    use grantor_store::memory::Memory;

    use super::*;
    use crate::assemble;
    use crate::installation::Installation;

    fn settings(names: &[&str]) -> grantor_config::Settings {
        let users = names
            .iter()
            .map(|name| format!("[[user]]\nusername = \"{name}\"\n"));
        let text = format!(
            "issuer = \"https://id.example.com\"\nstore = \"memory:\"\nkey_env = \"KEY\"\n{}",
            users.collect::<String>()
        );
        let environment = grantor_config::Environment::default().with("KEY", "07".repeat(32));
        let folder = std::path::Path::new("");
        grantor_config::parse(&text, "grantor.toml", folder, &environment).unwrap()
    }

    fn users(names: &[&str]) -> Vec<Provision> {
        settings(names)
            .users
            .iter()
            .map(assemble::provision)
            .collect()
    }

    async fn is_enabled(store: &dyn Store, name: &str) -> bool {
        let stored = listed::<User>(store).await.unwrap();
        stored
            .iter()
            .any(|user| user.username == name && user.enabled)
    }

    #[tokio::test]
    async fn a_start_looks_at_declared_users_and_at_all_others_later() {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let opened = (Arc::clone(&store), None);
        // What it serves by, once a reload has read it.
        let settings = settings(&["dave"]);
        let installation = Installation::over(&settings, opened).await.unwrap();
        let app = &installation.app;
        let start = async |names: &[&str]| {
            let left_out = provision(app, &*store, &users(names), OnOutage::Fail)
                .await
                .unwrap();
            assert!(left_out.problems.is_empty(), "{left_out:?}");
            left_out.has_seen_all
        };
        assert!(start(&["alice", "bob"]).await, "nothing was remembered");
        assert!(!start(&["alice", "bob"]).await);
        assert!(is_enabled(&*store, "bob").await);
        assert!(!start(&["alice"]).await);
        assert!(!is_enabled(&*store, "bob").await, "at once");
        // An older version declares carol and remembers nothing; its file loses her before the next start of this one.
        for carol in users(&["carol"]) {
            run(app, carol).await.unwrap();
        }
        assert!(!start(&["alice"]).await);
        assert!(
            is_enabled(&*store, "carol").await,
            "no start looks through all"
        );
        // A reload declares dave while the look is under way.
        for dave in users(&["dave"]) {
            run(app, dave).await.unwrap();
        }
        look_at_all(app, &*store, &users(&["alice"])).await.unwrap();
        assert!(is_enabled(&*store, "dave").await);
        assert!(!is_enabled(&*store, "carol").await);
        assert!(is_enabled(&*store, "alice").await);
    }

    #[tokio::test]
    async fn a_hash_of_the_file_counts_before_it_is_stored() {
        let hash = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let file = format!(
            "issuer = \"https://id.example.com\"\n[[user]]\nusername = \"bob\"\npassword_hash = \"{hash}\"\n"
        );
        let folder = std::path::Path::new("");
        let settings = grantor_config::parse(
            &file,
            "grantor.toml",
            folder,
            &grantor_config::Environment::default(),
        );
        let users: Vec<_> = (settings.unwrap().users.iter())
            .map(assemble::provision)
            .collect();
        let (stored, _) = StoredUsers::look(&Memory::new(), &users).await.unwrap();
        assert_eq!(stored.costliest, Cost::new(65_536, 3));
    }
}
