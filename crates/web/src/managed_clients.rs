//! Clients that the store has, remembered for two seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grantor_core::base::row::MAX_KEYS;
use grantor_core::base::time::Timestamp;
use grantor_core::manage::resolve;
use grantor_core::model::client::Client;
use grantor_core::model::ids::ClientId;
use grantor_core::model::realm::Realm;
use grantor_core::records::ManagedClient;

use crate::app::{App, Unavailable};
use crate::snapshot::Snapshot;

/// How old what is remembered may be. Another node's change counts here within that time.
const MAX_AGE: Duration = Duration::from_secs(2);
const MAX_CLIENTS: usize = 10_000;

/// What was read of clients, each by the realm that resolved it. That there is none is not remembered.
#[derive(Default)]
pub(crate) struct ManagedClients(Mutex<HashMap<ClientId, Remembered>>);

struct Remembered {
    /// Since the read began, by the monotonic clock.
    since: Timestamp,
    realm: Arc<Realm>,
    client: Arc<Client>,
}

impl ManagedClients {
    fn get(&self, id: &ClientId, realm: &Arc<Realm>, now: Timestamp) -> Option<Arc<Client>> {
        let known = self.lock();
        let known = known.get(id)?;
        let is_fresh = now.since(known.since) <= MAX_AGE && Arc::ptr_eq(&known.realm, realm);
        is_fresh.then(|| Arc::clone(&known.client))
    }

    fn remember(&self, id: &ClientId, remembered: Remembered) {
        let mut known = self.lock();
        if known.len() >= MAX_CLIENTS {
            let now = remembered.since;
            known.retain(|_, it| now.since(it.since) <= MAX_AGE);
        }
        // What is asked for at random is read each time then.
        if known.len() < MAX_CLIENTS {
            known.insert(id.clone(), remembered);
        }
    }

    /// A commit of this process changed it.
    pub(crate) fn forget(&self, id: &ClientId) {
        self.lock().remove(id);
    }

    /// A commit of this process changed what clients depend on: an owner or an organization.
    pub(crate) fn forget_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ClientId, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Each of these clients, if there is one of that id.
    pub(crate) async fn managed_clients(
        &self,
        snapshot: &Snapshot,
        ids: Vec<ClientId>,
    ) -> Result<Vec<(ClientId, Option<Arc<Client>>)>, Unavailable> {
        let realm = &snapshot.realm;
        let now = self.monotonic();
        let known = |id: &ClientId| self.clients.get(id, realm, now);
        let mut found: Vec<_> = ids.into_iter().map(|id| (known(&id), id)).collect();
        let missing = found.iter_mut().filter(|(client, _)| client.is_none());
        let mut missing: Vec<_> = missing.collect();
        for chunk in missing.chunks_mut(MAX_KEYS) {
            let keys: Vec<_> = chunk
                .iter()
                .map(|(_, id)| ManagedClient::key(&realm.name, id))
                .collect();
            let rows = self.store().get(&keys).await?;
            for ((client, id), row) in chunk.iter_mut().zip(rows) {
                let Some(row) = row else { continue };
                let record = resolve::read(&row)?;
                let keys = resolve::dependencies(realm, &record);
                let rows = match keys.is_empty() {
                    true => Vec::new(),
                    false => self.store().get(&keys).await?,
                };
                let resolved = resolve::client(realm, &record, &rows, self.now())?;
                if let Some(resolved) = resolved {
                    let resolved = Arc::new(resolved);
                    let remembered = Remembered {
                        since: now,
                        realm: Arc::clone(realm),
                        client: Arc::clone(&resolved),
                    };
                    self.clients.remember(id, remembered);
                    *client = Some(resolved);
                }
            }
        }
        Ok(found.into_iter().map(|(client, id)| (id, client)).collect())
    }
}
