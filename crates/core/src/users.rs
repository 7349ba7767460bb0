//! Whether a grant's user still stands behind it: read fresh for every decision, never cached.

use crate::decide::{Found, Lookup, Stop, Versioned, invalid_grant};
use crate::env::Env;
use crate::error::{Cause, Refusal};
use crate::id::UserId;
use crate::records::{self, Authorization, Grant, Session, User};
use crate::row::Key;

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

/// The user who stands behind a grant, in one read with the session that it depends on.
///
/// # Errors
/// `invalid_grant` where the user is gone, disabled or signed out everywhere, or the session ended.
pub(crate) fn of_grant(
    env: &Env<'_>,
    found: &Found,
    grant: &Grant,
) -> Result<Versioned<User>, Stop> {
    let authorization = authorization(grant)?;
    let user_key = key(env, authorization.user);
    let session_key = authorization
        .bound_to()
        .map(|id| records::key::<Session>(env, &id.to_string()));
    found.need(&session_key.iter().chain([&user_key]).collect::<Vec<_>>())?;
    let Lookup::Live(user) = found.record::<User>(env, &user_key)? else {
        return Err(invalid_grant(Cause::UserGone).into());
    };
    if !user.record.honours(authorization.epoch) {
        let cause = if user.record.enabled {
            Cause::SignedOutEverywhere
        } else {
            Cause::UserDisabled
        };
        return Err(invalid_grant(cause).into());
    }
    if let Some(session) = session_key
        && found.record::<Session>(env, &session)?.live().is_none()
    {
        return Err(invalid_grant(Cause::SessionEnded).into());
    }
    Ok(user)
}

/// The user who stands behind an active grant, or why nobody does: for endpoints that tell no client about it.
///
/// # Errors
/// [`Stop`] where something must be read first, or a row cannot be read.
pub(crate) fn behind(
    env: &Env<'_>,
    found: &Found,
    grant: &Grant,
) -> Result<Result<Versioned<User>, Cause>, Stop> {
    match of_grant(env, found, grant) {
        Ok(user) => Ok(Ok(user)),
        Err(Stop::Refuse(refusal)) => Ok(Err(refusal.cause)),
        Err(stop) => Err(stop),
    }
}
