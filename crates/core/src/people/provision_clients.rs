//! Keeps which clients the configuration file declares, so that an id that is declared again is another client.

use std::convert::Infallible;

use crate::base::row::MAX_KEYS;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::ids::{ClientId, ClientInstance};
use crate::records::{self, DeclaredClient, InstancesSince};

/// Finds the instances of declared clients, and draws those of new ones. Until [`RememberInstances`], each new client is
/// the one of the rows that have no instance.
#[derive(Clone, Debug)]
pub struct ProvisionClients {
    /// At most [`Self::MAX_CLIENTS`].
    pub clients: Vec<ClientId>,
}

impl ProvisionClients {
    /// With the marker, these are one read.
    pub const MAX_CLIENTS: usize = MAX_KEYS - 1;
}

impl Task for ProvisionClients {
    type Reply = Vec<(ClientId, ClientInstance)>;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply, Infallible>, Halt> {
        let realm = &env.realm.name;
        let since = InstancesSince::key(realm);
        let clients = self.clients.iter().take(Self::MAX_CLIENTS);
        let keys: Vec<_> = clients.map(|id| DeclaredClient::key(realm, id)).collect();
        facts.need(&keys.iter().chain([&since]).collect::<Vec<_>>())?;
        let is_first_start = facts
            .record::<InstancesSince>(env, &since)?
            .live()
            .is_none();
        let (mut instances, mut writes) = (Vec::new(), Vec::new());
        for (client, key) in self.clients.iter().zip(&keys) {
            let stored = facts.record::<DeclaredClient>(env, key)?.live();
            let instance = match stored {
                Some(stored) => stored.record.instance,
                None => {
                    let drawn = env.seed.bytes(&format!("instance {client}"));
                    let declared = DeclaredClient {
                        client: client.clone(),
                        instance: match is_first_start {
                            true => ClientInstance::FIRST,
                            false => ClientInstance::from_bytes(drawn),
                        },
                    };
                    writes.push(records::insert(realm, &declared)?);
                    declared.instance
                }
            };
            instances.push((client.clone(), instance));
        }
        Ok(Decision::reply(instances).writes(writes))
    }
}

/// Remembers that each client of the first start has its row.
#[derive(Clone, Copy, Debug)]
pub struct RememberInstances;

impl Task for RememberInstances {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<(), Infallible>, Halt> {
        let key = InstancesSince::key(&env.realm.name);
        let known = facts.record::<InstancesSince>(env, &key)?.live();
        let since = InstancesSince { at: env.now };
        let write = match known {
            Some(_) => None,
            None => Some(records::insert(&env.realm.name, &since)?),
        };
        Ok(Decision::reply(()).writes(write))
    }
}

/// Forgets a client that the configuration file no longer declares. Its grants and consents count for no later client of
/// its id.
#[derive(Clone, Debug)]
pub struct WithdrawClient {
    pub client: ClientId,
}

impl Task for WithdrawClient {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<(), Infallible>, Halt> {
        let key = DeclaredClient::key(&env.realm.name, &self.client);
        let stored = facts.record::<DeclaredClient>(env, &key)?.live();
        let delete = stored.map(|stored| records::delete(&stored.row));
        Ok(Decision::reply(()).writes(delete.transpose()?))
    }
}
