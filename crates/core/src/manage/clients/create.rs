//! Makes a client.

use serde_json::{Map, Value};

use super::super::admitted::ApiOperation;
use super::super::caller::Caller;
use super::super::document::Stored;
use super::super::refusal::{ApiCode, ApiRefusal};
use super::delete::rule_of;
use super::secrets::{self, NewSecret};
use super::{ClientView, check_owner_and_organization, checked, rights, take_confidential};
use crate::base::row::{Key, Version};
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::Facts;
use crate::model::config_document::ConfigDocument;
use crate::model::ids::{ClientId, ClientInstance, UserInstance};
use crate::model::managed::Managed;
use crate::model::organization::Availability;
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::records::{self, ConfigVersion, ManagedClient, config_key};

#[derive(Clone, Debug)]
pub struct CreateClient {
    pub body: Map<String, Value>,
}

#[derive(Debug)]
pub struct CreatedClient {
    pub view: ClientView,
    /// Shown once.
    pub secret: Option<NewSecret>,
}

impl ApiOperation for CreateClient {
    type Reply = CreatedClient;

    fn needs(&self) -> &'static [Right] {
        rights::WRITE
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        let id = self.chosen().and_then(|id| id.parse().ok());
        let chosen = id.map(|id: ClientId| ManagedClient::key(&realm.name, &id));
        let document = [config_key(&realm.name), ConfigVersion::key(&realm.name)];
        document.into_iter().chain(chosen).collect()
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<CreatedClient, ApiRefusal>, Stop<ApiRefusal>> {
        let stored = Stored::read(env, facts)?;
        let before = stored.content();
        let mut document = before.clone();
        if document.id_key.is_empty() {
            document.id_key = hex::encode(env.seed.bytes::<32>("id key"));
        }
        let id = match self.chosen() {
            Some(chosen) => choose(env, facts, caller, &mut document, chosen)?,
            None => Managed::draw_id(&document.id_key, env.seed.bytes("client id"))
                .ok_or(crate::base::error::Failure::Bug("a drawn client id"))?,
        };
        let mut written = self.body.clone();
        written.remove("id");
        if let Some(organization) = &caller.organization {
            let organization = organization.as_str().into();
            written
                .entry(ManagedClient::ORGANIZATION)
                .or_insert(organization);
        }
        let usual = match (rights::is_owner_only(caller), &caller.organization) {
            (true, _) => Availability::Owner,
            (false, Some(_)) => Availability::Organization,
            (false, None) => Availability::Everyone,
        };
        if usual != Availability::Everyone {
            let usual = usual.name().into();
            written.entry("availability").or_insert(usual);
        }
        let confidential = take_confidential(&mut written, None)?;
        rights::check_members(caller, &written)?;
        let client = checked(env.realm, &id, &written, confidential)?;
        rights::judge(env.realm, caller, &written, &client)?;
        add_algorithm(env, &mut document, client.id_token_alg);
        let owner = caller.user.as_ref().map(|user| user.id);
        let owner = owner.filter(|_| rights::is_owner_only(caller));
        check_owner_and_organization(env, facts, &client, owner)?;

        let changed = caller.changed(env.now);
        let secret = confidential.then(|| secrets::draw(env, None));
        let record = ManagedClient {
            instance: ClientInstance::from_bytes(env.seed.bytes("instance")),
            client: id,
            written,
            confidential,
            secrets: secret.iter().map(|(stored, _)| stored.clone()).collect(),
            owner,
            owner_instance: match (owner, &caller.user) {
                (Some(_), Some(user)) => user.instance,
                _ => UserInstance::default(),
            },
            created: changed.clone(),
            changed,
            judged_at: Some(env.now),
        };
        let version = Version::from_bytes(env.seed.bytes("commit"));
        let reply = CreatedClient {
            view: ClientView::of_record(&record, version.into()),
            secret: secret.map(|(_, shown)| shown),
        };
        let write = records::insert(&env.realm.name, &record)?;
        let mut decision = Decision::reply(reply).write(write);
        if document != before {
            decision = decision.writes(stored.replaced_by(env, document)?);
        }
        let event = Event::new(EventKind::ClientAdded).client(&record.client);
        Ok(decision.event(caller.did(event)))
    }
}

impl CreateClient {
    fn chosen(&self) -> Option<&str> {
        self.body.get("id").and_then(Value::as_str)
    }
}

/// Chosen ids stand in the document.
const MAX_CHOSEN_BYTES: usize = 64;

/// An id that the caller chose. It is remembered in the document, so that each snapshot knows it.
fn choose(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
    document: &mut ConfigDocument,
    chosen: &str,
) -> Result<ClientId, Stop<ApiRefusal>> {
    if rights::is_owner_only(caller) || caller.organization.is_some() {
        return Err(ApiRefusal::new(
            ApiCode::Forbidden,
            "Leave the id out: it is drawn. To choose one needs the right grantor/clients:write, without an organization.",
        ).into());
    }
    let id = chosen
        .parse::<ClientId>()
        .map_err(|error| ApiRefusal::invalid_member("/id", error.to_string()))?;
    let why = match id.as_str() {
        "." | ".." => Some("is no name in a path: choose another id"),
        id if id.len() > MAX_CHOSEN_BYTES => Some("has more than 64 characters"),
        id if id.contains(' ') => Some("has a space, which programs get wrong: choose another id"),
        _ => None,
    };
    if let Some(why) = why {
        return Err(ApiRefusal::invalid_member("/id", why).into());
    }
    let key = ManagedClient::key(&env.realm.name, &id);
    let is_there = facts.record::<ManagedClient>(env, &key)?.live().is_some();
    if is_there || env.realm.clients.contains_key(&id) {
        return Err(ApiRefusal::new(ApiCode::Taken, "A client has this id.").into());
    }
    // It was for whoever had the id before.
    if let Some(rule) = rule_of(document, &id) {
        return Err(ApiRefusal::naming(
            ApiCode::InUse,
            format!("The exchange rule {rule:?} names this id: delete or change it first."),
        )
        .into());
    }
    if !document.clients.contains(&id) {
        if document.clients.len() >= ConfigDocument::MAX_CHOSEN_IDS {
            return Err(ApiRefusal::new(
                ApiCode::Limit,
                "2,000 clients have chosen ids: leave the id out, and it is drawn.",
            )
            .into());
        }
        document.clients.push(id.clone());
    }
    Ok(id)
}

/// An algorithm that is not in use yet gets its key with this change.
pub(super) fn add_algorithm(
    env: &Env<'_>,
    document: &mut ConfigDocument,
    algorithm: grantor_jose::Algorithm,
) {
    let is_in_use = env
        .realm
        .header(algorithm, grantor_jose::TokenType::Id)
        .is_ok();
    let name = algorithm.to_string();
    if !is_in_use && !document.algorithms.contains(&name) {
        document.algorithms.push(name);
    }
}
