//! What the management API asks of the server beyond decisions.

use std::future::ready;
use std::sync::Weak;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use grantor_core::base::error::Failure;
use grantor_web::{Management, SigningKey, Unavailable};

use crate::admin::api::ListedKey;
use crate::cause::Causes;
use crate::key_ring::KeyRing;

pub(crate) struct ServerManagement {
    /// Whose owner holds the application, which holds this: an `Arc` would keep the store open for ever.
    pub(crate) keys: Weak<KeyRing>,
}

fn shown(key: ListedKey) -> SigningKey {
    SigningKey {
        kid: key.kid.to_string(),
        alg: key.alg.name(),
        state: key.state,
        created_at: key.created_at,
        since: key.since,
    }
}

impl Management for ServerManagement {
    fn keys(&self) -> BoxFuture<'_, Vec<SigningKey>> {
        let listed = async {
            match self.keys.upgrade() {
                Some(keys) => keys.list().await.keys.into_iter().map(shown).collect(),
                None => Vec::new(),
            }
        };
        listed.boxed()
    }

    fn rotate_keys(&self) -> BoxFuture<'_, Result<Vec<SigningKey>, Unavailable>> {
        const FAILED: Unavailable =
            Unavailable::Failure(Failure::Upstream("the signing keys cannot be changed now"));
        let Some(keys) = self.keys.upgrade() else {
            return ready(Err(FAILED)).boxed();
        };
        // In a separate task: a caller that disconnects must not stop it between the commit and the use of the keys.
        let rotated = tokio::spawn(async move { keys.rotate_now().await });
        let rotated = async move {
            match rotated.await {
                Ok(Ok(rotated)) => Ok(rotated.promoted.into_iter().map(shown).collect()),
                Ok(Err(error)) => {
                    tracing::error!(error = %Causes(&error), "the signing keys were not rotated");
                    Err(FAILED)
                }
                Err(error) => {
                    tracing::error!(error = %Causes(&error), "the signing keys were not rotated");
                    Err(FAILED)
                }
            }
        };
        rotated.boxed()
    }
}
