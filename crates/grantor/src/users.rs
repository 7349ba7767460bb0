//! The users of the file, brought into the store beside a running server.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use grantor_core::base::error::{ErrorCode, Failure};
use grantor_core::base::row::Index;
use grantor_core::engine::decide::Operation;
use grantor_core::model::ids::UserId;
use grantor_core::people::{Deprovision, Password, Provision, ProvisionReply};
use grantor_core::records::{Record as _, User};
use grantor_store::{Store, StoreError, list_all};
use grantor_web::{App, Unavailable};

use crate::assemble::POOL;

/// How many rows of users are read at once.
const PAGE: usize = 500;
/// How long it takes before what failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes the store's users those that the file declares. It takes what time it takes, a password's hash
/// some hundredth of a second each, and does not give up while the store is away. An account that cannot be
/// written for another reason is told and left out.
pub async fn provision(app: &Arc<App>, store: &dyn Store, users: &[Provision]) {
    // First, and for those whom the file disables too: who must not sign in waits for no password's hash.
    let welcome: HashSet<_> = users
        .iter()
        .filter(|user| user.enabled)
        .map(|user| user.id)
        .collect();
    match patiently(|| withdrawn(store, &welcome)).await {
        Ok(ids) => {
            for id in ids {
                tracing::info!(sub = %id, "the file declares this account no more, or disables it");
                if let Err(error) = patiently(|| run(app, Deprovision { id })).await {
                    tracing::error!(sub = %id, %error, "the account could not be withdrawn");
                }
            }
        }
        Err(error) => {
            tracing::error!(%error, "accounts that the file declares no more were not withdrawn")
        }
    }
    for user in users {
        match patiently(|| provisioned(app, user)).await {
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
                username = user.username, %error,
                "[[user]]: the account could not be written and was left out"
            ),
        }
    }
}

/// Enabled users whom a file declared once, and who are not `welcome` any more.
async fn withdrawn(
    store: &dyn Store,
    welcome: &HashSet<UserId>,
) -> Result<Vec<UserId>, Unavailable> {
    let index = Index::Kind {
        realm: POOL.to_owned(),
        kind: User::KIND.to_owned(),
    };
    let mut found = Vec::new();
    let mut rows = list_all(store, &index, PAGE);
    while let Some(row) = rows.try_next().await? {
        match serde_json::from_slice::<User>(&row.value) {
            Ok(user) if user.from_file && user.enabled && !welcome.contains(&user.id) => {
                found.push(user.id)
            }
            Ok(_) => {}
            Err(_) => {
                tracing::error!(row = ?row.key, "the row cannot be read; it was left as it is")
            }
        }
    }
    Ok(found)
}

/// A password is hashed only where the stored hash does not fit it.
async fn provisioned(
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

/// The reply; none where the protocol refuses, which these operations never do.
async fn run<O>(app: &Arc<App>, operation: O) -> Result<Option<O::Reply>, Unavailable>
where
    O: Operation + Send + 'static,
    O::Reply: Send + 'static,
{
    Ok(app.run(operation).await?.reply.ok())
}

/// Tries again for as long as what fails is likely to pass.
///
/// # Errors
/// The first failure that waiting does not mend.
async fn patiently<T, F>(attempt: impl Fn() -> F) -> Result<T, Unavailable>
where
    F: Future<Output = Result<T, Unavailable>>,
{
    loop {
        match attempt().await {
            Err(error) if passes(&error) => {
                tracing::warn!(%error, "accounts of the file are not in the store yet; trying again")
            }
            ended => return ended,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether waiting helps. A damaged row stays damaged.
fn passes(error: &Unavailable) -> bool {
    match error {
        Unavailable::Store(error) => matches!(error, StoreError::Unavailable(_)),
        // This version never becomes the one that may write the row.
        Unavailable::Failure(Failure::Newer(_)) => false,
        other => other.code() == ErrorCode::TemporarilyUnavailable,
    }
}
