//! Finds out which clients are new to the store, and forgets those that the file no longer declares.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use grantor_core::model::ids::{ClientId, ClientInstance};
use grantor_core::people::{ProvisionClients, RememberInstances, WithdrawClient};
use grantor_core::records::DeclaredClient;
use grantor_store::Store;
use grantor_web::{App, Unavailable};

use crate::realm_owner::RealmOwner;
use crate::users::{listed, run};

type Instances = HashMap<ClientId, ClientInstance>;

/// The instances that an earlier start found, for commands on a store that no server has open.
///
/// # Errors
/// [`Unavailable`]
pub async fn restore(store: &dyn Store) -> Result<Instances, Unavailable> {
    let stored = listed::<DeclaredClient>(store).await?.into_iter();
    Ok(stored.map(|known| (known.client, known.instance)).collect())
}

/// At a start: gives each client its instance, and forgets those that the file no longer declares.
///
/// # Errors
/// [`Unavailable`]
pub async fn start(
    app: &Arc<App>,
    store: &dyn Store,
    owner: &RealmOwner,
) -> Result<(), Unavailable> {
    let declared: HashSet<ClientId> = app.realm().clients.keys().cloned().collect();
    withdraw(app, store, &declared).await?;
    owner.set_instances(provision(app, declared).await?);
    Ok(())
}

/// The instance of each of these clients; new ones get theirs. To be done before the first request to a client: what an
/// earlier client of its id left behind must count for no later one.
///
/// # Errors
/// [`Unavailable`]
pub async fn provision(
    app: &Arc<App>,
    clients: impl IntoIterator<Item = ClientId>,
) -> Result<Instances, Unavailable> {
    let clients: Vec<ClientId> = clients.into_iter().collect();
    let mut instances = Instances::new();
    for clients in clients.chunks(ProvisionClients::MAX_CLIENTS) {
        let clients = clients.to_vec();
        instances.extend(run(app, ProvisionClients { clients }).await?);
    }
    run(app, RememberInstances).await?;
    Ok(instances)
}

/// Forgets the clients of the store that are not among `declared`.
///
/// # Errors
/// [`Unavailable`]
pub async fn withdraw(
    app: &Arc<App>,
    store: &dyn Store,
    declared: &HashSet<ClientId>,
) -> Result<(), Unavailable> {
    for DeclaredClient { client, .. } in listed::<DeclaredClient>(store).await? {
        if !declared.contains(&client) {
            tracing::info!(%client, "the file no longer declares this client: what it was given has ended");
            run(app, WithdrawClient { client }).await?;
        }
    }
    Ok(())
}
