//! Writes the users of the configuration file to the store.

use std::collections::BTreeMap;

use super::administer::username_key;
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Facts, Operation, Stop};
use crate::engine::env::Env;
use crate::model::ids::Epoch;
use crate::model::ids::UserId;
use crate::records::{self, User, Username};
use crate::tokens::grant_liveness;

/// A user of the configuration file.
#[derive(Clone, Debug)]
pub struct Provision {
    pub id: UserId,
    pub username: String,
    pub enabled: bool,
    pub password: Password,
    pub email: Option<String>,
    pub groups: Vec<String>,
    pub claims: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug)]
pub enum Password {
    /// The user cannot sign in with a password.
    None,
    /// A PHC string.
    Hash(String),
    /// The hash is added only where it is needed, because hashing is slow on purpose.
    Plain {
        password: Secret,
        /// Of a new or changed password.
        hash: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProvisionReply {
    Done {
        changed: bool,
    },
    /// The password is new or changed: try again with its hash.
    NeedsHash,
    NameTaken,
}

impl Provision {
    /// The stored hash where it still matches the password.
    fn hash(
        &self,
        facts: &Facts,
        stored: Option<&str>,
    ) -> Result<Result<Option<String>, ProvisionReply>, Stop> {
        Ok(match &self.password {
            Password::None => Ok(None),
            Password::Hash(hash) => Ok(Some(hash.clone())),
            Password::Plain {
                hash: Some(hash), ..
            } => Ok(Some(hash.clone())),
            Password::Plain {
                password,
                hash: None,
            } => match stored {
                Some(stored) if facts.password(Some(stored), password)? => {
                    Ok(Some(stored.to_owned()))
                }
                _ => Err(ProvisionReply::NeedsHash),
            },
        })
    }
}

impl Operation for Provision {
    type Reply = ProvisionReply;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<ProvisionReply>, Stop> {
        let (user_key, name_key) = (
            grant_liveness::user_key(env, self.id),
            username_key(env, &self.username),
        );
        facts.need(&[&user_key, &name_key])?;
        let stored = facts.record::<User>(env, &user_key)?.live();
        let name = facts.record::<Username>(env, &name_key)?.live();
        if name
            .as_ref()
            .is_some_and(|name| name.record.user != self.id)
        {
            return Ok(Decision::reply(ProvisionReply::NameTaken));
        }
        let stored_hash = stored
            .as_ref()
            .and_then(|stored| stored.record.password.as_deref());
        let password = match self.hash(facts, stored_hash)? {
            Ok(password) => password,
            Err(reply) => return Ok(Decision::reply(reply)),
        };
        // A new epoch, and so the end of sessions and grants, where the password or `enabled` changed.
        let same_credentials = stored.as_ref().filter(|stored| {
            stored.record.password == password && stored.record.enabled == self.enabled
        });
        let epoch = same_credentials.map_or_else(
            || Epoch::from_bytes(env.seed.bytes("epoch")),
            |s| s.record.epoch,
        );
        let user = User {
            id: self.id,
            username: self.username.clone(),
            enabled: self.enabled,
            epoch,
            password,
            email: self.email.clone(),
            from_file: true,
            groups: self.groups.clone(),
            claims: self.claims.clone(),
        };
        let mut decision = Decision::reply(ProvisionReply::Done { changed: true });
        match &stored {
            Some(stored) if stored.record == user && name.is_some() => {
                return Ok(Decision::reply(ProvisionReply::Done { changed: false }));
            }
            Some(stored) => {
                decision
                    .writes
                    .push(records::update(&env.realm.name, &user, &stored.row)?);
                // Renaming frees the old name.
                let old = username_key(env, &stored.record.username);
                if old != name_key
                    && let Some(name) = facts.record::<Username>(env, &old)?.live()
                {
                    decision.writes.push(records::delete(&name.row)?);
                }
            }
            None => decision
                .writes
                .push(records::insert(&env.realm.name, &user)?),
        }
        if name.is_none() {
            decision.writes.push(records::insert(
                &env.realm.name,
                &Username {
                    username: self.username.clone(),
                    user: self.id,
                },
            )?);
        }
        Ok(decision)
    }
}

/// Disables a user that the configuration file no longer declares, and ends all its sessions and grants.
#[derive(Clone, Debug)]
pub struct Deprovision {
    pub id: UserId,
}

impl Operation for Deprovision {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<()>, Stop> {
        let stored = facts
            .record::<User>(env, &grant_liveness::user_key(env, self.id))?
            .live();
        let Some(stored) = stored.filter(|stored| stored.record.enabled && stored.record.from_file)
        else {
            return Ok(Decision::reply(()));
        };
        // The name becomes free, also for the same person with another id.
        let name_key = username_key(env, &stored.record.username);
        let name = facts.record::<Username>(env, &name_key)?.live();
        let name = name.filter(|name| name.record.user == self.id);
        let epoch = Epoch::from_bytes(env.seed.bytes("epoch"));
        let user = User {
            enabled: false,
            epoch,
            ..stored.record
        };
        Ok(Decision::reply(())
            .write(records::update(&env.realm.name, &user, &stored.row)?)
            .writes(name.map(|name| records::delete(&name.row)).transpose()?))
    }
}
