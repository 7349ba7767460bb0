//! The account page: a user's sessions, apps and devices, and how they remove them. One file for each action.
//!
//! The page shows lists, which may lag. An action reads its object fresh, and another user's object is not found.
//!
//! No action but a change of the password asks for it again, however old the session, because the others only remove access.
//! An intruder in the session could cause annoyance, but the owner must be able to end the intruder's session at once.

use std::convert::Infallible;

mod change_password;
mod disconnect;
pub mod end_excess;
mod end_revoked_sessions;
mod end_session;
mod revoke_grant;
mod sign_out_everywhere;
mod view;

pub use self::{
    change_password::{ChangePassword, ChangePasswordReply},
    disconnect::Disconnect,
    end_revoked_sessions::EndRevokedSessions,
    end_session::{EndSession, EndSessionReply},
    revoke_grant::RevokeGrant,
    sign_out_everywhere::{SignOutEverywhere, SignOutEverywhereReply},
    view::{AccountView, AppView, DeviceView, Listed, SessionView, ViewAccount},
};
use crate::base::error::Failure;
use crate::base::row::Key;
use crate::base::row::{Index, Row};
use crate::base::time::Timestamp;
use crate::engine::decide::Decision;
use crate::engine::env::Env;
use crate::engine::facts::{self, Facts, Lookup};
use crate::model::ids::{SessionId, UserId};
use crate::model::realm::Realm;
use crate::records::{self, Consent, Grant, Record, Seen, Session};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveAccessReply {
    /// The user is not signed in.
    SignIn,
    Done,
    /// The user has no such object, or no longer.
    Gone,
}

/// Nothing is left to remove. After a commit with an unknown outcome, it may be this very request that removed it.
fn already_removed(facts: &Facts) -> Decision<RemoveAccessReply, Infallible> {
    Decision::reply(match facts.after_unknown() {
        true => RemoveAccessReply::Done,
        false => RemoveAccessReply::Gone,
    })
}

#[must_use]
pub fn sessions_of(realm: &Realm, user: UserId) -> Index {
    Index::Named(Session::user_index(&realm.name, user))
}

#[must_use]
pub fn grants_of(realm: &Realm, user: UserId) -> Index {
    Index::Named(Grant::user_index(&realm.name, user))
}

#[must_use]
pub fn consents_of(realm: &Realm, user: UserId) -> Index {
    Index::Named(Consent::user_index(&realm.name, user))
}

/// Reads the ids from the keys.
fn session_ids(rows: &[Row]) -> impl Iterator<Item = SessionId> {
    let name = |row: &Row| row.key.as_str().rsplit('/').next()?.parse().ok();
    rows.iter().filter_map(name)
}

/// The records that have not expired.
fn live<T: Record>(rows: &[Row], now: Timestamp) -> Result<Vec<T>, Failure> {
    let mut live = Vec::new();
    for row in rows {
        if let Lookup::Live(record) = facts::open::<T>(row, now)? {
            live.push(record.record);
        }
    }
    Ok(live)
}

fn seen_key(env: &Env<'_>, session: SessionId) -> Key {
    records::key::<Seen>(&env.realm.name, &session.to_string())
}
