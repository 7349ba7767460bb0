//! Changes a client.

use super::super::admitted::ApiOperation;
use super::super::caller::Caller;
use super::super::document::Stored;
use super::super::edit::Edit;
use super::super::precondition::{ETag, IfMatch};
use super::super::refusal::ApiRefusal;
use super::create::add_algorithm;
use super::{
    CONFIDENTIAL, ClientView, READ_ONLY, check_owner_and_organization, checked, managed, reads,
    rights, stored, take_confidential,
};
use crate::base::row::{Key, Version};
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::model::client::Client;
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::records::{self, ManagedClient};

#[derive(Clone, Debug)]
pub struct ChangeClient {
    pub id: String,
    pub edit: Edit,
    pub if_match: IfMatch,
}

impl ApiOperation for ChangeClient {
    type Reply = ClientView;

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
    ) -> Result<Decision<ClientView, ApiRefusal>, Stop<ApiRefusal>> {
        let row = managed(env, facts, caller, &self.id)?;
        self.if_match.check(&ETag::from(row.row.version))?;
        let before = &row.record;
        let mut shown = before.written.clone();
        shown.insert(CONFIDENTIAL.to_owned(), before.confidential.into());
        let mut written = self.edit.apply(&shown, &READ_ONLY);
        let confidential = take_confidential(&mut written, Some(before.confidential))?;
        let disables = is_disabling(before, &written) && confidential == before.confidential;
        let stored = stored(env.realm, before);
        if let Some(stored) = &stored {
            rights::judge_before(env.realm, caller, before, stored, disables)?;
        }
        let client = match disables {
            // Whatever else is wrong with it by now.
            true => None,
            false => {
                rights::check_members(caller, &written)?;
                let client = checked(env.realm, &before.client, &written, confidential)?;
                rights::judge(env.realm, caller, &written, &client)?;
                if stored.is_some_and(|stored| is_reached_otherwise(&stored, &client)) {
                    rights::check_all_limited(env.realm, caller, &client)?;
                }
                check_owner_and_organization(env, facts, &client, before.owner)?;
                Some(client)
            }
        };
        let mut record = ManagedClient {
            written,
            confidential,
            changed: caller.changed(env.now),
            judged_at: match disables {
                true => before.judged_at,
                false => Some(env.now),
            },
            ..before.clone()
        };
        if !confidential {
            record.secrets.clear();
        }
        let version = Version::from_bytes(env.seed.bytes("commit"));
        let view = ClientView::of_record(&record, version.into());
        let update = records::update(&env.realm.name, &record, &row.row)?;
        let mut decision = Decision::reply(view).write(update);
        let new_alg = client.map(|client| client.id_token_alg);
        let new_alg =
            new_alg.filter(|alg| env.realm.header(*alg, grantor_jose::TokenType::Id).is_err());
        if let Some(algorithm) = new_alg {
            let stored = Stored::read(env, facts)?;
            let mut document = stored.content();
            add_algorithm(env, &mut document, algorithm);
            if document != stored.content() {
                decision = decision.writes(stored.replaced_by(env, document)?);
            }
        }
        let event = Event::new(EventKind::ClientChanged).client(&record.client);
        Ok(decision.event(caller.did(event)))
    }
}

/// Whether nothing changes but that it is disabled: what exceeds its editor's rights otherwise can still be disabled by them.
fn is_disabling(
    before: &ManagedClient,
    written: &serde_json::Map<String, serde_json::Value>,
) -> bool {
    let mut disabled = before.written.clone();
    disabled.insert("enabled".to_owned(), false.into());
    *written == disabled
}

/// Whether codes would be sent elsewhere: users who agreed to the client are not asked again.
fn is_reached_otherwise(before: &Client, after: &Client) -> bool {
    before.code.redirect_uris != after.code.redirect_uris
}
