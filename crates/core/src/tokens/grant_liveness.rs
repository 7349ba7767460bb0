//! Whether everything that a grant depends on is still valid. Read for every decision, never cached.

use crate::base::error::Cause;
use crate::base::row::{Key, Version, Write};
use crate::base::time::Timestamp;
use crate::engine::decide::{Halt, Stop};
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Lookup, Versioned};
use crate::model::actor::Actor;
use crate::model::ids::{ClientId, Epoch, UserId};
use crate::records::{self, Authorization, Grant, Session, User};

#[must_use]
pub fn user_key(env: &Env<'_>, user: UserId) -> Key {
    records::key::<User>(&env.realm.name, &user.to_string())
}

/// # Errors
/// [`Cause::RevokedGrant`] if it was revoked, or no user decided yet.
pub(crate) fn authorization(grant: &Grant) -> Result<&Authorization, Cause> {
    grant.authorization().ok_or(Cause::RevokedGrant)
}

/// The rows that a grant depends on.
#[derive(Debug)]
pub(crate) struct GrantDependencies {
    pub(crate) user: Versioned<User>,
    /// Row versions of the session, the parent grant and the acting users.
    others: Vec<(Key, Version)>,
}

impl GrantDependencies {
    /// Makes a commit fail if a dependency changed since it was read, such as by a concurrent sign-out.
    pub(crate) fn checks(self, env: &Env<'_>) -> impl Iterator<Item = Write> {
        let user = (user_key(env, self.user.record.id), self.user.row.version);
        let all = [user].into_iter().chain(self.others);
        all.map(|(key, expect)| Write::Check { key, expect })
    }
}

/// Reads a grant's user, session, parent grant and acting users, all at once.
///
/// # Errors
/// The [`Cause`], if the user is deleted, disabled or signed out everywhere, the session or parent grant ended, or an actor
/// is disabled or unknown. Endpoints do not tell it.
pub(crate) fn check(
    env: &Env<'_>,
    facts: &Facts,
    grant: &Grant,
) -> Result<GrantDependencies, Stop<Cause>> {
    let authorization = authorization(grant)?;
    let user_key = user_key(env, authorization.user);
    let session_key = authorization
        .required_session()
        .map(|id| records::key::<Session>(&env.realm.name, &id.to_string()));
    let parent = grant.kind.parent();
    let parent_key = parent.map(|id| records::key::<Grant>(&env.realm.name, &id.to_string()));
    let act = grant.kind.exchanged().and_then(|it| it.act.as_ref());
    let actors = actor_keys(env, facts, act)?;
    let keys = [&user_key]
        .into_iter()
        .chain(&session_key)
        .chain(&parent_key)
        .chain(&actors);
    facts.need(&keys.collect::<Vec<_>>())?;
    let user = user_at_epoch(env, facts, &user_key, authorization.epoch)?;
    let mut others = check_actors(env, facts, act, grant.given_at())?;
    if let Some(key) = session_key {
        let session = facts.record::<Session>(env, &key)?.live();
        let session = session.ok_or(Cause::SessionEnded)?;
        others.push((key, session.row.version));
    }
    if let Some(key) = parent_key {
        let parent = facts.record::<Grant>(env, &key)?.live();
        let parent = parent.ok_or(Cause::NoSuchGrant)?;
        if parent.record.active().is_none() {
            return Err(Cause::RevokedGrant.into());
        }
        if facts.live_client(env, &parent.record)?.is_none() {
            return Err(Cause::DisabledClient.into());
        }
        others.push((key, parent.row.version));
    }
    Ok(GrantDependencies { user, others })
}

/// The row keys of the users among the actors.
///
/// # Errors
/// [`Halt`] if a client is not known yet.
pub(crate) fn actor_keys(
    env: &Env<'_>,
    facts: &Facts,
    act: Option<&Actor>,
) -> Result<Vec<Key>, Halt> {
    let named: Vec<ClientId> = (act.into_iter().flat_map(Actor::chain))
        .flat_map(|actor| [Some(actor.client_id.clone()), actor.sub.parse().ok()])
        .flatten()
        .collect();
    facts.need_clients(env, &named)?;
    let mut keys = Vec::new();
    for actor in act.into_iter().flat_map(Actor::chain) {
        let user = acting_user(env, facts, actor)?;
        keys.extend(user.map(|user| user_key(env, user)));
    }
    Ok(keys)
}

/// The actor's user id, unless it is a client, whose id may look like a user's.
fn acting_user(env: &Env<'_>, facts: &Facts, actor: &Actor) -> Result<Option<UserId>, Halt> {
    Ok(match facts.client_named(env, &actor.sub)? {
        Some(_) => None,
        None => actor.sub.parse().ok(),
    })
}

/// Whether a subject other than a user is known: an enabled client that was there at that time, or a subject of a trusted
/// issuer.
///
/// # Errors
/// [`Halt`] if the client is not known yet.
pub(crate) fn knows_subject(
    env: &Env<'_>,
    facts: &Facts,
    sub: &str,
    at: Timestamp,
) -> Result<bool, Halt> {
    let is_enabled = match sub.parse() {
        Ok(id) => facts.client_since(env, &id, at)?.is_some(),
        Err(_) => false,
    };
    Ok(is_enabled || env.realm.is_foreign_subject(sub))
}

/// Checks that all actors in the chain are known and enabled since a time, or a trusted issuer's. Returns the row versions
/// of the users among them.
///
/// # Errors
/// The [`Cause`] if one is not.
pub(crate) fn check_actors(
    env: &Env<'_>,
    facts: &Facts,
    act: Option<&Actor>,
    at: Timestamp,
) -> Result<Vec<(Key, Version)>, Stop<Cause>> {
    let mut users = Vec::new();
    for actor in act.into_iter().flat_map(Actor::chain) {
        if facts.client_since(env, &actor.client_id, at)?.is_none() {
            return Err(Cause::DisabledClient.into());
        }
        let Some(user) = acting_user(env, facts, actor)? else {
            if !knows_subject(env, facts, &actor.sub, at)? {
                return Err(Cause::ActorGone.into());
            }
            continue;
        };
        let key = user_key(env, user);
        match facts.record::<User>(env, &key)? {
            Lookup::Live(user) if facts.is_enabled_user(env, &user.record)? => {
                let row = (key, user.row.version);
                // A user may act at two hops, by two clients.
                if !users.contains(&row) {
                    users.push(row);
                }
            }
            _ => return Err(Cause::ActorGone.into()),
        }
    }
    Ok(users)
}

/// The user with this key.
///
/// # Errors
/// The [`Cause`] if the user is deleted, disabled, of a disabled organization, or no longer at this epoch.
pub(crate) fn user_at_epoch(
    env: &Env<'_>,
    facts: &Facts,
    key: &Key,
    epoch: Epoch,
) -> Result<Versioned<User>, Stop<Cause>> {
    let user = facts.record::<User>(env, key)?.live();
    let user = user.ok_or(Cause::UserGone)?;
    if !user.record.enabled {
        return Err(Cause::UserDisabled.into());
    }
    if !facts.is_enabled_user(env, &user.record)? {
        return Err(Cause::OrganizationDisabled.into());
    }
    match user.record.is_current(epoch) {
        true => Ok(user),
        false => Err(Cause::SignedOutEverywhere.into()),
    }
}
