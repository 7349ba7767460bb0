//! Provisions the users of the file into the store, while the server runs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use grantor_core::base::error::{ErrorCode, Failure};
use grantor_core::base::row::Index;
use grantor_core::engine::decide::Operation;
use grantor_core::model::ids::UserId;
use grantor_core::people::{Deprovision, Password, Provision, ProvisionReply};
use grantor_core::records::{Record, User};
use grantor_store::{Store, StoreError, list_all};
use grantor_web::{App, Unavailable};

use crate::assemble::POOL;
use crate::cause::Causes;

/// Rows of one read.
const PAGE: usize = 500;
/// The time before another attempt.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Makes the declared users of the store those of the file. Hashing a password takes some hundredths of a second. While the
/// store is unavailable it is tried again; an account that cannot be written for another reason is logged and left out.
pub async fn provision(app: &Arc<App>, store: &dyn Store, users: &[Provision]) {
    // First, so that cutting a user off does not wait for the password hashes of others.
    let enabled: HashSet<_> = users
        .iter()
        .filter(|user| user.enabled)
        .map(|user| user.id)
        .collect();
    match retry(|| to_deprovision(store, &enabled)).await {
        Ok(ids) => {
            for id in ids {
                tracing::info!(sub = %id, "the file no longer declares this account, or disables it");
                if let Err(error) = retry(|| run(app, Deprovision { id })).await {
                    tracing::error!(sub = %id, error = %Causes(&error), "the account could not be disabled");
                }
            }
        }
        Err(error) => {
            tracing::error!(error = %Causes(&error), "accounts that the file no longer declares were not disabled")
        }
    }
    for user in users {
        match retry(|| provision_one(app, user)).await {
            Ok(Some(ProvisionReply::Done { changed: true })) => {
                tracing::info!(sub = %user.id, "wrote an account of the file")
            }
            Ok(Some(ProvisionReply::NameTaken)) => tracing::error!(
                username = user.username,
                "[[user]]: the name belongs to another account of the store; this one was left out"
            ),
            Ok(
                Some(ProvisionReply::Done { changed: false } | ProvisionReply::NeedsHash) | None,
            ) => {}
            Err(error) => tracing::error!(
                username = user.username, error = %Causes(&error),
                "[[user]]: the account could not be written and was left out"
            ),
        }
    }
}

/// Enabled users of the store that a file declared, and that are not among the `enabled` ones of the file now.
async fn to_deprovision(
    store: &dyn Store,
    enabled: &HashSet<UserId>,
) -> Result<Vec<UserId>, Unavailable> {
    let users = listed::<User>(store).await?.into_iter();
    let withdrawn = users.filter(|user| user.from_file && user.enabled);
    let withdrawn = withdrawn.filter(|user| !enabled.contains(&user.id));
    Ok(withdrawn.map(|user| user.id).collect())
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

/// Writes one user. The password is hashed only where the stored hash is of another one.
async fn provision_one(
    app: &Arc<App>,
    user: &Provision,
) -> Result<Option<ProvisionReply>, Unavailable> {
    let reply = run(app, user.clone()).await?;
    let (Some(ProvisionReply::NeedsHash), Password::Plain { password, .. }) =
        (&reply, &user.password)
    else {
        return Ok(reply);
    };
    let hash = app.hash_password(password.clone()).await?;
    let password = Password::Plain {
        password: password.clone(),
        hash: Some(hash),
    };
    run(
        app,
        Provision {
            password,
            ..user.clone()
        },
    )
    .await
}

/// The reply; none where the operation is refused, which these never are.
pub(crate) async fn run<O>(app: &Arc<App>, operation: O) -> Result<Option<O::Reply>, Unavailable>
where
    O: Operation + Send + 'static,
    O::Reply: Send + 'static,
{
    Ok(app.run(operation).await?.reply.ok())
}

/// Repeats an attempt while its error is temporary.
///
/// # Errors
/// The first error that is not.
pub(crate) async fn retry<T, F>(attempt: impl Fn() -> F) -> Result<T, Unavailable>
where
    F: Future<Output = Result<T, Unavailable>>,
{
    loop {
        match attempt().await {
            Err(error) if is_temporary(&error) => {
                tracing::warn!(error = %Causes(&error), "what the file declares is not in the store yet; trying again")
            }
            ended => return ended,
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// A damaged row, for example, stays damaged.
fn is_temporary(error: &Unavailable) -> bool {
    match error {
        Unavailable::Store(error) => matches!(error, StoreError::Unavailable(_)),
        // This version never becomes the one that may write the row.
        Unavailable::Failure(Failure::Newer(_)) => false,
        other => other.code() == ErrorCode::TemporarilyUnavailable,
    }
}
