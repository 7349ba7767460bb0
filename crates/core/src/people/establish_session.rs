//! The one way to make a session.

use std::time::Duration;

use super::session;
use crate::base::error::Failure;
use crate::base::peer::Peer;
use crate::base::row::Write;
use crate::base::time::Timestamp;
use crate::engine::decide::{Excess, Halt};
use crate::engine::env::Env;
use crate::engine::facts::Facts;
use crate::model::ids::SessionId;
use crate::model::realm::CookieLife;
use crate::records::{self, ProvenFactor, Session, Started, User};
use crate::tokens::handles::{PresentedCookie, SessionCookie};

/// A user, and what they proved just now. Only what compared a proof makes one.
pub(super) struct Authenticated<'u> {
    pub(super) user: &'u User,
    /// RFC 8176, one for each factor.
    pub(super) amr: &'static [&'static str],
    /// OpenID Connect Core section 2.
    pub(super) acr: &'static str,
    pub(super) at: Timestamp,
    /// Whether the cookie is to outlive the browser.
    pub(super) stay: bool,
}

/// A session, to be made by the commit of these writes.
pub(super) struct Established {
    pub(super) cookie: SessionCookie,
    /// How long the browser keeps it. `None`: until it closes.
    pub(super) lasts: Option<Duration>,
    pub(super) writes: Vec<Write>,
    /// Where the session is a new one.
    pub(super) excess: Option<Excess>,
}

/// The same user keeps the session of the browser, with a new secret: what was proven earlier does not count any more.
/// Another user ends it. A cookie with an old secret neither keeps a session nor ends it.
pub(super) fn establish_session(
    env: &Env<'_>,
    facts: &Facts,
    authenticated: &Authenticated<'_>,
    previous: Option<&PresentedCookie>,
    peer: &Peer,
) -> Result<Established, Halt> {
    let Authenticated {
        user,
        amr,
        acr,
        at,
        stay,
    } = *authenticated;
    let persistent = stay && env.realm.lifetimes.session_cookie == CookieLife::Persistent;
    let previous = match previous.map(|cookie| &cookie.holds) {
        Some(cookie) => facts
            .record::<Session>(env, &session::key(env, cookie.id))?
            .live()
            .filter(|old| session::matches_secret(&old.record, cookie)),
        None => None,
    };
    let kept = previous
        .as_ref()
        .filter(|old| old.record.user == user.id && user.is_current(old.record.epoch));
    let id = kept.map_or_else(
        || SessionId::newest_first(env.now, env.seed.bytes("session")),
        |old| old.record.id,
    );
    let cookie = SessionCookie {
        id,
        user: user.id,
        secret: env.seed.bytes("session secret"),
    };
    let begun = || Started {
        at: env.now,
        by: peer.clone(),
    };
    let record = Session {
        id,
        user: user.id,
        epoch: user.epoch,
        secret: session::secret_digest(&cookie.secret),
        auth_time: at,
        amr: amr.iter().copied().map(str::to_owned).collect(),
        acr: Some(acr.to_owned()),
        proven: amr.iter().map(|amr| ProvenFactor::new(amr, at)).collect(),
        started: Some(
            kept.and_then(|old| old.record.started.clone())
                .unwrap_or_else(begun),
        ),
        logout_subscribers: kept.map_or_else(Default::default, |old| {
            old.record.logout_subscribers.clone()
        }),
        persistent,
        expires_at: env.now + env.realm.lifetimes.session_absolute,
    };
    let lasts = record.cookie_lasts(env.now);
    let write: Result<Write, Failure> = match kept {
        Some(old) => records::replace(&env.realm.name, &record, &old.row),
        None => records::insert(&env.realm.name, &record),
    };
    let mut writes = vec![write?];
    if kept.is_none()
        && let Some(old) = &previous
    {
        writes.extend(session::end(env, old)?);
    }
    let excess = kept.is_none().then_some(Excess::Sessions {
        user: user.id,
        new: id,
    });
    Ok(Established {
        cookie,
        lasts,
        writes,
        excess,
    })
}
