//! The session of a cookie, read fresh for each request.

use aws_lc_rs::{constant_time, digest};

use crate::base::error::Failure;
use crate::base::row::{Key, Write};
use crate::base::time::Timestamp;
use crate::engine::decide::Halt;
use crate::engine::env::Env;
use crate::engine::facts::{Facts, Versioned};
use crate::model::credentials::fold_login;
use crate::model::ids::{SessionId, UserId};
use crate::records::{self, Outbox, Seen, Session, User};
use crate::tokens::grant_liveness;
use crate::tokens::handles::{PresentedCookie, SessionCookie};

/// The last use of a session is written at most this often per idle lifetime.
const SEEN_WRITES: u32 = 16;

/// The signed-in user, for pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    pub session: SessionId,
    pub user: UserId,
    pub username: String,
    /// Name and address, folded.
    logins: Vec<String>,
}

impl Visitor {
    /// Whether the user signs in by this name or address.
    #[must_use]
    pub fn signs_in_by(&self, login: &str) -> bool {
        self.logins.contains(&fold_login(login))
    }
}

/// A live session and its user.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) session: Versioned<Session>,
    pub(crate) user: Versioned<User>,
    /// Updates the last use, where a write is due.
    pub(crate) touch: Option<Write>,
}

impl SignedIn {
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor {
            session: self.session.record.id,
            user: self.user.record.id,
            username: self.user.record.username.clone(),
            logins: self.user.record.own_logins(),
        }
    }

    /// Whether the sign-in is more recent than `age`.
    pub(crate) fn is_fresh(&self, age: std::time::Duration, now: Timestamp) -> bool {
        self.session.record.auth_time.is_within(age, now)
    }

    /// The commit fails if user or session changed since they were read.
    pub(crate) fn checks(&self, env: &Env<'_>) -> [Write; 2] {
        [
            Write::Check {
                key: grant_liveness::user_key(env, self.user.record.id),
                expect: self.user.row.version,
            },
            Write::Check {
                key: key(env, self.session.record.id),
                expect: self.session.row.version,
            },
        ]
    }
}

/// The live session of a cookie: not ended, not idle for too long, with its current secret, and of a user who is enabled
/// and has not signed out everywhere. One read, which includes `also`.
pub(crate) fn signed_in(
    env: &Env<'_>,
    facts: &Facts,
    cookie: Option<&PresentedCookie>,
    also: &[&Key],
) -> Result<Option<SignedIn>, Halt> {
    let Some(cookie) = cookie.map(|cookie| &cookie.holds) else {
        return Ok(None);
    };
    let session_key = key(env, cookie.id);
    let seen_key = records::key::<Seen>(&env.realm.name, &cookie.id.to_string());
    let user_key = grant_liveness::user_key(env, cookie.user);
    facts.need(&[&[&session_key, &seen_key, &user_key], also].concat())?;
    let session = facts.record::<Session>(env, &session_key)?.live();
    let user = facts.record::<User>(env, &user_key)?.live();
    let (Some(session), Some(user)) = (session, user) else {
        return Ok(None);
    };
    if session.record.user != user.record.id
        || !user.record.is_current(session.record.epoch)
        || !facts.is_enabled_user(env, &user.record)?
        || !matches_secret(&session.record, cookie)
    {
        return Ok(None);
    }
    let seen = facts.record::<Seen>(env, &seen_key)?.live();
    let idle = env.realm.lifetimes.session_idle;
    let used = last_use(&session.record, seen.as_ref(), env.now);
    let unused_for = used.map(|used| env.now.since(used));
    let Some(unused_for) = unused_for.filter(|unused_for| *unused_for < idle) else {
        return Ok(None);
    };
    let touch = (unused_for >= idle / SEEN_WRITES)
        .then(|| touch(env, &session.record, seen))
        .transpose()?;
    Ok(Some(SignedIn {
        session,
        user,
        touch,
    }))
}

/// The last use of a session. None where all are in the future: how long it was not used is not known.
pub(crate) fn last_use(
    session: &Session,
    seen: Option<&Versioned<Seen>>,
    now: Timestamp,
) -> Option<Timestamp> {
    let seen = seen.map(|seen| seen.record.at);
    let uses = [Some(session.auth_time), seen].into_iter().flatten();
    uses.filter(|at| at.age(now).is_some()).max()
}

fn touch(
    env: &Env<'_>,
    session: &Session,
    seen: Option<Versioned<Seen>>,
) -> Result<Write, Failure> {
    let expires_at = (env.now + env.realm.lifetimes.session_idle).min(session.expires_at);
    let record = Seen {
        session: session.id,
        at: env.now,
        expires_at,
    };
    match seen {
        Some(seen) => records::update(&env.realm.name, &record, &seen.row),
        None => records::insert(&env.realm.name, &record),
    }
}

/// Ends a session: everything bound to it is refused from then on, and its clients are notified. At most two writes.
pub(crate) fn end(env: &Env<'_>, session: &Versioned<Session>) -> Result<Vec<Write>, Failure> {
    let Versioned { record, row } = session;
    let mut writes = vec![records::delete(row)?];
    if !record.logout_subscribers.is_empty() {
        let subscribers = record.logout_subscribers.clone();
        let outbox = Outbox::new(record.id, record.user, subscribers, env.now);
        writes.push(records::insert(&env.realm.name, &outbox)?);
    }
    Ok(writes)
}

pub(crate) fn key(env: &Env<'_>, id: SessionId) -> Key {
    records::key::<Session>(&env.realm.name, &id.to_string())
}

/// The row holds only this digest of the cookie's secret.
pub(crate) fn secret_digest(secret: &[u8; 16]) -> String {
    let digest = digest::digest(&digest::SHA256, secret);
    let bytes = digest.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the cookie holds the session's current secret.
pub(crate) fn matches_secret(session: &Session, cookie: &SessionCookie) -> bool {
    let presented = secret_digest(&cookie.secret);
    constant_time::verify_slices_are_equal(session.secret.as_bytes(), presented.as_bytes()).is_ok()
}
