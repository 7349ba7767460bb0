//! Writes the users of the configuration file to the store. Only what the file declares is changed; what commands and
//! users changed beyond that stays.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;

use super::administer::username_key;
use super::logins::{Sharing, assign, assign_own};
use crate::base::secret::Secret;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::ids::{Epoch, OrganizationId, UserId, UserInstance};
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
    pub groups: Option<Vec<String>>,
    pub organization: Option<OrganizationId>,
    pub claims: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug)]
pub enum Password {
    /// The file declares none: an operator gives the user one.
    None,
    /// A PHC string.
    Hash(String),
    Plain(Secret),
    /// As [`PreparePassword`] left it.
    Prepared(Secret, PreparedPassword),
}

/// What a declared password is to the stored hash, computed before anything is written.
#[derive(Clone)]
pub struct PreparedPassword {
    /// The stored hash.
    before: Option<String>,
    /// The same one, where it is of this password; otherwise a new one.
    hash: String,
}

impl fmt::Debug for PreparedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PreparedPassword")
    }
}

impl Password {
    /// The credential, and its name under the MAC.
    fn credential(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::None => None,
            Self::Hash(hash) => Some(("hash", hash)),
            Self::Plain(password) | Self::Prepared(password, _) => {
                Some(("password", password.reveal()))
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProvisionReply {
    Done { changed: bool },
    NameTaken,
}

/// What the row of a declared user holds of its password.
struct StoredPassword {
    hash: Option<String>,
    declared_credential: Option<String>,
    /// Whether the user still has the password of before.
    is_same: bool,
}

impl Provision {
    /// An unchanged credential costs a MAC. Where the row has no MAC of it, the stored hash is compared, and a new one is
    /// computed only for another password.
    fn password(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        stored: Option<&User>,
    ) -> Result<StoredPassword, Halt> {
        let hash = stored.and_then(|user| user.password.clone());
        let Some((kind, credential)) = self.password.credential() else {
            // One that the file declared before goes with its line.
            let is_same = stored.is_some_and(|user| !user.declares_password());
            return Ok(StoredPassword {
                hash: hash.filter(|_| is_same),
                declared_credential: None,
                is_same,
            });
        };
        let sealing = &env.realm.sealing;
        let id = self.id.as_bytes();
        let mac = sealing.declared_credential(id, kind, credential);
        let known = stored
            .and_then(|user| user.declared_credential.as_ref())
            .is_some_and(|mac| sealing.is_declared_credential(id, kind, credential, mac));
        // What was prepared counts for the hash that it was compared with.
        let prepared = match &self.password {
            Password::Prepared(_, prepared) => Some(prepared).filter(|it| it.before == hash),
            _ => None,
        };
        let is_same = match (&hash, &self.password) {
            (None, _) => false,
            (Some(_), _) if known => true,
            (Some(hash), Password::Plain(password) | Password::Prepared(password, _)) => {
                match prepared {
                    Some(prepared) => prepared.hash == *hash,
                    None => facts.password(Some(hash), password)?,
                }
            }
            (Some(hash), Password::Hash(declared)) => hash == declared,
            (Some(_), Password::None) => false,
        };
        let hash = match (hash.filter(|_| is_same), &self.password) {
            (Some(hash), _) => Some(hash),
            (None, Password::Plain(password) | Password::Prepared(password, _)) => {
                Some(match prepared {
                    Some(prepared) => prepared.hash.clone(),
                    None => facts.hash_password(password)?,
                })
            }
            (None, Password::Hash(declared)) => Some(declared.clone()),
            (None, Password::None) => None,
        };
        Ok(StoredPassword {
            hash,
            declared_credential: Some(mac),
            is_same,
        })
    }

    /// The user with what the file declares, with what it declared before and no longer does taken away, and with the rest
    /// as it is stored.
    fn merged(&self, env: &Env<'_>, stored: Option<&User>, password: StoredPassword) -> User {
        let StoredPassword {
            hash,
            declared_credential,
            is_same,
        } = password;
        // A new epoch, and so the end of sessions and grants, where the password or `enabled` changed.
        let same = stored.filter(|stored| is_same && stored.enabled == self.enabled);
        let epoch = same.map_or_else(
            || Epoch::from_bytes(env.seed.bytes("epoch")),
            |stored| stored.epoch,
        );
        let own = |member: &str| stored.filter(|stored| !stored.declares(member));
        let own_claims = stored.map_or_else(BTreeMap::new, |stored| {
            let claims = stored.claims.clone().into_iter();
            let own = claims.filter(|(name, _)| !stored.declares(&User::claim_member(name)));
            own.collect()
        });
        let claims = self.claims.clone().into_iter();
        User {
            id: self.id,
            username: self.username.clone(),
            enabled: self.enabled,
            epoch,
            password: hash,
            email: match &self.email {
                Some(email) => Some(email.clone()),
                None => own(User::EMAIL).and_then(|user| user.email.clone()),
            },
            from_file: true,
            groups: match &self.groups {
                Some(groups) => groups.clone(),
                None => own(User::GROUPS).map_or_else(Vec::new, |user| user.groups.clone()),
            },
            organization: match &self.organization {
                Some(organization) => Some(organization.clone()),
                None => own(User::ORGANIZATION).and_then(|user| user.organization.clone()),
            },
            claims: own_claims.into_iter().chain(claims).collect(),
            declared: Some(self.declared()),
            declared_credential,
            logins: Vec::new(),
            changed: stored.and_then(|stored| stored.changed.clone()),
            // Whoever is declared under a name that was withdrawn is someone else.
            instance: match stored.filter(|stored| !stored.is_withdrawn()) {
                Some(stored) => stored.instance,
                None => UserInstance::from_bytes(env.seed.bytes("user instance")),
            },
        }
    }

    fn declared(&self) -> Vec<String> {
        let email = self.email.is_some().then(|| User::EMAIL.to_owned());
        let groups = self.groups.is_some().then(|| User::GROUPS.to_owned());
        let organization = self.organization.as_ref();
        let organization = organization.map(|_| User::ORGANIZATION.to_owned());
        let claims = self.claims.keys().map(|name| User::claim_member(name));
        let members = email.into_iter().chain(groups).chain(organization);
        members.chain(claims).collect()
    }
}

impl Task for Provision {
    type Reply = ProvisionReply;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<ProvisionReply, Infallible>, Halt> {
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
        let before = stored.as_ref().map(|stored| &stored.record);
        let password = self.password(env, facts, before)?;
        let mut user = self.merged(env, before, password);
        let logins = assign_own(env, facts, before, &mut user, Sharing::Kept)?;
        let logins = logins.unwrap_or_default();
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
                    // Somebody else may have it since.
                    && name.record.user == self.id
                {
                    decision.writes.push(records::delete(&name.row)?);
                }
            }
            None => decision
                .writes
                .push(records::insert(&env.realm.name, &user)?),
        }
        decision.writes.extend(logins);
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

/// Does the slow part of a [`Provision`] and writes nothing: where the password is new, hashes it. Replies with the user to
/// provision.
#[derive(Clone, Debug)]
pub struct PreparePassword(pub Provision);

impl Task for PreparePassword {
    type Reply = Provision;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Provision, Infallible>, Halt> {
        let mut user = self.0.clone();
        if let Password::Plain(password) = &self.0.password {
            let key = grant_liveness::user_key(env, user.id);
            let stored = facts.record::<User>(env, &key)?.live();
            let stored = stored.as_ref().map(|stored| &stored.record);
            if let Some(hash) = user.password(env, facts, stored)?.hash {
                let before = stored.and_then(|user| user.password.clone());
                let prepared = PreparedPassword { before, hash };
                user.password = Password::Prepared(password.clone(), prepared);
            }
        }
        Ok(Decision::reply(user))
    }
}

/// Disables a user whom the configuration file no longer declares, or disables, and ends all its sessions and grants.
#[derive(Clone, Debug)]
pub struct Deprovision {
    pub id: UserId,
    /// Whether the file still declares the user. Otherwise what is stored of it goes, too.
    pub declared: bool,
}

impl Deprovision {
    /// What to do about a stored user whom the file does not enable; `declared` tells whether it declares the user.
    #[must_use]
    pub fn needed(user: &User, declared: bool) -> Option<Self> {
        let is_done = if declared {
            !user.enabled
        } else {
            user.is_withdrawn()
        };
        (user.from_file && !is_done).then_some(Self {
            id: user.id,
            declared,
        })
    }
}

impl Task for Deprovision {
    type Reply = ();

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<(), Infallible>, Halt> {
        let stored = facts
            .record::<User>(env, &grant_liveness::user_key(env, self.id))?
            .live();
        let Some(stored) =
            stored.filter(|stored| Self::needed(&stored.record, self.declared).is_some())
        else {
            return Ok(Decision::reply(()));
        };
        // The name becomes free, also for the same person with another id.
        let name_key = username_key(env, &stored.record.username);
        let name = facts.record::<Username>(env, &name_key)?.live();
        let name = name.filter(|name| name.record.user == self.id);
        let epoch = Epoch::from_bytes(env.seed.bytes("epoch"));
        let mut user = if self.declared {
            User {
                enabled: false,
                epoch,
                ..stored.record.clone()
            }
        } else {
            stored.record.withdrawn(epoch)
        };
        let before = &stored.record.logins;
        let logins = assign(env, facts, before, &mut user, Vec::new(), Sharing::Kept)?;
        Ok(Decision::reply(())
            .writes(logins.unwrap_or_default())
            .write(records::update(&env.realm.name, &user, &stored.row)?)
            .writes(name.map(|name| records::delete(&name.row)).transpose()?))
    }
}
