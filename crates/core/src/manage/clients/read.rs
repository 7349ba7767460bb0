//! Reads a client, and lists.

use super::super::admitted::ApiOperation;
use super::super::caller::Caller;
use super::super::precondition::ETag;
use super::super::refusal::ApiRefusal;
use super::super::resolve;
use super::{ClientView, reads, rights, seen};
use crate::base::error::Failure;
use crate::base::row::{Index, Key, Row};
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::ids::UserId;
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::records::{ManagedClient, Record as _};

#[derive(Clone, Debug)]
pub struct ReadClient {
    /// As it stands in the path.
    pub id: String,
}

impl ApiOperation for ReadClient {
    type Reply = ClientView;

    fn needs(&self) -> &'static [Right] {
        rights::READ
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
        if rights::sees_declared(caller)
            && let Ok(id) = self.id.parse()
            && let Some(view) = ClientView::declared(env.realm, &id)
        {
            return Ok(Decision::reply(view));
        }
        let row = seen(env, facts, caller, &self.id)?;
        let view = ClientView::of_record(&row.record, row.row.version.into());
        Ok(Decision::reply(view))
    }
}

/// Which list of clients a caller may read.
#[derive(Clone, Copy, Debug)]
pub struct ListClients;

#[derive(Clone, Debug)]
pub struct ListedClients {
    pub index: Index,
    /// Whether the clients of the file come first.
    pub sees_declared: bool,
    /// Whether they are the caller's own, and the caller makes no others.
    pub is_own: bool,
}

impl ApiOperation for ListClients {
    type Reply = ListedClients;

    fn needs(&self) -> &'static [Right] {
        rights::READ
    }

    fn decide(
        &self,
        env: &Env<'_>,
        _: &Facts,
        caller: &Caller,
    ) -> Result<Decision<Self::Reply, ApiRefusal>, Stop<ApiRefusal>> {
        let realm = &env.realm.name;
        let index = match (&caller.organization, &caller.user) {
            // A machine owns none.
            (_, user) if !rights::reads_all(caller) => {
                let owner = user.as_ref().map(|user| user.id);
                let owner = owner.unwrap_or(UserId::from_bytes([0; 16]));
                Index::Named(ManagedClient::index_of_owner(realm, owner))
            }
            (Some(organization), _) => {
                Index::Named(ManagedClient::index(realm, organization.as_str()))
            }
            (None, _) => Index::Kind {
                realm: realm.clone(),
                kind: ManagedClient::KIND.to_owned(),
            },
        };
        Ok(Decision::reply(ListedClients {
            index,
            sees_declared: rights::sees_declared(caller),
            is_own: rights::is_owner_only(caller) && caller.user.is_some(),
        }))
    }
}

/// The client of a listed row.
///
/// # Errors
/// [`Failure::Corrupt`] if the row has none.
pub fn view_row(row: &Row) -> Result<ClientView, Failure> {
    let record = resolve::read(row)?;
    Ok(ClientView::of_record(&record, ETag::from(row.version)))
}
