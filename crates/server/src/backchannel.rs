//! Delivers logout tokens (OpenID Connect Back-Channel Logout). The core decides to which clients, and when to try again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use grantor_core::base::row::{Index, Row};
use grantor_core::model::ids::ClientId;
use grantor_core::people::backchannel::{Answer, Claim, Notice, Settle};
use grantor_core::records::{Outbox, Record as _};
use grantor_store::Store;
use grantor_web::{App, Clock, Snapshot, Unavailable};
use tokio::time::timeout;

use crate::cause::{Causes, innermost};

#[cfg(test)]
mod tests;

/// How often the store is searched for rows that another server wrote, or that are due for another attempt.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
/// How long a client may take to respond.
pub const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Rows of one read.
const PAGE: usize = 100;
/// Sessions whose logout tokens are delivered at the same time.
const MAX_CONCURRENT: usize = 32;

pub struct BackChannel {
    app: Arc<App>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
}

impl BackChannel {
    /// `http` must follow no redirects, and its requests must end within [`ANSWER_TIME`].
    #[must_use]
    pub const fn new(
        app: Arc<App>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        http: reqwest::Client,
    ) -> Self {
        Self {
            app,
            store,
            clock,
            http,
        }
    }

    /// Delivers what is due, until it is dropped.
    pub async fn watch(self) {
        let mut failing = false;
        loop {
            match self.deliver_all().await {
                Ok(()) => failing = false,
                // Logged once, not every second.
                Err(_) if failing => {}
                Err(error) => {
                    failing = true;
                    tracing::error!(error = %Causes(&error), "logout tokens cannot be delivered; trying again");
                }
            }
            // At once where this server ended a session, otherwise soon.
            timeout(LOOKED_EVERY, self.app.outbox_written()).await.ok();
        }
    }

    /// Attempts every delivery that is due.
    ///
    /// # Errors
    /// [`Unavailable`]: the rest stays due.
    pub async fn deliver_all(&self) -> Result<(), Unavailable> {
        let silent = Silent::default();
        loop {
            let due = self.due().await?;
            let is_last = due.len() < PAGE;
            let tried = stream::iter(due).map(|outbox| self.deliver(outbox, &silent));
            let tried: Vec<_> = tried.buffer_unordered(MAX_CONCURRENT).collect().await;
            tried.into_iter().collect::<Result<(), _>>()?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// The first rows that are due. Rows are sorted by the time when they are due.
    async fn due(&self) -> Result<Vec<Outbox>, Unavailable> {
        let index = Index::Kind {
            realm: self.app.realm().name.clone(),
            kind: Outbox::KIND.to_owned(),
        };
        let rows = self.store.list(&index, None, PAGE).await?;
        let now = self.clock.now();
        let rows = rows.iter().filter_map(read);
        let due = rows.filter(|outbox| outbox.is_due(now));
        // The next sweep deletes expired rows.
        Ok(due
            .filter(|outbox| !outbox.expires_at.is_past(now))
            .collect())
    }

    /// Delivers the logout tokens of one session, unless another server has claimed it.
    async fn deliver(&self, outbox: Outbox, silent: &Silent) -> Result<(), Unavailable> {
        // The tokens name keys of this snapshot.
        let (claimed, snapshot) = self.app.run_to_sign(Claim { outbox }).await?;
        let Ok(Some(claimed)) = claimed.reply else {
            return Ok(());
        };
        let notices = claimed.notices.into_iter();
        let deliveries = notices.map(|notice| self.send(notice, &snapshot, silent));
        let settle = Settle {
            answers: join_all(deliveries).await,
            outbox: claimed.outbox,
        };
        self.app.run(settle).await.map(|_| ())
    }

    async fn send(
        &self,
        Notice { client, uri, token }: Notice,
        snapshot: &Snapshot,
        silent: &Silent,
    ) -> (ClientId, Answer) {
        if silent.has(&client) {
            return (client, Answer::Later);
        }
        let (answer, why) = match snapshot.sign(token).await {
            Ok(token) => self.post(&uri, &token).await,
            Err(error) => (Answer::Later, error.to_string()),
        };
        if answer == Answer::Later {
            silent.add(&client);
        }
        if answer != Answer::Delivered {
            let again = answer == Answer::Later;
            tracing::warn!(%client, why, again, "a logout token was not delivered");
        }
        (client, answer)
    }

    /// Section 2.5: "The POST body uses the application/x-www-form-urlencoded encoding and must include a logout_token
    /// parameter". Only the status of the response is read.
    async fn post(&self, uri: &str, token: &str) -> (Answer, String) {
        let request = self.http.post(uri).form(&[("logout_token", token)]);
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                (Answer::from_status(status.as_u16()), status.to_string())
            }
            Err(error) => (Answer::Later, innermost(&error)),
        }
    }
}

/// The clients that did not respond in this pass. Each is tried once, so that one that is down does not delay the others.
#[derive(Default)]
struct Silent(Mutex<HashSet<ClientId>>);

impl Silent {
    fn has(&self, client: &ClientId) -> bool {
        self.clients().contains(client)
    }

    fn add(&self, client: &ClientId) {
        self.clients().insert(client.clone());
    }

    fn clients(&self) -> MutexGuard<'_, HashSet<ClientId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row that cannot be read is skipped.
fn read(row: &Row) -> Option<Outbox> {
    serde_json::from_slice(&row.value)
        .inspect_err(
            |error| tracing::error!(key = ?row.key, error = %Causes(error), "a row cannot be read"),
        )
        .ok()
}
