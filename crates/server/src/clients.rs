//! Finds out, at a start, which clients are new to the store, and forgets those that the file no longer declares.

use std::collections::HashSet;
use std::sync::Arc;

use grantor_core::model::ids::ClientId;
use grantor_core::people::{ProvisionClients, RememberInstances, WithdrawClient};
use grantor_core::records::DeclaredClient;
use grantor_store::Store;
use grantor_web::{App, Unavailable};

use crate::users::{listed, run};

/// The instances that an earlier start found, for commands on a store that no server has open.
///
/// # Errors
/// [`Unavailable`]
pub async fn restore(app: &Arc<App>, store: &dyn Store) -> Result<(), Unavailable> {
    let stored = listed::<DeclaredClient>(store).await?.into_iter();
    app.set_instances(stored.map(|known| (known.client, known.instance)));
    Ok(())
}

/// Gives each declared client its instance. To be done before the first request: what an earlier client of an id left
/// behind must count for no later one.
///
/// # Errors
/// [`Unavailable`]
pub async fn provision(app: &Arc<App>, store: &dyn Store) -> Result<(), Unavailable> {
    let declared: HashSet<ClientId> = app.realm().clients.keys().cloned().collect();
    let stored = listed::<DeclaredClient>(store).await?;
    for DeclaredClient { client, .. } in stored {
        if !declared.contains(&client) {
            tracing::info!(%client, "the file no longer declares this client: what it was given has ended");
            run(app, WithdrawClient { client }).await?;
        }
    }
    let declared: Vec<ClientId> = declared.into_iter().collect();
    let mut instances = Vec::new();
    for clients in declared.chunks(ProvisionClients::MAX_CLIENTS) {
        let clients = clients.to_vec();
        let found = run(app, ProvisionClients { clients }).await?;
        instances.extend(found);
    }
    run(app, RememberInstances).await?;
    app.set_instances(instances);
    Ok(())
}
