//! The content of the account page.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use super::change_password::may_change_password;
use super::{live, seen_key, session_ids};
use crate::base::error::Failure;
use crate::base::row::{Key, MAX_KEYS, Row};
use crate::base::time::Timestamp;
use crate::engine::decide::{Decision, Halt, Task};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::client::Client;
use crate::model::ids::{ClientId, ClientInstance, GrantId, SessionId};
use crate::model::scope::Scope;
use crate::people::session::{self, SignedIn, Visitor};
use crate::records::{Authorization, Consent, Grant, GrantOrigin, Seen, Session, Started};
use crate::tokens::handles::PresentedCookie;

/// Only the newest sessions are shown: their last uses take four reads at most, and usually one.
const MAX_SESSIONS: usize = 61;
/// The last uses that fit into the read of the current session, its last use and its user.
const SEEN_IN_FIRST_READ: usize = MAX_KEYS - 3;

#[derive(Debug)]
pub struct ViewAccount {
    pub cookie: Option<PresentedCookie>,
    pub sessions: Listed,
    pub grants: Listed,
    pub consents: Vec<Row>,
}

/// The first rows of a list. Those of sessions and grants begin with the newest.
#[derive(Debug, Default)]
pub struct Listed {
    pub rows: Vec<Row>,
    /// Whether the list has more.
    pub more: bool,
}

/// Each list begins with the newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    pub visitor: Visitor,
    /// The current browser's session comes first.
    pub sessions: Vec<SessionView>,
    /// Clients with a consent or a grant that did not come from a device.
    pub apps: Vec<AppView>,
    pub devices: Vec<DeviceView>,
    /// Whether the user may change the password here; otherwise an operator does.
    pub may_change_password: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    pub id: SessionId,
    /// Not known for sessions of older versions.
    pub started: Option<Started>,
    /// The last sign-in.
    pub signed_in: Timestamp,
    /// The last use, to about half an hour.
    pub used: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppView {
    pub client: ClientId,
    /// The client's name; its id where the client was removed.
    pub name: String,
    /// Of all grants and the consent together.
    pub scope: Scope,
    /// The last approval.
    pub since: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    pub grant: GrantId,
    /// The client's name; its id where the client was removed.
    pub name: String,
    pub scope: Scope,
    pub started: Started,
    pub approved: Timestamp,
}

impl ViewAccount {
    /// The sessions of the current epoch, including idle ones, in the order of the page.
    fn current_sessions(
        &self,
        env: &Env<'_>,
        signed_in: &SignedIn,
    ) -> Result<Vec<Session>, Failure> {
        let own = &signed_in.session.record;
        let mut sessions = live::<Session>(&self.sessions.rows, env.now)?;
        sessions.retain(|session| {
            session.id != own.id
                && session.user == own.user
                && signed_in.user.record.is_current(session.epoch)
        });
        // The list may lag, but this session exists.
        sessions.push(own.clone());
        sessions.sort_by_key(|session| (session.id != own.id, Reverse(session.auth_time)));
        Ok(sessions)
    }

    /// Those used within their idle lifetime.
    fn sessions(
        env: &Env<'_>,
        facts: &Facts,
        current_sessions: Vec<Session>,
    ) -> Result<Vec<SessionView>, Halt> {
        let newest: Vec<_> = current_sessions.into_iter().take(MAX_SESSIONS).collect();
        let keys: Vec<_> = newest
            .iter()
            .map(|session| seen_key(env, session.id))
            .collect();
        for chunk in keys.chunks(MAX_KEYS) {
            facts.need(&chunk.iter().collect::<Vec<_>>())?;
        }
        let mut sessions = Vec::new();
        for (session, key) in newest.into_iter().zip(&keys) {
            let seen = facts.record::<Seen>(env, key)?.live();
            let used = session::last_use(&session, seen.as_ref(), env.now);
            let idle = env.realm.lifetimes.session_idle;
            if let Some(used) = used.filter(|used| used.is_within(idle, env.now)) {
                sessions.push(SessionView {
                    id: session.id,
                    started: session.started,
                    signed_in: session.auth_time,
                    used,
                });
            }
        }
        Ok(sessions)
    }

    fn grants(
        &self,
        env: &Env<'_>,
        facts: &Facts,
        signed_in: &SignedIn,
        current_sessions: &BTreeSet<SessionId>,
    ) -> Result<(Vec<AppView>, Vec<DeviceView>), Halt> {
        let user = &signed_in.user.record;
        let (mut apps, mut devices) = (BTreeMap::new(), Vec::new());
        let consents = live::<Consent>(&self.consents, env.now)?;
        let grants = live::<Grant>(&self.grants.rows, env.now)?;
        let clients = consents.iter().map(|consent| &consent.client);
        facts.need_clients(env, clients.chain(grants.iter().map(|grant| &grant.client)))?;
        for consent in consents {
            let (client, is_other) = client_of(env, facts, &consent.client, consent.instance)?;
            if consent.user == user.id && user.is_current(consent.epoch) && !is_other {
                let Consent { scope, at, .. } = consent;
                add_to_app(&mut apps, consent.client, client, &scope, at);
            }
        }
        let active: Vec<_> = grants
            .iter()
            .filter(|grant| grant.active().is_some())
            .map(|grant| grant.id)
            .collect();
        for grant in grants {
            let Some(authorization) = grant.authorization() else {
                continue;
            };
            let Authorization { scope, at, .. } = authorization;
            let of_session = authorization.required_session();
            // Of a list that was cut short, a session or parent that is not there may be live.
            let ended = of_session
                .is_some_and(|id| !self.sessions.more && !current_sessions.contains(&id))
                || (grant.kind.parent())
                    .is_some_and(|id| !self.grants.more && !active.contains(&id));
            let (client, is_other) = client_of(env, facts, &grant.client, grant.instance)?;
            if authorization.user != user.id
                || !user.is_current(authorization.epoch)
                || is_other
                || ended
            {
                continue;
            }
            match &grant.kind {
                GrantOrigin::Code | GrantOrigin::Exchange(_) => {
                    add_to_app(&mut apps, grant.client.clone(), client, scope, *at)
                }
                GrantOrigin::Device => devices.push(DeviceView {
                    grant: grant.id,
                    name: name(&grant.client, client),
                    scope: scope.clone(),
                    started: grant.started.clone(),
                    approved: *at,
                }),
            }
        }
        let mut apps: Vec<_> = apps.into_values().collect();
        apps.sort_by_key(|app: &AppView| Reverse(app.since));
        devices.sort_by_key(|device| Reverse(device.approved));
        Ok((apps, devices))
    }
}

impl Task for ViewAccount {
    /// None where nobody is signed in.
    type Reply = Option<Box<AccountView>>;

    fn decide(
        &self,
        env: &Env<'_>,
        facts: &Facts,
    ) -> Result<Decision<Self::Reply, Infallible>, Halt> {
        let cookie = self.cookie.as_ref();
        let own = cookie.map(PresentedCookie::session);
        let others = session_ids(&self.sessions.rows).filter(|id| Some(*id) != own);
        let also: Vec<Key> = others
            .take(SEEN_IN_FIRST_READ)
            .map(|id| seen_key(env, id))
            .collect();
        let also: Vec<&Key> = also.iter().collect();
        let Some(signed_in) = session::signed_in(env, facts, cookie, &also)? else {
            return Ok(Decision::reply(None));
        };
        let current_sessions = self.current_sessions(env, &signed_in)?;
        let ids = current_sessions.iter().map(|session| session.id).collect();
        let (apps, devices) = self.grants(env, facts, &signed_in, &ids)?;
        let view = AccountView {
            visitor: signed_in.visitor(),
            sessions: Self::sessions(env, facts, current_sessions)?,
            apps,
            devices,
            may_change_password: may_change_password(&signed_in.user.record),
        };
        Ok(Decision::reply(Some(Box::new(view))).writes(signed_in.touch))
    }
}

/// The client with this id, if there is one, and whether it is another one than that of the instance.
fn client_of<'f>(
    env: &Env<'f>,
    facts: &'f Facts,
    id: &ClientId,
    instance: ClientInstance,
) -> Result<(Option<&'f Client>, bool), Halt> {
    let client = facts.client(env, id)?;
    let is_other = client.is_some_and(|client| client.instance != instance);
    Ok((client, is_other))
}

fn add_to_app(
    apps: &mut BTreeMap<ClientId, AppView>,
    id: ClientId,
    client: Option<&Client>,
    scope: &Scope,
    at: Timestamp,
) {
    let app = apps.entry(id).or_insert_with_key(|id| AppView {
        client: id.clone(),
        name: name(id, client),
        scope: scope.clone(),
        since: at,
    });
    app.scope = app.scope.iter().chain(scope.iter()).collect();
    app.since = app.since.max(at);
}

fn name(id: &ClientId, client: Option<&Client>) -> String {
    client.map_or_else(|| id.to_string(), |client| client.name.clone())
}
