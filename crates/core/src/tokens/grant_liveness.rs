//! Whether a grant's user still stands behind it: read fresh for every decision, never cached.

use crate::base::error::{Cause, Refusal};
use crate::base::row::{Key, Version, Write};
use crate::engine::decide::{Facts, Lookup, Stop, Versioned, invalid_grant};
use crate::engine::env::Env;
use crate::model::actor::Actor;
use crate::model::ids::Epoch;
use crate::model::ids::UserId;
use crate::records::{self, Authorization, Grant, Session, User};

/// The key of a user's row.
#[must_use]
pub fn key(env: &Env<'_>, user: UserId) -> Key {
    records::key::<User>(&env.realm.name, &user.to_string())
}

/// What was granted by a user.
pub(crate) fn authorization(grant: &Grant) -> Result<&Authorization, Refusal> {
    grant
        .authorization()
        .ok_or(invalid_grant(Cause::RevokedGrant))
}

/// Who and what stands behind a grant.
#[derive(Debug)]
pub(crate) struct GrantDependencies {
    /// The user.
    pub(crate) user: Versioned<User>,
    /// The session on which it depends, the grant from which it was exchanged and the users who act by it, by their
    /// rows' versions.
    others: Vec<(Key, Version)>,
}

impl GrantDependencies {
    /// Makes a commit fail where any of it changed since it was read: a sign-out that comes between leaves no tokens.
    pub(crate) fn checks(self, env: &Env<'_>) -> impl Iterator<Item = Write> {
        let user = (key(env, self.user.record.id), self.user.row.version);
        let all = [user].into_iter().chain(self.others);
        all.map(|(key, expect)| Write::Check { key, expect })
    }
}

/// The user who stands behind a grant, in one read with the session that it depends on, the grant from which it was
/// exchanged and the users who act by it.
///
/// # Errors
/// `invalid_grant` where the user is gone, disabled or signed out everywhere, the session or that grant ended, or
/// somebody who acts may not any more.
pub(crate) fn require_live(
    env: &Env<'_>,
    facts: &Facts,
    grant: &Grant,
) -> Result<GrantDependencies, Stop> {
    let authorization = authorization(grant)?;
    let user_key = key(env, authorization.user);
    let session_key = authorization
        .bound_to()
        .map(|id| records::key::<Session>(&env.realm.name, &id.to_string()));
    let parent = grant.kind.parent();
    let parent_key = parent.map(|id| records::key::<Grant>(&env.realm.name, &id.to_string()));
    let act = grant.kind.exchanged().and_then(|it| it.act.as_ref());
    let actors: Vec<_> = actors(env, act).collect();
    let keys = [&user_key]
        .into_iter()
        .chain(&session_key)
        .chain(&parent_key)
        .chain(&actors);
    facts.need(&keys.collect::<Vec<_>>())?;
    let user = of_epoch(env, facts, &user_key, authorization.epoch)?.map_err(invalid_grant)?;
    let mut others = acting(env, facts, act)?.map_err(invalid_grant)?;
    if let Some(key) = session_key {
        let session = facts.record::<Session>(env, &key)?.live();
        let session = session.ok_or(invalid_grant(Cause::SessionEnded))?;
        others.push((key, session.row.version));
    }
    if let Some(key) = parent_key {
        let parent = facts.record::<Grant>(env, &key)?.live();
        let parent = parent.ok_or(invalid_grant(Cause::NoSuchGrant))?;
        if parent.record.active().is_none() {
            return Err(invalid_grant(Cause::RevokedGrant).into());
        }
        if !env.realm.is_enabled(&parent.record.client) {
            return Err(invalid_grant(Cause::DisabledClient).into());
        }
        others.push((key, parent.row.version));
    }
    Ok(GrantDependencies { user, others })
}

/// The rows of the users among those who act.
pub(crate) fn actors(env: &Env<'_>, act: Option<&Actor>) -> impl Iterator<Item = Key> {
    let all = act.into_iter().flat_map(Actor::chain);
    all.filter_map(|actor| Some(key(env, acting_user(env, actor)?)))
}

/// The user who acts, where it is one and no client, whose id may look like a user's.
fn acting_user(env: &Env<'_>, actor: &Actor) -> Option<UserId> {
    match env.realm.client(&actor.sub) {
        Some(_) => None,
        None => actor.sub.parse().ok(),
    }
}

/// "A revoked or disabled user … or client ends it at once", those who act among them: the versions of the users' rows,
/// if everybody in the chain is one of ours or of an issuer that is trusted, and enabled.
///
/// # Errors
/// [`Stop`] where a row must be read first, or cannot be.
pub(crate) fn acting(
    env: &Env<'_>,
    facts: &Facts,
    act: Option<&Actor>,
) -> Result<Result<Vec<(Key, Version)>, Cause>, Stop> {
    let mut users = Vec::new();
    for actor in act.into_iter().flat_map(Actor::chain) {
        if !env.realm.is_enabled(&actor.client_id) {
            return Ok(Err(Cause::DisabledClient));
        }
        let Some(user) = acting_user(env, actor) else {
            if !env.realm.knows_subject(&actor.sub) {
                return Ok(Err(Cause::ActorGone));
            }
            continue;
        };
        let key = key(env, user);
        match facts.record::<User>(env, &key)? {
            Lookup::Live(user) if user.record.enabled => {
                let row = (key, user.row.version);
                // One may act at two hops, by two clients.
                if !users.contains(&row) {
                    users.push(row);
                }
            }
            _ => return Ok(Err(Cause::ActorGone)),
        }
    }
    Ok(Ok(users))
}

/// The user of this key, if what copied this epoch is still good.
///
/// # Errors
/// [`Stop`] where the row must be read first, or cannot be.
pub(crate) fn of_epoch(
    env: &Env<'_>,
    facts: &Facts,
    key: &Key,
    epoch: Epoch,
) -> Result<Result<Versioned<User>, Cause>, Stop> {
    Ok(match facts.record::<User>(env, key)? {
        Lookup::Live(user) if user.record.is_current(epoch) => Ok(user),
        Lookup::Live(user) if user.record.enabled => Err(Cause::SignedOutEverywhere),
        Lookup::Live(_) => Err(Cause::UserDisabled),
        _ => Err(Cause::UserGone),
    })
}

/// What stands behind an active grant, or why nobody does: for endpoints that tell no client about it.
///
/// # Errors
/// [`Stop`] where something must be read first, or a row cannot be read.
pub(crate) fn check(
    env: &Env<'_>,
    facts: &Facts,
    grant: &Grant,
) -> Result<Result<GrantDependencies, Cause>, Stop> {
    match require_live(env, facts, grant) {
        Ok(dependencies) => Ok(Ok(dependencies)),
        Err(Stop::Refuse(refusal)) => Ok(Err(refusal.cause)),
        Err(stop) => Err(stop),
    }
}
