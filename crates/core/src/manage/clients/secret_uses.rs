//! Writes when secrets were last used, apart from the requests that used them.

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::base::time::Timestamp;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::ids::{ClientId, ClientInstance};
use crate::records::{self, ManagedClient, SecretUses};

/// Of one client. Of several nodes' times the latest counts.
#[derive(Clone, Debug)]
pub struct RecordSecretUses {
    pub client: ClientId,
    pub instance: ClientInstance,
    /// By the ids of the secrets.
    pub uses: BTreeMap<String, Timestamp>,
}

impl Task for RecordSecretUses {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<(), Infallible>, Halt> {
        let realm = &env.realm.name;
        let client = ManagedClient::key(realm, &self.client);
        let key = SecretUses::key(realm, &self.client);
        facts.need(&[&client, &key])?;
        let client = facts.record::<ManagedClient>(env, &client)?.live();
        let Some(client) = client.filter(|it| it.record.instance == self.instance) else {
            return Ok(Decision::reply(()));
        };
        let stored = facts.record::<SecretUses>(env, &key)?.live();
        let before = stored.as_ref().map(|it| &it.record);
        let before = before.filter(|it| it.instance == self.instance);
        let mut uses = BTreeMap::new();
        for secret in &client.record.secrets {
            let before = before.and_then(|it| it.uses.get(&secret.id)).copied();
            let now = self.uses.get(&secret.id).copied();
            // Another process may have written it within the hour.
            let is_due = |at: &Timestamp| {
                before.is_none_or(|before| at.since(before) >= SecretUses::INTERVAL)
            };
            let at = now.filter(is_due).or(before);
            uses.extend(at.map(|at| (secret.id.clone(), at)));
        }
        if uses.is_empty() || before.is_some_and(|before| before.uses == uses) {
            return Ok(Decision::reply(()));
        }
        let record = SecretUses {
            client: self.client.clone(),
            instance: self.instance,
            uses,
        };
        let write = match &stored {
            Some(stored) => records::update(realm, &record, &stored.row)?,
            None => records::insert(realm, &record)?,
        };
        Ok(Decision::reply(()).write(write))
    }
}
