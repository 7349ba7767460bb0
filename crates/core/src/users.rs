//! Whether a grant's user still stands behind it: read fresh for every decision, never cached.

use crate::decide::{Found, Lookup, Stop, Versioned, invalid_grant};
use crate::env::Env;
use crate::error::{Cause, Refusal};
use crate::id::UserId;
use crate::records::{self, Authorization, Grant, Session, User};
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
pub(crate) struct Behind {
    /// The user.
    pub(crate) user: Versioned<User>,
    /// The session on which it depends, and its row's version.
    session: Option<(Key, Version)>,
}

impl Behind {
    /// Makes a commit fail where any of it changed since it was read: a sign-out that comes between leaves no tokens.
    pub(crate) fn checks(self, env: &Env<'_>) -> impl Iterator<Item = Write> {
        let user = Write::Check {
            key: key(env, self.user.record.id),
            expect: self.user.version,
        };
        let session = self.session;
        let session = session.map(|(key, expect)| Write::Check { key, expect });
        [user].into_iter().chain(session)
    }
}

/// The user who stands behind a grant, in one read with the session that it depends on.
///
/// # Errors
/// `invalid_grant` where the user is gone, disabled or signed out everywhere, or the session ended.
pub(crate) fn of_grant(env: &Env<'_>, found: &Found, grant: &Grant) -> Result<Behind, Stop> {
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
    let session = match session_key {
        None => None,
        Some(key) => match found.record::<Session>(env, &key)? {
            Lookup::Live(session) => Some((key, session.version)),
            _ => return Err(invalid_grant(Cause::SessionEnded).into()),
        },
    };
    Ok(Behind { user, session })
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
        Ok(behind) => Ok(Ok(behind.user)),
        Err(Stop::Refuse(refusal)) => Ok(Err(refusal.cause)),
        Err(stop) => Err(stop),
    }
}
