//! The stored things, one file each. A thing's life is an enum, and its transitions consume it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::error::Failure;
use crate::base::row::{IndexName, Key, NewRow, Row, Write};
use crate::base::time::Timestamp;

mod consent;
mod grant;
mod outbox;
mod revoked;
mod seen;
mod session;
mod signing_keys;
mod unknown_members;
mod user;
mod user_code;

pub use consent::Consent;
pub(crate) use grant::NewGrant;
pub use grant::{
    Authorization, CodeEnded, CodeIssued, DeviceEnded, Exchanged, Grant, GrantOrigin, NotPending,
    Presented, Revocation, RevocationReason, Started, State,
};
pub use outbox::Outbox;
pub use revoked::RevokedToken;
pub use seen::Seen;
pub use session::Session;
pub use signing_keys::{SealedSigningKey, SigningKeys, SupersededMaster};
pub use unknown_members::{MIN_WRITER, WRITER_LEVEL, merged};
pub use user::{User, Username};
pub use user_code::UserCodeRow;

/// A thing that is stored as one row.
pub trait Record: Serialize + DeserializeOwned {
    /// The kind in its key.
    const KIND: &'static str;

    /// The JSON pointers of objects that a write replaces as a whole: what a newer version wrote into one of them is about
    /// what was there before, and is kept only where nothing in it changes.
    const REPLACED: &'static [&'static str] = &[];

    /// The name in its key.
    fn name(&self) -> String;

    /// When its row ends.
    fn expires_at(&self) -> Option<Timestamp>;

    /// The lists in which people find it.
    fn indexes(&self, _pool: &str) -> Vec<IndexName> {
        Vec::new()
    }
}

/// The key of a record of this type with this name.
#[must_use]
pub fn key<T: Record>(realm: &str, name: &str) -> Key {
    Key::new(realm, T::KIND, name)
}

/// Writes a record that is not there yet.
///
/// # Errors
/// [`Failure::Bug`]: never, for records of this crate.
pub fn insert<T: Record>(realm: &str, record: &T) -> Result<Write, Failure> {
    Ok(Write::Insert(row(realm, record, to_json(record)?)))
}

/// Replaces the record of a row that was read, and keeps the members that this version does not know.
///
/// # Errors
/// [`Failure::Newer`] where only a newer version may write the row.
pub fn update<T: Record>(realm: &str, record: &T, read: &Row) -> Result<Write, Failure> {
    Ok(Write::Update {
        row: row(realm, record, merged(record, read)?),
        expect: read.version,
    })
}

/// The same where the record has another name now.
///
/// # Errors
/// [`Failure::Newer`] where only a newer version may write the row.
pub fn rename<T: Record>(realm: &str, record: &T, read: &Row) -> Result<[Write; 2], Failure> {
    let renamed = row(realm, record, merged(record, read)?);
    Ok([Write::Insert(renamed), delete(read)?])
}

/// Deletes a row that was read.
///
/// # Errors
/// [`Failure::Newer`] where only a newer version may.
pub fn delete(read: &Row) -> Result<Write, Failure> {
    unknown_members::may_delete(read)?;
    Ok(Write::Delete {
        key: read.key.clone(),
        expect: read.version,
    })
}

fn row<T: Record>(realm: &str, record: &T, value: Vec<u8>) -> NewRow {
    NewRow {
        key: key::<T>(realm, &record.name()),
        expires_at: record.expires_at(),
        value: value.into(),
        indexes: record.indexes(realm),
    }
}

/// Serialises a value of our own types.
///
/// # Errors
/// [`Failure::Bug`]: our types have only string keys, so it cannot happen.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|_| Failure::Bug("a record cannot be written as JSON"))
}
