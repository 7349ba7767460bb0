//! Provisions the users of the file into the store, while the server runs.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use grantor_core::base::error::{ErrorCode, Failure};
use grantor_core::base::row::Index;
use grantor_core::engine::decide::Operation;
use grantor_core::model::password_hash::{Cost, StoredHash};
use grantor_core::people::{
    Deprovision, MoveLogins, Password, PreparePassword, Provision, ProvisionReply,
};
use grantor_core::records::{Record, User};
use grantor_store::{Store, StoreError, list_all};
use grantor_web::{App, Unavailable};

use crate::assemble::POOL;
use crate::cause::Causes;

/// Rows of one read.
const PAGE: usize = 500;
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
    match retry(on_outage, || examine(store, users)).await {
        Ok(stored) => problems.extend(prepare(app, stored, on_outage).await?),
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
    Ok(left_out)
}

/// Before users are written: the cost of a sign-in, what an operator should know, and who is cut off.
async fn prepare(
    app: &Arc<App>,
    stored: StoredUsers,
    on_outage: OnOutage,
) -> Result<Vec<String>, Unavailable> {
    let mut left_out = Vec::new();
    app.include_password_cost(stored.costliest);
    if stored.without_password > 0 {
        tracing::warn!(
            users = stored.without_password,
            "declared accounts have no password yet: `grantor user password NAME` sets one"
        );
    }
    if stored.below_minimum > 0 {
        tracing::warn!(
            users = stored.below_minimum,
            "stored password hashes are below OWASP's minimum for Argon2id; each is replaced when its user signs in"
        );
    }
    for unmoved in stored.unmoved {
        let sub = unmoved.id;
        match retry(on_outage, || run(app, unmoved.clone())).await {
            Ok(()) => {}
            Err(error) if is_temporary(&error) => return Err(error),
            Err(error) => {
                tracing::error!(%sub, error = %Causes(&error), "the account's address does not sign it in yet")
            }
        }
    }
    for due in stored.due {
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

/// What the users of the store have in common at the start.
struct StoredUsers {
    /// Those that the file does not declare any more, or disables.
    due: Vec<Deprovision>,
    costliest: Cost,
    /// Those whose names and addresses an earlier version wrote.
    unmoved: Vec<MoveLogins>,
    /// How many users who may sign in have a hash below OWASP's minimum.
    below_minimum: usize,
    /// How many declared users can only sign in once a command gave them a password.
    without_password: usize,
}

async fn examine(store: &dyn Store, users: &[Provision]) -> Result<StoredUsers, Unavailable> {
    let declared: HashMap<_, _> = users.iter().map(|user| (user.id, user.enabled)).collect();
    let mut stored = StoredUsers {
        due: Vec::new(),
        costliest: Cost::NEW,
        unmoved: Vec::new(),
        below_minimum: 0,
        without_password: 0,
    };
    let mut with_password = HashSet::new();
    for user in listed::<User>(store).await? {
        let enabled = declared.get(&user.id);
        if enabled != Some(&true) {
            stored
                .due
                .extend(Deprovision::needed(&user, enabled.is_some()));
        }
        stored.unmoved.extend(MoveLogins::needed(&user));
        if user.password.is_some() {
            with_password.insert(user.id);
        }
        let hash = user.password.as_deref().map(StoredHash::parse);
        if let Some(Ok(hash)) = hash {
            stored.costliest = stored.costliest.max(hash.cost());
            let is_below = user.enabled && hash.cost().is_below_minimum();
            stored.below_minimum += usize::from(is_below);
        }
    }
    // Before they are stored: the first try at such an account must not take longer than others did before.
    for user in users {
        if let Password::Hash(hash) = &user.password
            && let Ok(hash) = StoredHash::parse(hash)
        {
            stored.costliest = stored.costliest.max(hash.cost());
        }
    }
    let lacks = |user: &&Provision| {
        let declares_none = matches!(user.password, Password::None);
        declares_none && user.enabled && !with_password.contains(&user.id)
    };
    stored.without_password = users.iter().filter(lacks).count();
    Ok(stored)
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
        match serde_json::from_slice::<T>(&row.value) {
            Ok(record) => found.push(record),
            Err(_) => {
                tracing::error!(row = ?row.key, "the row cannot be read; it was not changed")
            }
        }
    }
    Ok(found)
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
    use grantor_store::memory::Memory;

    use super::*;
    use crate::assemble;

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
        let stored = examine(&Memory::new(), &users).await.unwrap();
        assert_eq!(stored.costliest, Cost::new(65_536, 3));
    }
}
