//! Where a user is signed in, and what was given to apps and devices: listed and ended, as on the user's own page.

use serde_json::{Value, json};

use crate::base::error::Failure;
use crate::base::row::{Key, Row};
use crate::base::time::Timestamp;
use crate::engine::decide::{Decision, Stop};
use crate::engine::env::Env;
use crate::engine::event::{Event, EventKind};
use crate::engine::facts::{self, Facts, Lookup, Versioned};
use crate::manage::admitted::ApiOperation;
use crate::manage::caller::Caller;
use crate::manage::judge;
use crate::manage::refusal::ApiRefusal;
use crate::model::ids::{GrantId, SessionId, UserId};
use crate::model::realm::Realm;
use crate::model::right::Right;
use crate::people::session;
use crate::records::{self, Grant, Record, Seen, Session, Started, User};

/// The rows with the last uses of these sessions.
///
/// # Errors
/// [`Failure::Corrupt`] for a row that holds no session.
pub fn seen_keys(realm: &Realm, sessions: &[Row], now: Timestamp) -> Result<Vec<Key>, Failure> {
    let sessions = live::<Session>(sessions, now)?.into_iter();
    let keys = sessions.map(|it| records::key::<Seen>(&realm.name, &it.record.id.to_string()));
    Ok(keys.collect())
}

/// The live sessions of these rows. `seen` are the rows of [`seen_keys`].
///
/// # Errors
/// [`Failure::Corrupt`] for a row that holds something else.
pub fn listed_sessions(
    realm: &Realm,
    user: &User,
    sessions: &[Row],
    seen: &[Row],
    now: Timestamp,
) -> Result<Vec<Value>, Failure> {
    let seen = live::<Seen>(seen, now)?;
    let mut listed = Vec::new();
    for Versioned { record, .. } in live::<Session>(sessions, now)? {
        let is_own = |seen: &&Versioned<Seen>| seen.record.session == record.id;
        let used = session::last_use(&record, seen.iter().find(is_own), now);
        let used = used.filter(|used| used.is_within(realm.lifetimes.session_idle, now));
        let is_current = record.user == user.id && user.is_current(record.epoch);
        let Some(used) = used.filter(|_| is_current) else {
            continue;
        };
        let mut view = json!({
            "id": record.id.to_string(),
            "signed_in": record.auth_time.rfc3339(),
            "used": used.rfc3339(),
            "expires_at": record.expires_at.rfc3339(),
            "amr": record.amr,
        });
        if let Some(Started { at, by }) = &record.started {
            view["started"] = started(*at, by);
        }
        listed.push(view);
    }
    Ok(listed)
}

/// The rows of what these grants end with: sessions and other grants.
///
/// # Errors
/// [`Failure::Corrupt`] for a row that holds no grant.
pub fn dependency_keys(realm: &Realm, grants: &[Row], now: Timestamp) -> Result<Vec<Key>, Failure> {
    let mut keys: Vec<Key> = Vec::new();
    for Versioned { record, .. } in live::<Grant>(grants, now)? {
        keys.extend(dependencies(realm, &record));
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

fn dependencies(realm: &Realm, grant: &Grant) -> impl Iterator<Item = Key> {
    let session = grant.authorization().and_then(|it| it.required_session());
    let session = session.map(|id| records::key::<Session>(&realm.name, &id.to_string()));
    let parent = grant.kind.parent();
    let parent = parent.map(|id| records::key::<Grant>(&realm.name, &id.to_string()));
    session.into_iter().chain(parent)
}

/// The grants of these rows that are in force. `dependencies` are the rows of [`dependency_keys`].
///
/// # Errors
/// [`Failure::Corrupt`] for a row that holds something else.
pub fn listed_grants(
    realm: &Realm,
    user: &User,
    grants: &[Row],
    rows_there: &[Row],
    now: Timestamp,
) -> Result<Vec<Value>, Failure> {
    let is_there = |key: &Key| {
        let mut rows = rows_there.iter();
        rows.any(|row| row.key == *key && row.expires_at.is_none_or(|at| !at.is_past(now)))
    };
    let mut listed = Vec::new();
    for Versioned { record, .. } in live::<Grant>(grants, now)? {
        let client = realm.clients.get(&record.client);
        let is_of_client = client.is_none_or(|client| record.is_of(client));
        let Some(authorization) = record.authorization() else {
            continue;
        };
        let is_current = authorization.user == user.id && user.is_current(authorization.epoch);
        if !is_current || !is_of_client || !dependencies(realm, &record).all(|key| is_there(&key)) {
            continue;
        }
        let mut view = json!({
            "id": record.id.to_string(),
            "kind": record.kind.name(),
            "client_id": record.client.as_str(),
            "scope": authorization.scope.to_string(),
            "approved": authorization.at.rfc3339(),
            "used": record.last_used().rfc3339(),
            "expires_at": record.expires_at.rfc3339(),
            "started": started(record.started.at, &record.started.by),
        });
        if let Some(client) = client {
            view["client_name"] = json!(client.name);
        }
        listed.push(view);
    }
    Ok(listed)
}

fn started(at: Timestamp, by: &crate::base::peer::Peer) -> Value {
    json!({
        "at": at.rfc3339(),
        "address": by.address.to_string(),
        "agent": by.agent,
    })
}

fn live<T: Record>(rows: &[Row], now: Timestamp) -> Result<Vec<Versioned<T>>, Failure> {
    let mut live = Vec::new();
    for row in rows {
        if let Lookup::Live(record) = facts::open::<T>(row, now)? {
            live.push(record);
        }
    }
    Ok(live)
}

/// Ends a session of a user. Everything bound to it is refused from then on.
#[derive(Clone, Debug)]
pub struct EndUserSession {
    pub user: String,
    pub session: String,
}

impl EndUserSession {
    fn key(&self, realm: &Realm) -> Option<Key> {
        let id: SessionId = self.session.parse().ok()?;
        Some(records::key::<Session>(&realm.name, &id.to_string()))
    }
}

impl ApiOperation for EndUserSession {
    type Reply = ();

    fn needs(&self) -> &'static [Right] {
        &[Right::GrantsWrite]
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        let user = super::key(realm, &self.user);
        user.into_iter().chain(self.key(realm)).collect()
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<(), ApiRefusal>, Stop<ApiRefusal>> {
        let user = may_end(env, facts, caller, &self.user)?;
        let session = match self.key(env.realm) {
            Some(key) => facts.record::<Session>(env, &key)?.live(),
            None => None,
        };
        let Some(session) = session.filter(|session| session.record.user == user) else {
            return already_gone(facts);
        };
        let event = Event::new(EventKind::SessionEndedByAdministrator).user(user);
        Ok(Decision::reply(())
            .writes(session::end(env, &session)?)
            .event(caller.did(event)))
    }
}

/// Revokes a grant of a user.
#[derive(Clone, Debug)]
pub struct RevokeUserGrant {
    pub user: String,
    pub grant: String,
}

impl RevokeUserGrant {
    fn key(&self, realm: &Realm) -> Option<Key> {
        let id: GrantId = self.grant.parse().ok()?;
        Some(records::key::<Grant>(&realm.name, &id.to_string()))
    }
}

impl ApiOperation for RevokeUserGrant {
    type Reply = ();

    fn needs(&self) -> &'static [Right] {
        &[Right::GrantsWrite]
    }

    fn reads(&self, realm: &Realm) -> Vec<Key> {
        let user = super::key(realm, &self.user);
        user.into_iter().chain(self.key(realm)).collect()
    }

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        caller: &Caller,
    ) -> Result<Decision<(), ApiRefusal>, Stop<ApiRefusal>> {
        let user = may_end(env, facts, caller, &self.user)?;
        let grant = match self.key(env.realm) {
            Some(key) => facts.record::<Grant>(env, &key)?.live(),
            None => None,
        };
        let Some(grant) = grant.filter(|grant| grant.record.belongs_to(user)) else {
            return already_gone(facts);
        };
        let event = Event::new(EventKind::GrantRevokedByAdministrator)
            .client(&grant.record.client)
            .user(user)
            .grant(grant.record.id);
        Ok(Decision::reply(())
            .write(records::delete(&grant.row)?)
            .event(caller.did(event)))
    }
}

/// The user, whose access the caller may end: not that of someone who could be given more.
fn may_end(
    env: &Env<'_>,
    facts: &Facts,
    caller: &Caller,
    user: &str,
) -> Result<UserId, Stop<ApiRefusal>> {
    let user = super::find(env, facts, caller, user)?.record;
    judge::may_touch(env.realm, caller, &user)?;
    Ok(user.id)
}

/// After a commit with an unknown outcome, it may be this very request that removed it.
fn already_gone(facts: &Facts) -> Result<Decision<(), ApiRefusal>, Stop<ApiRefusal>> {
    match facts.after_unknown() {
        true => Ok(Decision::reply(())),
        false => Err(ApiRefusal::not_found().into()),
    }
}
