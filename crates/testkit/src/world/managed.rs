//! Clients that are kept in the store.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aws_lc_rs::digest;
use futures_util::FutureExt as _;
use grantor_core::base::row::{Version, Write};
use grantor_core::model::changed::Changed;
use grantor_core::model::checks::Problem;
use grantor_core::model::client::{Client, ConsentPolicy};
use grantor_core::model::config_document::{ConfigDocument, PartKind};
use grantor_core::model::grant_type::GrantType;
use grantor_core::model::ids::{ClientId, UserInstance};
use grantor_core::model::managed::{Managed, WrittenObjects};
use grantor_core::model::organization::Availability;
use grantor_core::model::scope::Scope;
use grantor_core::records::{self, ClientSecret, ManagedClient};
use grantor_store::Store as _;
use serde_json::{Map, Value};

use super::World;
use crate::clients::{app, secret_of};

/// What rows stand for: the client that was declared, enabled or not as the row says.
#[derive(Clone, Debug, Default)]
struct Templates(HashMap<ClientId, Client>);

impl WrittenObjects for Templates {
    fn client(
        &self,
        id: &ClientId,
        written: &Map<String, Value>,
        confidential: bool,
    ) -> Result<Client, Vec<Problem>> {
        self.stored_client(id, written, confidential)
            .ok_or_else(Vec::new)
    }

    fn stored_client(
        &self,
        id: &ClientId,
        written: &Map<String, Value>,
        _: bool,
    ) -> Option<Client> {
        let mut client = self.0.get(id)?.clone();
        client.enabled = written.get("enabled") != Some(&Value::Bool(false));
        Some(client)
    }

    fn declared_client(&self, _: &ClientId) -> Option<Map<String, Value>> {
        None
    }

    fn declared_part(&self, _: PartKind, _: &str) -> Option<Map<String, Value>> {
        None
    }

    fn declared_parts(&self, _: PartKind) -> Vec<String> {
        Vec::new()
    }

    fn check(&self, _: &ConfigDocument) -> Vec<(PartKind, String, Problem)> {
        Vec::new()
    }
}

/// Makes a client of what is written, as far as rights depend on it. Members that it does not know are refused.
#[derive(Clone, Copy, Debug)]
struct AnyClient;

impl WrittenObjects for AnyClient {
    fn client(
        &self,
        id: &ClientId,
        written: &Map<String, Value>,
        _: bool,
    ) -> Result<Client, Vec<Problem>> {
        let mut client = app(id.as_str(), &[]);
        client.scopes = Scope::default();
        client.grants = Vec::new();
        let texts = |value: &Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items
                .filter_map(Value::as_str)
                .map(ToOwned::to_owned)
                .collect()
        };
        for (key, value) in written {
            let text = value.as_str().unwrap_or_default();
            match key.as_str() {
                "enabled" => client.enabled = value.as_bool().unwrap_or_default(),
                "scopes" => client.scopes = texts(value).iter().map(String::as_str).collect(),
                "grants" => {
                    let all = GrantType::ALL.iter().copied();
                    client.grants = all
                        .filter(|grant| texts(value).iter().any(|it| it == grant.short()))
                        .collect();
                }
                "availability" => {
                    let mut all = Availability::ALL.iter().copied();
                    client.availability = all.find(|it| it.name() == text).ok_or_else(Vec::new)?;
                }
                "organization" => client.organization = text.parse().ok(),
                "may_act" => client.actor = text.parse().ok(),
                "resources" => client.resources = texts(value),
                "consent" if text == "skip" => client.code.consent = ConsentPolicy::Skip,
                "name" | "consent" => {}
                _ => return Err(Vec::new()),
            }
        }
        Ok(client)
    }

    fn stored_client(
        &self,
        id: &ClientId,
        written: &Map<String, Value>,
        confidential: bool,
    ) -> Option<Client> {
        self.client(id, written, confidential).ok()
    }

    fn declared_client(&self, _: &ClientId) -> Option<Map<String, Value>> {
        None
    }

    fn declared_part(&self, _: PartKind, _: &str) -> Option<Map<String, Value>> {
        None
    }

    fn declared_parts(&self, _: PartKind) -> Vec<String> {
        Vec::new()
    }

    fn check(&self, _: &ConfigDocument) -> Vec<(PartKind, String, Problem)> {
        Vec::new()
    }
}

impl World {
    /// Clients can be made by the API from now on.
    pub fn take_clients(&mut self) {
        self.reconfigure(|realm| {
            realm.managed = Managed::new(None, HashSet::new(), "", Arc::new(AnyClient));
        });
    }

    /// Clients of the realm are kept in the store from now on, and asked for there.
    pub fn keep_in_store(&mut self, ids: &[&str]) {
        let mut templates = Templates::default();
        let ids: Vec<ClientId> = ids.iter().map(|id| id.parse().expect("an id")).collect();
        for id in &ids {
            let client = self.realm.clients.get(id).expect("a client of the realm");
            let client = Client::clone(client);
            let secret = secret_of(id.as_str()).map(|secret| ClientSecret {
                id: "0".to_owned(),
                sha256: hex(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref()),
                created: self.now,
                expires_at: None,
            });
            let changed = Changed {
                at: self.now,
                by: "operator:0".to_owned(),
                trace_id: String::new(),
            };
            let row = ManagedClient {
                client: id.clone(),
                instance: client.instance,
                written: Map::new(),
                confidential: client.is_confidential(),
                secrets: secret.into_iter().collect(),
                owner: None,
                owner_instance: UserInstance::default(),
                created: changed.clone(),
                changed,
                judged_at: Some(self.now),
            };
            let write = records::insert(&self.realm.name, &row).expect("a row");
            self.write_directly(write);
            templates.0.insert(id.clone(), client);
        }
        let chosen: HashSet<ClientId> = ids.iter().cloned().collect();
        self.reconfigure(|realm| {
            realm.clients.retain(|id, _| !chosen.contains(id));
            realm.managed = Managed::new(None, chosen, "", Arc::new(templates));
        });
    }

    /// Someone changes the row of a client.
    pub fn change_stored_client(&mut self, id: &str, change: impl FnOnce(&mut ManagedClient)) {
        let id: ClientId = id.parse().expect("an id");
        let key = ManagedClient::key(&self.realm.name, &id);
        let faults = self.faults();
        let rows = faults.inner().get(&[key]).now_or_never();
        let rows = rows.and_then(Result::ok).expect("memory is ready at once");
        let row = rows.into_iter().next().flatten().expect("it is there");
        let mut record: ManagedClient = serde_json::from_slice(&row.value).expect("a client");
        change(&mut record);
        let write = records::update(&self.realm.name, &record, &row).expect("a row");
        self.write_directly(write);
    }

    /// Without what a test counts, and whatever faults it waits for.
    fn write_directly(&mut self, write: Write) {
        let id = Version::from_bytes(self.seed().bytes("commit"));
        let now = self.now;
        let faults = self.faults();
        let written = faults.inner().commit(now, id, vec![write]).now_or_never();
        written
            .and_then(Result::ok)
            .expect("memory is ready at once");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
