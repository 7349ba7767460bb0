//! What a user sees of their account, and takes back: sessions, apps, devices. One file for each action.
//!
//! What the page shows comes from lists, which may lag; what an action ends is read fresh, and must be the user's whose
//! session asks. Another's is answered as one that is not there.
//!
//! No action asks for the password again, however old the session: each only takes away. A stranger in the session
//! could annoy by it, its owner must be able to end that stranger's at once.

mod cut_off;
mod disconnect;
mod end_session;
mod everywhere;
mod revoke_grant;
mod view;

pub use self::{
    cut_off::EndCutOff,
    disconnect::Disconnect,
    end_session::{EndSession, EndSessionReply},
    everywhere::{SignOutEverywhere, SignOutEverywhereReply},
    revoke_grant::RevokeGrant,
    view::{AccountView, AppView, DeviceView, SessionView, ViewAccount},
};
use crate::base::row::{Index, Row};
use crate::model::ids::{SessionId, UserId};
use crate::model::realm::Realm;
use crate::records::{Consent, Grant, Session};

/// What came of taking something back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveAccessReply {
    /// Sign-in comes first.
    SignIn,
    /// It is ended now.
    Done,
    /// There is no such thing of this user's, or no more.
    Gone,
}

/// The list of a user's sessions.
#[must_use]
pub fn sessions_of(realm: &Realm, user: UserId) -> Index {
    Index::Named(Session::user_index(&realm.name, user))
}

/// The list of what a user granted.
#[must_use]
pub fn grants_of(realm: &Realm, user: UserId) -> Index {
    Index::Named(Grant::user_index(&realm.name, user))
}

/// The list of the clients with which a user agreed.
#[must_use]
pub fn consents_of(realm: &Realm, user: UserId) -> Index {
    Index::Named(Consent::user_index(&realm.name, user))
}

/// The sessions of a list, by their keys.
fn ids_of(rows: &[Row]) -> impl Iterator<Item = SessionId> {
    let name = |row: &Row| row.key.as_str().rsplit('/').next()?.parse().ok();
    rows.iter().filter_map(name)
}
