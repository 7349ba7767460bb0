//! What the core and a store say to each other: keys, rows, writes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::time::Timestamp;

/// The most keys of one `get`.
pub const MAX_KEYS: usize = 16;
/// The most writes of one commit.
pub const MAX_WRITES: usize = 25;

/// A row's key: `POOL/KIND/NAME`. Every key begins with its realm.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Arc<str>);

impl Key {
    /// The key of the row `name` among the rows of one `kind` of one `realm`.
    #[must_use]
    pub fn new(realm: &str, kind: &str, name: &str) -> Self {
        Self(format!("{realm}/{kind}/{name}").into())
    }

    /// A key as a store wrote it down.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The key as a store writes it down.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind of record that the key names.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }
}

// The name part may be guessable input (a username) but never a secret: codes and tokens enter
// keys only as MACs, so a key may be logged.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A row's version: the id of the commit that wrote it, 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version([u8; 16]);

impl Version {
    /// The version that the commit with this id gives to what it writes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// A row as a store gives it: a key, its version, when it ends, and its record as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row's key.
    pub key: Key,
    /// The id of the commit that wrote it.
    pub version: Version,
    /// After this moment the row counts as absent for `Insert`, and five minutes later `sweep` may delete it.
    pub expires_at: Option<Timestamp>,
    /// The record.
    pub value: Arc<[u8]>,
}

/// A row to be written; its version will be the commit's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// The row's key.
    pub key: Key,
    /// When the row ends.
    pub expires_at: Option<Timestamp>,
    /// The record.
    pub value: Arc<[u8]>,
    /// The explicit indexes that list this row, beside the one of its kind.
    pub indexes: Vec<IndexName>,
}

/// The name of an explicit index: `POOL/INDEX/VALUE`, as `default/grants_of/USER`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexName(Arc<str>);

impl IndexName {
    /// The index `name` for `value` in `realm`.
    #[must_use]
    pub fn new(realm: &str, name: &str, value: &str) -> Self {
        Self(format!("{realm}/{name}/{value}").into())
    }

    /// The name as a store writes it down.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What `list` can list, in the order of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Index {
    /// Every row of one kind of one realm; kept by the keys themselves, without a write.
    Kind {
        /// The realm.
        realm: String,
        /// The kind of record.
        kind: String,
    },
    /// The rows written with this index name.
    Named(IndexName),
}

/// One write of a commit. A commit writes all or nothing, and holds one write per key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Writes a row where there is no live one.
    Insert(NewRow),
    /// Replaces the row that has this version.
    Update {
        /// What to write.
        row: NewRow,
        /// The version it must have.
        expect: Version,
    },
    /// Deletes the row that has this version.
    Delete {
        /// The row.
        key: Key,
        /// The version it must have.
        expect: Version,
    },
    /// Writes nothing, but fails the commit unless the row has this version, and keeps it so until the commit.
    Check {
        /// The row.
        key: Key,
        /// The version it must have.
        expect: Version,
    },
}

impl Write {
    /// The key that this write is about.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Insert(row) | Self::Update { row, .. } => &row.key,
            Self::Delete { key, .. } | Self::Check { key, .. } => key,
        }
    }

    /// Whether a row is written or deleted.
    #[must_use]
    pub const fn changes(&self) -> bool {
        !matches!(self, Self::Check { .. })
    }
}

/// How a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Everything is written, durably.
    Done,
    /// Nothing is written: this key did not have the version expected of it.
    Conflict(Key),
    /// The connection was lost: written or not, only a read can tell.
    Unknown,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_key_has_one_text_and_tells_its_kind(
            realm in "[a-z]{1,8}", kind in "[a-z_]{1,12}", name in ".{0,40}", other in ".{0,40}"
        ) {
            let key = Key::new(&realm, &kind, &name);
            prop_assert_eq!(&Key::from_stored(key.as_str()), &key);
            prop_assert_eq!(key.kind(), &kind);
            prop_assert_eq!(key == Key::new(&realm, &kind, &other), name == other);
        }
    }
}
