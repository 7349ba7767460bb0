//! The stored records, one file each. A record's state is an enum; transitions consume it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::error::Failure;
use crate::base::row::{IndexName, Key, NewRow, Row, Write};
use crate::base::time::Timestamp;

mod config_document;
mod consent;
mod declared_users;
mod first_administrator;
mod grant;
mod idempotency;
mod instance;
mod link;
mod login;
mod logout_subscribers;
mod managed_client;
mod member_names;
mod organization;
mod outbox;
mod revoked;
mod secret_uses;
mod seen;
mod session;
mod signing_keys;
mod unknown_members;
mod user;
mod user_code;

pub use config_document::{ConfigVersion, config_key};
pub use consent::Consent;
pub use declared_users::DeclaredUsers;
pub use first_administrator::FirstAdministrator;
pub(crate) use grant::NewGrant;
pub use grant::{
    Authorization, CodeError, CodeIssued, DeviceCodeError, Exchanged, Grant, GrantOrigin,
    GrantState, NotPending, RefreshTokenStatus, Revocation, RevocationReason, Started,
};
pub use idempotency::IdempotentAnswer;
pub use instance::{DeclaredClient, InstancesSince};
pub use link::Link;
pub use login::Login;
pub use logout_subscribers::LogoutSubscribers;
pub use managed_client::{ClientSecret, ManagedClient};
pub use organization::ManagedOrganization;
pub use outbox::Outbox;
pub use revoked::RevokedToken;
pub use secret_uses::SecretUses;
pub use seen::Seen;
pub use session::{ProvenFactor, Session};
pub use signing_keys::{SealedSigningKey, SigningKeys, SupersededMaster};
pub use unknown_members::{MIN_WRITER, WRITER_LEVEL, merged};
pub use user::{User, Username};
pub use user_code::UserCodeRow;

/// A type that is stored as one row.
pub trait Record: Serialize + DeserializeOwned {
    const KIND: &'static str;

    /// JSON pointers of objects that a write replaces as a whole. Unknown members in them describe the old value, so
    /// they are kept only if nothing else in the object changes.
    const REPLACED: &'static [&'static str] = &[];

    fn name(&self) -> String;

    fn expires_at(&self) -> Option<Timestamp>;

    fn indexes(&self, _realm: &str) -> Vec<IndexName> {
        Vec::new()
    }
}

#[must_use]
pub fn key<T: Record>(realm: &str, name: &str) -> Key {
    Key::new(realm, T::KIND, name)
}

/// # Errors
/// [`Failure::Bug`]: never, for records of this crate.
pub fn insert<T: Record>(realm: &str, record: &T) -> Result<Write, Failure> {
    Ok(Write::Insert(row(realm, record, to_json(record)?)))
}

/// Replaces a record that was read, and keeps members that this version does not know.
///
/// # Errors
/// [`Failure::Newer`] if only a newer version may write the row.
pub fn update<T: Record>(realm: &str, record: &T, read: &Row) -> Result<Write, Failure> {
    Ok(Write::Update {
        row: row(realm, record, merged(record, read)?),
        expect: read.version,
    })
}

/// Replaces a record that was read by one that has nothing of it: no unknown member of the earlier one counts for this
/// one.
///
/// # Errors
/// [`Failure::Newer`] if only a newer version may write the row.
pub fn replace<T: Record>(realm: &str, record: &T, read: &Row) -> Result<Write, Failure> {
    unknown_members::check_may_overwrite(read)?;
    Ok(Write::Update {
        row: row(realm, record, to_json(record)?),
        expect: read.version,
    })
}

/// Like [`update`], for a record whose name changed.
///
/// # Errors
/// [`Failure::Newer`] if only a newer version may write the row.
pub fn rename<T: Record>(realm: &str, record: &T, read: &Row) -> Result<[Write; 2], Failure> {
    let renamed = row(realm, record, merged(record, read)?);
    Ok([Write::Insert(renamed), delete(read)?])
}

/// # Errors
/// [`Failure::Newer`] if only a newer version may delete the row.
pub fn delete(read: &Row) -> Result<Write, Failure> {
    unknown_members::check_may_overwrite(read)?;
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

/// # Errors
/// [`Failure::Bug`]: never, since the maps of our types have string keys.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|_| Failure::Bug("a record cannot be serialised"))
}
