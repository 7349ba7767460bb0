//! Starts of a server with the clients of its configuration.

use std::sync::Arc;

use grantor_core::model::client::Client;
use grantor_core::model::ids::ClientId;
use grantor_core::people::{ProvisionClients, RememberInstances, WithdrawClient};
use grantor_core::records::DeclaredClient;

use super::World;
use crate::client;

impl World {
    /// The server starts: it finds out which of its clients are new, and forgets those that are gone.
    pub fn start(&mut self) {
        let mut declared: Vec<ClientId> = self.realm.clients.keys().cloned().collect();
        declared.sort();
        for row in self.list("instance") {
            let known: DeclaredClient = serde_json::from_slice(&row.value).expect("a client");
            if !declared.contains(&known.client) {
                let withdrawn = self.ask(WithdrawClient {
                    client: known.client,
                });
                assert_eq!(withdrawn.reply, Ok(()));
            }
        }
        for clients in declared.chunks(ProvisionClients::MAX_CLIENTS) {
            let clients = clients.to_vec();
            let found = self.ask(ProvisionClients { clients }).reply;
            for (id, instance) in found.expect("it is never refused") {
                self.reconfigure(|realm| client(realm, id.as_str()).instance = instance);
            }
        }
        assert_eq!(self.ask(RememberInstances).reply, Ok(()));
    }

    /// The operator takes the client out of the configuration, and starts the server.
    pub fn withdraw_client(&mut self, id: &str) -> Client {
        let id: ClientId = id.parse().expect("a client id");
        let mut withdrawn = None;
        self.reconfigure(|realm| withdrawn = realm.clients.remove(&id));
        self.start();
        Arc::unwrap_or_clone(withdrawn.expect("a client of the realm"))
    }

    /// The operator declares a client, and starts the server.
    pub fn declare_client(&mut self, client: Client) {
        self.reconfigure(|realm| {
            realm.clients.insert(client.id.clone(), Arc::new(client));
        });
        self.start();
    }
}
