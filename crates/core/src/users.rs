//! Whether a grant's user still stands behind it: read fresh for every decision, never cached.

use crate::decide::{Found, Lookup, Stop, Versioned, invalid_grant};
use crate::env::Env;
use crate::error::{Cause, Refusal};
use crate::exchange::Actor;
use crate::id::UserId;
use crate::records::{self, Authorization, Epoch, Grant, Session, User};
use crate::row::{Key, Version, Write};

/// The key of a user's row.
#[must_use]
pub fn key(env: &Env<'_>, user: UserId) -> Key {
    records::key::<User>(env, &user.to_string())
}

/// What was granted by a user.
pub(crate) fn authorization(grant: &Grant) -> Result<&Authorization, Refusal> {
    grant
        .authorization()
        .ok_or(invalid_grant(Cause::RevokedGrant))
}

/// Who and what stands behind a grant.
#[derive(Debug)]
pub(crate) struct Behind {
    /// The user.
    pub(crate) user: Versioned<User>,
    /// The session on which it depends and the grant from which it was exchanged, by their rows' versions.
    others: Vec<(Key, Version)>,
}

impl Behind {
    /// Makes a commit fail where any of it changed since it was read: a sign-out that comes between leaves no tokens.
    pub(crate) fn checks(self, env: &Env<'_>) -> impl Iterator<Item = Write> {
        let user = (key(env, self.user.record.id), self.user.version);
        let all = [user].into_iter().chain(self.others);
        all.map(|(key, expect)| Write::Check { key, expect })
    }
}

/// The user who stands behind a grant, in one read with the session that it depends on and the grant from which it
/// was exchanged.
///
/// # Errors
/// `invalid_grant` where the user is gone, disabled or signed out everywhere, or the session or that grant ended.
pub(crate) fn of_grant(env: &Env<'_>, found: &Found, grant: &Grant) -> Result<Behind, Stop> {
    let authorization = authorization(grant)?;
    let user_key = key(env, authorization.user);
    let session_key = authorization
        .bound_to()
        .map(|id| records::key::<Session>(env, &id.to_string()));
    let parent = grant.kind.parent();
    let parent_key = parent.map(|id| records::key::<Grant>(env, &id.to_string()));
    let act = grant.kind.exchanged();
    let act = act.and_then(|exchanged| exchanged.act.as_ref());
    let actor = act.and_then(|act| actor_key(env, act));
    let keys = [&user_key].into_iter().chain(&session_key);
    let keys = keys.chain(&parent_key).chain(&actor);
    found.need(&keys.collect::<Vec<_>>())?;
    let user = of_epoch(env, found, &user_key, authorization.epoch)?.map_err(invalid_grant)?;
    if let Some(act) = act {
        acts(env, found, act)?.map_err(invalid_grant)?;
    }
    let mut others = Vec::new();
    if let Some(key) = session_key {
        let session = found.record::<Session>(env, &key)?.live();
        let session = session.ok_or(invalid_grant(Cause::SessionEnded))?;
        others.push((key, session.version));
    }
    if let Some(key) = parent_key {
        let parent = found.record::<Grant>(env, &key)?.live();
        let parent = parent.ok_or(invalid_grant(Cause::NoSuchGrant))?;
        if parent.record.active().is_none() {
            return Err(invalid_grant(Cause::RevokedGrant).into());
        }
        if !env.pool.is_enabled(&parent.record.client) {
            return Err(invalid_grant(Cause::DisabledClient).into());
        }
        others.push((key, parent.version));
    }
    Ok(Behind { user, others })
}

/// The key of the user who acts now; a client, and another issuer's subject, has none. Who acted before is told for
/// information only (RFC 8693 section 4.1).
pub(crate) fn actor_key(env: &Env<'_>, act: &Actor) -> Option<Key> {
    act.sub.parse().ok().map(|user| key(env, user))
}

/// Whether who acts now still may: a user who is enabled, a client, or the subject of an issuer that is trusted.
///
/// # Errors
/// [`Stop`] where the user's row must be read first, or cannot be.
pub(crate) fn acts(env: &Env<'_>, found: &Found, act: &Actor) -> Result<Result<(), Cause>, Stop> {
    let stands = match actor_key(env, act) {
        Some(key) => {
            let user = found.record::<User>(env, &key)?.live();
            user.is_some_and(|user| user.record.enabled)
        }
        None => env.pool.knows_subject(&act.sub),
    };
    Ok(stands.then_some(()).ok_or(Cause::ActorGone))
}

/// The user of this key, if what copied this epoch is still good.
///
/// # Errors
/// [`Stop`] where the row must be read first, or cannot be.
pub(crate) fn of_epoch(
    env: &Env<'_>,
    found: &Found,
    key: &Key,
    epoch: Epoch,
) -> Result<Result<Versioned<User>, Cause>, Stop> {
    Ok(match found.record::<User>(env, key)? {
        Lookup::Live(user) if user.record.honours(epoch) => Ok(user),
        Lookup::Live(user) if user.record.enabled => Err(Cause::SignedOutEverywhere),
        Lookup::Live(_) => Err(Cause::UserDisabled),
        _ => Err(Cause::UserGone),
    })
}

/// What stands behind an active grant, or why nobody does: for endpoints that tell no client about it.
///
/// # Errors
/// [`Stop`] where something must be read first, or a row cannot be read.
pub(crate) fn behind(
    env: &Env<'_>,
    found: &Found,
    grant: &Grant,
) -> Result<Result<Behind, Cause>, Stop> {
    match of_grant(env, found, grant) {
        Ok(behind) => Ok(Ok(behind)),
        Err(Stop::Refuse(refusal)) => Ok(Err(refusal.cause)),
        Err(stop) => Err(stop),
    }
}
