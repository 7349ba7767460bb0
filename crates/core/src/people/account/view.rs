//! What has access to an account: the sessions of its user, the apps, the devices.

use std::collections::{BTreeMap, BTreeSet};

use super::ids_of;
use crate::base::error::Failure;
use crate::base::row::{Key, MAX_KEYS, Row};
use crate::base::secret::Secret;
use crate::base::time::Timestamp;
use crate::engine::decide::{self, Decision, Facts, Lookup, Operation, Stop};
use crate::engine::env::Env;
use crate::model::ids::{ClientId, GrantId, SessionId};
use crate::model::scope::Scope;
use crate::people::session::{self, SignedIn, Visitor};
use crate::records::{
    self, Authorization, Consent, Grant, GrantOrigin, Record, Seen, Session, Started,
};

/// Of so many sessions, the newest ones, it is looked up when they were used: six reads, where one is usual.
const LOOKED_UP: usize = 93;
/// What is read with the visitor, beside session, use and user.
const WITH_VISITOR: usize = MAX_KEYS - 3;

/// A look at the account of the user of this cookie.
#[derive(Debug)]
pub struct ViewAccount {
    /// The session cookie.
    pub cookie: Option<Secret>,
    /// The rows of the user's list of sessions.
    pub sessions: Vec<Row>,
    /// The rows of the user's list of grants.
    pub grants: Vec<Row>,
    /// The rows of the user's list of consents.
    pub consents: Vec<Row>,
}

/// What has access to an account, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Whose it is.
    pub visitor: Visitor,
    /// Where the user is signed in: this browser, then the others.
    pub sessions: Vec<SessionView>,
    /// What got codes by redirects, or may get them unasked.
    pub apps: Vec<AppView>,
    /// What was approved by a user code.
    pub devices: Vec<DeviceView>,
}

/// A session that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// When and where it began; of an old one, nobody knows.
    pub started: Option<Started>,
    /// When the user signed in last.
    pub signed_in: Timestamp,
    /// When it was used, to about a half hour.
    pub used: Timestamp,
}

/// A client, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppView {
    /// The client.
    pub client: ClientId,
    /// Its name; its id, where it is none of ours any more.
    pub name: String,
    /// What it may do, all together.
    pub scope: Scope,
    /// When that was allowed last.
    pub since: Timestamp,
}

/// A device, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// Its grant.
    pub grant: GrantId,
    /// Its client's name; its id, where it is none of ours any more.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When and where the device asked.
    pub started: Started,
    /// When the user approved.
    pub approved: Timestamp,
}

impl ViewAccount {
    /// The sessions that no epoch cut off, the newest sign-in first; idle ones too.
    fn unended(&self, env: &Env<'_>, signed_in: &SignedIn) -> Result<Vec<Session>, Failure> {
        let own = &signed_in.session.record;
        let mut sessions = live::<Session>(&self.sessions, env.now)?;
        sessions.retain(|of| {
            of.id != own.id && of.user == own.user && signed_in.user.record.is_current(of.epoch)
        });
        // A list may lag, but this one is surely there.
        sessions.push(own.clone());
        sessions.sort_by_key(|of| (of.id != own.id, std::cmp::Reverse(of.auth_time)));
        Ok(sessions)
    }

    /// Those that were used within their idle life.
    fn sessions(
        env: &Env<'_>,
        facts: &Facts,
        unended: Vec<Session>,
    ) -> Result<Vec<SessionView>, Stop> {
        let looked_up: Vec<_> = unended.into_iter().take(LOOKED_UP).collect();
        let keys: Vec<_> = looked_up.iter().map(|of| seen_key(env, of.id)).collect();
        // One read for each part: a second look comes only where the first was answered.
        for part in keys.chunks(MAX_KEYS) {
            facts.need(&part.iter().collect::<Vec<_>>())?;
        }
        let mut sessions = Vec::new();
        for (of, key) in looked_up.into_iter().zip(&keys) {
            let seen = facts.record::<Seen>(env, key)?.live();
            let seen = seen.map_or(of.auth_time, |seen| seen.record.at);
            let used = seen.max(of.auth_time);
            if env.now.since(used) < env.realm.lifetimes.session_idle {
                sessions.push(SessionView {
                    id: of.id,
                    started: of.started,
                    signed_in: of.auth_time,
                    used,
                });
            }
        }
        Ok(sessions)
    }

    /// Clients with consent or grants, and devices.
    fn grants(
        &self,
        env: &Env<'_>,
        signed_in: &SignedIn,
        unended: &BTreeSet<SessionId>,
    ) -> Result<(Vec<AppView>, Vec<DeviceView>), Failure> {
        let user = &signed_in.user.record;
        let (mut apps, mut devices) = (BTreeMap::new(), Vec::new());
        for consent in live::<Consent>(&self.consents, env.now)? {
            if consent.user == user.id && user.is_current(consent.epoch) {
                allow(env, &mut apps, consent.client, &consent.scope, consent.at);
            }
        }
        let grants = live::<Grant>(&self.grants, env.now)?;
        let active: Vec<_> = grants
            .iter()
            .filter(|it| it.active().is_some())
            .map(|it| it.id)
            .collect();
        for grant in grants {
            let Some(authorization) = grant.authorization() else {
                continue;
            };
            let Authorization { scope, at, .. } = authorization;
            let of_session = authorization.required_session();
            let ended = of_session.is_some_and(|id| !unended.contains(&id))
                || grant.kind.parent().is_some_and(|id| !active.contains(&id));
            if authorization.user != user.id || !user.is_current(authorization.epoch) || ended {
                continue;
            }
            match &grant.kind {
                GrantOrigin::Code | GrantOrigin::Exchange(_) => {
                    allow(env, &mut apps, grant.client.clone(), scope, *at)
                }
                GrantOrigin::Device => devices.push(DeviceView {
                    grant: grant.id,
                    name: name_of(env, &grant.client),
                    scope: scope.clone(),
                    started: grant.started.clone(),
                    approved: *at,
                }),
            }
        }
        let mut apps: Vec<_> = apps.into_values().collect();
        apps.sort_by_key(|app: &AppView| std::cmp::Reverse(app.since));
        devices.sort_by_key(|device| std::cmp::Reverse(device.approved));
        Ok((apps, devices))
    }
}

impl Operation for ViewAccount {
    /// None where nobody is signed in.
    type Reply = Option<Box<AccountView>>;

    fn decide(&self, env: &Env<'_>, facts: &Facts) -> Result<Decision<Self::Reply>, Stop> {
        let cookie = self.cookie.as_ref();
        let own = session::named_by(env, cookie);
        let others = ids_of(&self.sessions).filter(|id| Some(*id) != own);
        let also: Vec<Key> = others
            .take(WITH_VISITOR)
            .map(|id| seen_key(env, id))
            .collect();
        let also: Vec<&Key> = also.iter().collect();
        let Some(signed_in) = session::signed_in(env, facts, cookie, &also)? else {
            return Ok(Decision::reply(None));
        };
        let unended = self.unended(env, &signed_in)?;
        let ids = unended.iter().map(|session| session.id).collect();
        let (apps, devices) = self.grants(env, &signed_in, &ids)?;
        let view = AccountView {
            visitor: signed_in.visitor(),
            sessions: Self::sessions(env, facts, unended)?,
            apps,
            devices,
        };
        Ok(Decision::reply(Some(Box::new(view))).writes(signed_in.touch))
    }
}

/// One app more, or more of one.
fn allow(
    env: &Env<'_>,
    apps: &mut BTreeMap<ClientId, AppView>,
    client: ClientId,
    scope: &Scope,
    at: Timestamp,
) {
    let app = apps.entry(client).or_insert_with_key(|client| AppView {
        client: client.clone(),
        name: name_of(env, client),
        scope: scope.clone(),
        since: at,
    });
    app.scope = app.scope.iter().chain(scope.iter()).collect();
    app.since = app.since.max(at);
}

fn name_of(env: &Env<'_>, id: &ClientId) -> String {
    let client = env.realm.clients.get(id);
    client.map_or_else(|| id.to_string(), |client| client.name.clone())
}

/// The records of a list that have not expired.
fn live<T: Record>(rows: &[Row], now: Timestamp) -> Result<Vec<T>, Failure> {
    let mut live = Vec::new();
    for row in rows {
        if let Lookup::Live(facts) = decide::open::<T>(row, now)? {
            live.push(facts.record);
        }
    }
    Ok(live)
}

fn seen_key(env: &Env<'_>, session: SessionId) -> Key {
    records::key::<Seen>(&env.realm.name, &session.to_string())
}
