//! The secrets of a client: two live at a time, each shown once.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::super::admitted::ApiOperation;
use super::super::caller::Caller;
use super::super::refusal::{ApiCode, ApiRefusal};
use super::{is_declared, managed, reads, rights, stored};
use crate::base::row::Key;
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{Facts, Versioned};
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::records::{self, ClientSecret, ManagedClient, SecretUses};

/// What secret scanners look for.
const SECRET_PREFIX: &str = "grantor_cs_";

/// A secret as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretView {
    pub id: String,
    pub created: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// To the hour.
    pub last_used: Option<Timestamp>,
}

impl SecretView {
    /// As answers have it.
    #[must_use]
    pub fn json(&self) -> Map<String, Value> {
        let mut json = Map::new();
        json.insert("id".to_owned(), self.id.as_str().into());
        json.insert("created".to_owned(), self.created.rfc3339().into());
        for (key, at) in [
            ("expires_at", self.expires_at),
            ("last_used", self.last_used),
        ] {
            json.extend(at.map(|at| (key.to_owned(), at.rfc3339().into())));
        }
        json
    }
}

/// A secret that was just drawn.
pub struct NewSecret {
    pub view: SecretView,
    pub secret: Secret,
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSecret({})", self.view.id)
    }
}

/// A secret of 256 random bits, and what is stored of it.
pub(super) fn draw(env: &Env<'_>, expires_at: Option<Timestamp>) -> (ClientSecret, NewSecret) {
    let text = URL_SAFE_NO_PAD.encode(env.seed.bytes::<32>("client secret"));
    let secret = Secret::new(format!("{SECRET_PREFIX}{text}"));
    let digest = digest::digest(&digest::SHA256, secret.reveal().as_bytes());
    let stored = ClientSecret {
        id: hex::encode(env.seed.bytes::<8>("secret id")),
        sha256: hex::encode(digest.as_ref()),
        created: env.now,
        expires_at,
    };
    let shown = NewSecret {
        view: SecretView::from(&stored),
        secret,
    };
    (stored, shown)
}

impl From<&ClientSecret> for SecretView {
    fn from(secret: &ClientSecret) -> Self {
        Self {
            id: secret.id.clone(),
            created: secret.created,
            expires_at: secret.expires_at,
            last_used: None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct ListSecrets {
    pub client: String,
}

impl ApiOperation for ListSecrets {
    type Reply = Vec<SecretView>;

    fn needs(&self) -> &'static [Right] {
        rights::READ
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        let id = self.client.parse().ok();
        let uses = id.map(|id| SecretUses::key(&realm.name, &id));
        reads(realm, &self.client).into_iter().chain(uses).collect()
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<Self::Reply, ApiRefusal>, Stop<ApiRefusal>> {
        if rights::sees_declared(caller) && is_declared(env.realm, &self.client) {
            return Ok(Decision::reply(Vec::new()));
        }
        let row = managed(env, facts, caller, &self.client)?;
        let client = &row.record;
        let key = SecretUses::key(&env.realm.name, &client.client);
        let uses = facts.record::<SecretUses>(env, &key)?.live();
        let uses = uses.filter(|uses| uses.record.instance == client.instance);
        let views = client.live_secrets(env.now).map(|secret| SecretView {
            last_used: uses
                .as_ref()
                .and_then(|uses| uses.record.uses.get(&secret.id).copied()),
            ..SecretView::from(secret)
        });
        Ok(Decision::reply(views.collect()))
    }
}

/// A change of a client's secrets is one of the client: who could not make it could use what it holds.
fn writable(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
    id: &str,
) -> Result<Versioned<ManagedClient>, Stop<ApiRefusal>> {
    let row = managed(env, facts, caller, id)?;
    if let Some(client) = stored(env.realm, &row.record) {
        rights::judge_before(env.realm, caller, &row.record, &client, false)?;
        rights::check_all_limited(env.realm, caller, &client)?;
    }
    Ok(row)
}

#[derive(Clone, Debug)]
pub struct AddSecret {
    pub client: String,
    pub expires_at: Option<Timestamp>,
}

impl ApiOperation for AddSecret {
    type Reply = NewSecret;

    fn needs(&self) -> &'static [Right] {
        rights::WRITE
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        reads(realm, &self.client)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<NewSecret, ApiRefusal>, Stop<ApiRefusal>> {
        let row = writable(env, facts, caller, &self.client)?;
        if !row.record.confidential {
            return Err(ApiRefusal::invalid_member(
                "",
                "the client is public: set its confidential to true first",
            )
            .into());
        }
        if self.expires_at.is_some_and(|at| at.is_past(env.now)) {
            return Err(ApiRefusal::invalid_member("/expires_at", "is past").into());
        }
        let mut record = row.record.clone();
        record
            .secrets
            .retain(|secret| secret.expires_at.is_none_or(|at| !at.is_past(env.now)));
        if record.secrets.len() >= ManagedClient::MAX_SECRETS {
            return Err(ApiRefusal::new(
                ApiCode::Limit,
                "The client has two secrets that count: delete the one that it no longer uses.",
            )
            .into());
        }
        let (stored, shown) = draw(env, self.expires_at);
        record.secrets.push(stored);
        record.changed = caller.changed(env.now);
        let update = records::update(&env.realm.name, &record, &row.row)?;
        let event = Event::new(EventKind::ClientSecretAdded).client(&record.client);
        Ok(Decision::reply(shown)
            .write(update)
            .event(caller.did(event)))
    }
}

#[derive(Clone, Debug)]
pub struct DeleteSecret {
    pub client: String,
    pub secret: String,
}

impl ApiOperation for DeleteSecret {
    type Reply = ();

    fn needs(&self) -> &'static [Right] {
        rights::WRITE
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        reads(realm, &self.client)
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<(), ApiRefusal>, Stop<ApiRefusal>> {
        let row = writable(env, facts, caller, &self.client)?;
        let mut record = row.record.clone();
        record.secrets.retain(|secret| secret.id != self.secret);
        if record.secrets.len() == row.record.secrets.len() {
            return Err(ApiRefusal::not_found().into());
        }
        record.changed = caller.changed(env.now);
        let update = records::update(&env.realm.name, &record, &row.row)?;
        let event = Event::new(EventKind::ClientSecretDeleted).client(&record.client);
        Ok(Decision::reply(()).write(update).event(caller.did(event)))
    }
}
