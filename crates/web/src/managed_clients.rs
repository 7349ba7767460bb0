//! Clients that the store has, remembered for two seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grantor_core::base::row::MAX_KEYS;
use grantor_core::base::time::Timestamp;
use grantor_core::engine::facts::FoundClients;
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

/// Of the rows that are remembered.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// What was read of clients, each by the realm that resolved it. That there is none is not remembered.
#[derive(Default)]
pub(crate) struct ManagedClients(Mutex<Known>);

#[derive(Default)]
struct Known {
    clients: HashMap<ClientId, Remembered>,
    bytes: usize,
    /// How often something was forgotten: what was read before is not remembered after.
    forgotten: u64,
}

struct Remembered {
    /// Since the read began, by the monotonic clock.
    since: Timestamp,
    realm: Arc<Realm>,
    client: Arc<Client>,
    /// Of its row.
    bytes: usize,
}

impl ManagedClients {
    fn get(&self, id: &ClientId, realm: &Arc<Realm>, now: Timestamp) -> Option<Arc<Client>> {
        let known = self.lock();
        let known = known.clients.get(id)?;
        let is_fresh = now.since(known.since) <= MAX_AGE && Arc::ptr_eq(&known.realm, realm);
        is_fresh.then(|| Arc::clone(&known.client))
    }

    fn forgotten(&self) -> u64 {
        self.lock().forgotten
    }

    /// `forgotten` is what it was before the read.
    fn remember(&self, id: &ClientId, remembered: Remembered, forgotten: u64) {
        let mut known = self.lock();
        if known.forgotten != forgotten {
            return;
        }
        let has_room = |known: &Known| {
            known.clients.len() < MAX_CLIENTS && known.bytes + remembered.bytes <= MAX_BYTES
        };
        if !has_room(&known) {
            let now = remembered.since;
            known.clients.retain(|_, it| now.since(it.since) <= MAX_AGE);
            known.bytes = known.clients.values().map(|it| it.bytes).sum();
        }
        // What is asked for at random is read each time then.
        if has_room(&known) {
            known.bytes += remembered.bytes;
            if let Some(before) = known.clients.insert(id.clone(), remembered) {
                known.bytes -= before.bytes;
            }
        }
    }

    /// A commit of this process changed it.
    pub(crate) fn forget(&self, id: &ClientId) {
        let mut known = self.lock();
        known.forgotten += 1;
        if let Some(before) = known.clients.remove(id) {
            known.bytes -= before.bytes;
        }
    }

    /// A commit of this process changed what clients depend on: an owner.
    pub(crate) fn forget_all(&self) {
        let mut known = self.lock();
        let forgotten = known.forgotten + 1;
        *known = Known {
            forgotten,
            ..Known::default()
        };
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Each of these clients, if there is one of that id.
    pub(crate) async fn managed_clients(
        &self,
        snapshot: &Snapshot,
        ids: Vec<ClientId>,
    ) -> Result<FoundClients, Unavailable> {
        let realm = &snapshot.realm;
        let (now, forgotten) = (self.monotonic(), self.clients.forgotten());
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
                        bytes: row.value.len(),
                    };
                    self.clients.remember(id, remembered, forgotten);
                    *client = Some(resolved);
                }
            }
        }
        Ok(found.into_iter().map(|(client, id)| (id, client)).collect())
    }
}
