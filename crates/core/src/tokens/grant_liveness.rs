//! Whether everything that a grant depends on is still valid. Read for every decision, never cached.

use crate::base::error::{Cause, Refusal};
use crate::base::row::{Key, Version, Write};
use crate::engine::decide::{Facts, Lookup, Stop, Versioned, invalid_grant};
use crate::engine::env::Env;
use crate::model::actor::Actor;
use crate::model::ids::{Epoch, UserId};
use crate::records::{self, Authorization, Grant, Session, User};

#[must_use]
pub fn user_key(env: &Env<'_>, user: UserId) -> Key {
    records::key::<User>(&env.realm.name, &user.to_string())
}

/// # Errors
/// `invalid_grant` if it was revoked, or no user decided yet.
pub(crate) fn authorization(grant: &Grant) -> Result<&Authorization, Refusal> {
    grant
        .authorization()
        .ok_or(invalid_grant(Cause::RevokedGrant))
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
/// `invalid_grant` if the user is deleted, disabled or signed out everywhere, the session or parent grant ended, or
/// an actor is disabled or unknown.
pub(crate) fn require_live(
    env: &Env<'_>,
    facts: &Facts,
    grant: &Grant,
) -> Result<GrantDependencies, Stop> {
    let authorization = authorization(grant)?;
    let user_key = user_key(env, authorization.user);
    let session_key = authorization
        .required_session()
        .map(|id| records::key::<Session>(&env.realm.name, &id.to_string()));
    let parent = grant.kind.parent();
    let parent_key = parent.map(|id| records::key::<Grant>(&env.realm.name, &id.to_string()));
    let act = grant.kind.exchanged().and_then(|it| it.act.as_ref());
    let actors: Vec<_> = actor_keys(env, act).collect();
    let keys = [&user_key]
        .into_iter()
        .chain(&session_key)
        .chain(&parent_key)
        .chain(&actors);
    facts.need(&keys.collect::<Vec<_>>())?;
    let user = user_at_epoch(env, facts, &user_key, authorization.epoch)?.map_err(invalid_grant)?;
    let mut others = check_actors(env, facts, act)?.map_err(invalid_grant)?;
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
        if parent.record.live_client(env.realm).is_none() {
            return Err(invalid_grant(Cause::DisabledClient).into());
        }
        others.push((key, parent.row.version));
    }
    Ok(GrantDependencies { user, others })
}

/// The row keys of the users among the actors.
pub(crate) fn actor_keys(env: &Env<'_>, act: Option<&Actor>) -> impl Iterator<Item = Key> {
    let all = act.into_iter().flat_map(Actor::chain);
    all.filter_map(|actor| Some(user_key(env, acting_user(env, actor)?)))
}

/// The actor's user id, unless it is a client, whose id may look like a user's.
fn acting_user(env: &Env<'_>, actor: &Actor) -> Option<UserId> {
    match env.realm.client(&actor.sub) {
        Some(_) => None,
        None => actor.sub.parse().ok(),
    }
}

/// Checks that all actors in the chain are known and enabled, or a trusted issuer's. Returns the row versions of the
/// users among them.
///
/// # Errors
/// [`Stop`] if a row was not read yet, or is corrupt.
pub(crate) fn check_actors(
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
        let key = user_key(env, user);
        match facts.record::<User>(env, &key)? {
            Lookup::Live(user) if user.record.enabled => {
                let row = (key, user.row.version);
                // A user may act at two hops, by two clients.
                if !users.contains(&row) {
                    users.push(row);
                }
            }
            _ => return Ok(Err(Cause::ActorGone)),
        }
    }
    Ok(Ok(users))
}

/// The user with this key, if enabled and still at this epoch.
///
/// # Errors
/// [`Stop`] if the row was not read yet, or is corrupt.
pub(crate) fn user_at_epoch(
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

/// Like [`require_live`], but returns the cause, for endpoints that do not report it to clients.
///
/// # Errors
/// [`Stop`] if a row was not read yet, or is corrupt.
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
