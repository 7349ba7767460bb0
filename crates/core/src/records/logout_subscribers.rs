//! The clients to notify of the end of a session.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::client::Client;
use crate::model::ids::{ClientId, ClientInstance};

/// A part of the rows that hold it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutSubscribers {
    #[serde(rename = "to_tell", default, skip_serializing_if = "Vec::is_empty")]
    clients: Vec<ClientId>,
    /// Of the clients that have one.
    #[serde(
        rename = "to_tell_instances",
        default,
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    instances: BTreeMap<ClientId, ClientInstance>,
}

impl LogoutSubscribers {
    #[must_use]
    pub fn contains(&self, client: &Client) -> bool {
        self.clients.contains(&client.id) && self.instance(&client.id) == client.instance
    }

    /// Adds a client, in place of an earlier one of its id.
    pub fn add(&mut self, client: &Client) {
        if !self.clients.contains(&client.id) {
            self.clients.push(client.id.clone());
        }
        match client.instance.is_first() {
            true => self.instances.remove(&client.id),
            false => self.instances.insert(client.id.clone(), client.instance),
        };
    }

    #[must_use]
    pub const fn ids(&self) -> &Vec<ClientId> {
        &self.clients
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    #[must_use]
    pub fn only(&self, kept: impl Fn(&ClientId) -> bool) -> Self {
        let mut only = self.clone();
        only.clients.retain(&kept);
        only.instances.retain(|id, _| kept(id));
        only
    }

    fn instance(&self, id: &ClientId) -> ClientInstance {
        self.instances.get(id).copied().unwrap_or_default()
    }
}
