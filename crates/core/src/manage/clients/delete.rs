//! Deletes a client. Its grants and consents are dead: a later client of its id is another instance.

use super::super::admitted::ApiOperation;
use super::super::caller::Caller;
use super::super::document::Stored;
use super::super::precondition::{ETag, IfMatch};
use super::super::refusal::{ApiCode, ApiRefusal};
use super::{managed, reads, rights, stored};
use crate::base::row::Key;
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::model::config_document::{ConfigDocument, PartKind};
use crate::model::ids::ClientId;
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::records;

#[derive(Clone, Debug)]
pub struct DeleteClient {
    pub id: String,
    pub if_match: IfMatch,
}

impl ApiOperation for DeleteClient {
    type Reply = ();

    fn needs(&self) -> &'static [Right] {
        rights::WRITE
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        reads(realm, &self.id)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<(), ApiRefusal>, Stop<ApiRefusal>> {
        let row = managed(env, facts, caller, &self.id)?;
        self.if_match.check(&ETag::from(row.row.version))?;
        let id = &row.record.client;
        if let Some(client) = stored(env.realm, &row.record) {
            rights::judge_before(env.realm, caller, &row.record, &client, false)?;
        }
        let mut decision = Decision::reply(()).write(records::delete(&row.row)?);
        let stored = Stored::read(env, facts)?;
        let mut document = stored.content();
        if let Some(rule) = rule_of(&document, id) {
            return Err(ApiRefusal::naming(
                ApiCode::InUse,
                format!("The exchange rule {rule:?} names this client: delete or change it first."),
            )
            .into());
        }
        if document.clients.contains(id) {
            document.clients.retain(|chosen| chosen != id);
            decision = decision.writes(stored.replaced_by(env, document)?);
        }
        let event = Event::new(EventKind::ClientDeleted).client(id);
        Ok(decision.event(caller.did(event)))
    }
}

/// A rule that names the client: it must not be there for a later client of that id.
pub(super) fn rule_of<'d>(document: &'d ConfigDocument, id: &ClientId) -> Option<&'d String> {
    let names = |value: Option<&serde_json::Value>| match value {
        Some(serde_json::Value::String(name)) => name == id.as_str(),
        Some(serde_json::Value::Array(names)) => {
            names.iter().any(|name| name.as_str() == Some(id.as_str()))
        }
        _ => false,
    };
    let rules = document.parts(PartKind::ExchangeRule).iter();
    let mut rules = rules.filter(|(_, rule)| {
        ["client", "subject_clients"]
            .iter()
            .any(|key| names(rule.written.get(*key)))
    });
    rules.next().map(|(name, _)| name)
}
