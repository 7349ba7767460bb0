//! Makes a user.

use serde_json::{Map, Value};

use super::view::ManagedUser;
use super::written::WrittenUser;
use super::{belongs, taken};
use crate::base::row::Key;
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::manage::admitted::ApiOperation;
use crate::manage::caller::Caller;
use crate::manage::judge;
use crate::manage::refusal::ApiRefusal;
use crate::model::ids::OrganizationId;
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::people::{self, LoginRefused};
use crate::records::{User, Username};

#[derive(Clone)]
pub struct CreateUser {
    /// The members of `[[user]]`, as they were sent.
    pub object: Map<String, Value>,
}

/// Without the password.
impl std::fmt::Debug for CreateUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CreateUser")
    }
}

impl ApiOperation for CreateUser {
    type Reply = ManagedUser;

    fn needs(&self) -> &'static [Right] {
        &[Right::UsersWrite]
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        let text = |name: &str| self.object.get(name).and_then(Value::as_str);
        taken::keys(realm, text("username"), text("email"))
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<ManagedUser, ApiRefusal>, Stop<ApiRefusal>> {
        let written = WrittenUser::read(self.object.clone(), None)?;
        let new = people::new_user(env, written.username.to_string());
        let mut user = User {
            changed: Some(caller.changed(env.now)),
            ..written.applied(&new)
        };
        // What a caller of an organization makes belongs there.
        if let (Some(own), None) = (&caller.organization, &user.organization) {
            user.organization = Some(own.clone());
        }
        belongs::check(
            env,
            facts,
            caller,
            &user,
            caller.organization.as_ref().map(OrganizationId::as_str),
        )?;
        judge::may_make(env.realm, caller, &user)?;
        taken::may_ask(env, facts, caller)?;
        let refused = |why| taken::refused(env, facts, caller, why);
        if env
            .realm
            .declared_users
            .contains(&Username::fold(&user.username))
        {
            return Err(refused(LoginRefused::NameTaken));
        }
        // Before the password is hashed, which costs more than all else.
        people::added(env, facts, user.clone())?.map_err(refused)?;
        if let Some(password) = &written.password {
            user.password =
                Some(facts.hash_password_in(caller.password_queue(), password.secret())?);
        }
        let added = people::added(env, facts, user.clone())?.map_err(refused)?;
        let Decision { writes, events, .. } = added;
        let reply = ManagedUser::new(user, env.commit_version());
        let events = events.into_iter().map(|event| caller.did(event));
        Ok(Decision::reply(reply).writes(writes).events(events))
    }
}
