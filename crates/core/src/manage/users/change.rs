//! Changes a user.

use serde_json::{Map, Value};

use super::view::{self, ManagedUser};
use super::written::WrittenUser;
use super::{belongs, taken};
use crate::base::row::Key;
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::manage::admitted::ApiOperation;
use crate::manage::caller::Caller;
use crate::manage::judge;
use crate::manage::merge_patch::merge_patch;
use crate::manage::precondition::{ETag, IfMatch};
use crate::manage::refusal::{ApiCode, ApiRefusal, FieldError};
use crate::model::ids::Epoch;
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::people::{self, LoginRefused};
use crate::records::{User, Username};

#[derive(Clone)]
pub enum UserBody {
    /// RFC 7396.
    Patch(Map<String, Value>),
    /// The whole object. A password that is left out stays.
    Put(Map<String, Value>),
}

/// Without the password.
impl std::fmt::Debug for UserBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserBody")
    }
}

#[derive(Clone, Debug)]
pub struct ChangeManagedUser {
    pub id: String,
    pub if_match: IfMatch,
    pub body: UserBody,
}

impl ChangeManagedUser {
    fn written(&self, stored: &User) -> Result<WrittenUser, ApiRefusal> {
        let object = match &self.body {
            UserBody::Put(object) => object.clone(),
            UserBody::Patch(patch) => {
                let mut object = view::view(stored);
                merge_patch(&mut object, patch.clone());
                object
            }
        };
        WrittenUser::read(object, Some(stored))
    }
}

impl ApiOperation for ChangeManagedUser {
    type Reply = ManagedUser;

    fn needs(&self) -> &'static [Right] {
        &[Right::UsersWrite]
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        super::key(realm, &self.id).into_iter().collect()
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<ManagedUser, ApiRefusal>, Stop<ApiRefusal>> {
        let stored = super::find(env, facts, caller, &self.id)?;
        let (before, version) = (&stored.record, stored.row.version);
        judge::may_touch(env.realm, caller, before)?;
        self.if_match.check(&ETag::from(version))?;
        let written = self.written(before)?;
        let mut to = written.applied(before);
        if to == *before && written.password.is_none() {
            return Ok(Decision::reply(ManagedUser::new(to, version)));
        }
        check_declared(before, &to, written.password.is_some())?;
        if to.organization != before.organization {
            belongs::check(env, facts, caller, &to, before.organization())?;
        }
        let password = written.password.is_some();
        judge::may_change(env.realm, caller, before, &to, password)?;
        if to.own_logins() != before.own_logins() {
            taken::may_ask(env, facts, caller)?;
            let keys = [before, &to]
                .map(|user| taken::keys(env.realm, Some(&user.username), user.email.as_deref()));
            let mut keys = keys.concat();
            keys.sort_unstable();
            keys.dedup();
            facts.need(&keys.iter().collect::<Vec<_>>())?;
        }
        let refused = |why| taken::refused(env, facts, caller, why);
        let folded = Username::fold(&to.username);
        if folded != Username::fold(&before.username) && env.realm.declared_users.contains(&folded)
        {
            return Err(refused(LoginRefused::NameTaken));
        }
        to.changed = Some(caller.changed(env.now));
        // Before the password is hashed, which costs more than all else.
        people::changed_user(env, facts, &stored, to.clone())?.map_err(refused)?;
        if let Some(password) = &written.password {
            to.password = Some(facts.hash_password_in(caller.password_queue(), password.secret())?);
        }
        // As by the commands: all sessions, grants and consents end.
        if written.password.is_some() || to.enabled != before.enabled {
            to.epoch = Epoch::from_bytes(env.seed.bytes("epoch"));
        }
        let changed = people::changed_user(env, facts, &stored, to.clone())?.map_err(refused)?;
        let Decision { writes, events, .. } = changed;
        let reply = ManagedUser::new(to, env.commit_version());
        let events = events.into_iter().map(|event| caller.did(event));
        Ok(Decision::reply(reply).writes(writes).events(events))
    }
}

/// What the configuration file declares is changed there.
fn check_declared(before: &User, to: &User, password: bool) -> Result<(), ApiRefusal> {
    let declared = view::declared(before);
    let claims = before.claims.keys().chain(to.claims.keys());
    let claims = claims.filter(|name| before.claims.get(*name) != to.claims.get(*name));
    let claims = claims.map(|name| User::claim_member(name));
    let changed = [
        ("username", before.username != to.username),
        ("enabled", before.enabled != to.enabled),
        (User::EMAIL, before.email != to.email),
        (User::GROUPS, before.groups != to.groups),
        (User::ORGANIZATION, before.organization != to.organization),
        ("password", password),
    ];
    let changed = changed.into_iter().filter(|(_, changed)| *changed);
    let changed = changed.map(|(name, _)| name.to_owned()).chain(claims);
    let mut refused: Vec<String> = changed.filter(|name| declared.contains(name)).collect();
    refused.dedup();
    if refused.is_empty() {
        return Ok(());
    }
    let errors = refused.into_iter().map(|member| FieldError {
        // A claim's name may hold a slash.
        pointer: match member.split_once('/') {
            Some((outer, name)) => {
                format!("/{outer}/{}", name.replace('~', "~0").replace('/', "~1"))
            }
            None => format!("/{member}"),
        },
        detail: "is declared by the configuration file, and changed there".to_owned(),
    });
    Err(ApiRefusal {
        errors: errors.collect(),
        ..ApiRefusal::new(ApiCode::Declared, "The configuration file declares this.")
    })
}
