//! Back-channel logout (OpenID Connect Back-Channel Logout): clients are told that a session ended, as
//! `core/src/backchannel.rs` decides.

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
use grantor_web::{App, Clock, Unavailable};
use tokio::time::timeout;

use crate::cause::innermost;

#[cfg(test)]
mod tests;

/// How often rows are looked for that another server wrote, or that are due once more.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
/// How long a client may take to answer.
pub const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Rows of one look.
const PAGE: usize = 100;
/// Sessions whose clients are told at the same time.
const AT_ONCE: usize = 32;

/// What tells them.
pub struct BackChannel {
    app: Arc<App>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
}

impl BackChannel {
    /// Of this application and its store; `http` sends to the very address that the operator wrote, within
    /// [`ANSWER_TIME`].
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

    /// Tells whoever is to be told, for ever.
    pub async fn watch(self) {
        let mut failing = false;
        loop {
            match self.tell_all().await {
                Ok(()) => failing = false,
                // Once, and not each second.
                Err(_) if failing => {}
                Err(error) => {
                    failing = true;
                    tracing::error!(%error, "clients cannot be told that sessions ended; they will be");
                }
            }
            // At once where this server ended one, else soon.
            timeout(LOOKED_EVERY, self.app.outbox_written()).await.ok();
        }
    }

    /// Tries what is due, until nothing is.
    ///
    /// # Errors
    /// [`Unavailable`]: what could not be tried stays due.
    pub async fn tell_all(&self) -> Result<(), Unavailable> {
        let silent = Silent::default();
        loop {
            let due = self.due().await?;
            let is_last = due.len() < PAGE;
            let tried = stream::iter(due).map(|outbox| self.tell(outbox, &silent));
            let tried: Vec<_> = tried.buffer_unordered(AT_ONCE).collect().await;
            tried.into_iter().collect::<Result<(), _>>()?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// The first rows that are due: they stand in the order in which they are.
    async fn due(&self) -> Result<Vec<Outbox>, Unavailable> {
        let index = Index::Kind {
            realm: self.app.realm().name.clone(),
            kind: Outbox::KIND.to_owned(),
        };
        let rows = self.store.list(&index, None, PAGE).await?;
        let now = self.clock.now();
        let rows = rows.iter().filter_map(read);
        let due = rows.take_while(|outbox| outbox.due.is_past(now));
        // One that has ended waits for nothing but the next sweep.
        Ok(due
            .filter(|outbox| !outbox.expires_at.is_past(now))
            .collect())
    }

    /// Tells the clients of one session, if nobody else does.
    async fn tell(&self, outbox: Outbox, silent: &Silent) -> Result<(), Unavailable> {
        let claimed = self.app.run(Claim { outbox }).await?;
        let Ok(Some(claimed)) = claimed.reply else {
            return Ok(());
        };
        let notices = claimed.notices.into_iter();
        let told = notices.map(|notice| self.send(notice, silent));
        let settle = Settle {
            answers: join_all(told).await,
            outbox: claimed.outbox,
        };
        self.app.run(settle).await.map(|_| ())
    }

    async fn send(
        &self,
        Notice { client, uri, token }: Notice,
        silent: &Silent,
    ) -> (ClientId, Answer) {
        if silent.has(&client) {
            return (client, Answer::Later);
        }
        let (answer, why) = match self.app.sign(token).await {
            Ok(token) => self.post(&uri, &token).await,
            Err(error) => (Answer::Later, error.to_string()),
        };
        if answer == Answer::Later {
            silent.add(&client);
        }
        if answer != Answer::Delivered {
            let again = answer == Answer::Later;
            tracing::warn!(%client, why, again, "a client was not told that a session ended");
        }
        (client, answer)
    }

    /// Section 2.5: "The POST body uses the application/x-www-form-urlencoded encoding and must include a logout_token
    /// parameter". Of the answer only the status is read, however much follows.
    async fn post(&self, uri: &str, token: &str) -> (Answer, String) {
        let request = self.http.post(uri).form(&[("logout_token", token)]);
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                (Answer::of_status(status.as_u16()), status.to_string())
            }
            Err(error) => (Answer::Later, innermost(&error)),
        }
    }
}

/// The clients that did not answer in this pass: each is waited for once, so that one that is down holds up no other.
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

/// A row that cannot be read holds up no other.
fn read(row: &Row) -> Option<Outbox> {
    serde_json::from_slice(&row.value)
        .inspect_err(|error| tracing::error!(key = ?row.key, %error, "a row cannot be read"))
        .ok()
}
