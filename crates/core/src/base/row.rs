//! The data model between core and store: keys, rows, writes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::time::Timestamp;

/// The maximum number of keys in one `get`.
pub const MAX_KEYS: usize = 16;
/// The maximum number of writes in one commit.
pub const MAX_WRITES: usize = 25;

/// A row's key: `REALM/KIND/NAME`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Arc<str>);

impl Key {
    #[must_use]
    pub fn new(realm: &str, kind: &str, name: &str) -> Self {
        Self(format!("{realm}/{kind}/{name}").into())
    }

    /// A key read from a store.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The key as stores write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }

    /// What follows realm and kind.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.splitn(3, '/').nth(2).unwrap_or_default()
    }
}

// The name may be user input (a username) but never a secret: codes and tokens are in keys only as
// MACs, so keys may be logged.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A row's version: the id of the commit that wrote it, 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version([u8; 16]);

impl Version {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

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

/// A row as read from a store.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    pub key: Key,
    pub version: Version,
    /// From then on the row counts as absent for `Insert`; five minutes later `sweep` may delete it.
    pub expires_at: Option<Timestamp>,
    pub value: Arc<[u8]>,
}

/// Without the value, which can contain hashes of passwords and secrets.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("key", &self.key)
            .field("version", &self.version)
            .field("bytes", &self.value.len())
            .finish_non_exhaustive()
    }
}

/// A row to write. Its version will be the commit's id.
#[derive(Clone, PartialEq, Eq)]
pub struct NewRow {
    pub key: Key,
    pub expires_at: Option<Timestamp>,
    pub value: Arc<[u8]>,
    /// Indexes that list this row, in addition to the implicit one of its kind.
    pub indexes: Vec<IndexName>,
}

/// Without the value, like [`Row`].
impl fmt::Debug for NewRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewRow")
            .field("key", &self.key)
            .field("bytes", &self.value.len())
            .finish_non_exhaustive()
    }
}

/// The name of an explicit index: `REALM/INDEX/VALUE`, such as `default/grants_of/USER`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexName(Arc<str>);

impl IndexName {
    #[must_use]
    pub fn new(realm: &str, name: &str, value: &str) -> Self {
        Self(format!("{realm}/{name}/{value}").into())
    }

    /// The name as stores write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What `list` can list, in key order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Index {
    /// Every row of one kind and realm. The keys themselves are this index; it costs no writes.
    Kind {
        realm: String,
        kind: String,
    },
    Named(IndexName),
}

/// One write of a commit. A commit is atomic and has at most one write per key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Conflicts with a live row of the same key.
    Insert(NewRow),
    Update {
        row: NewRow,
        expect: Version,
    },
    Delete {
        key: Key,
        expect: Version,
    },
    /// Writes nothing, but fails the commit unless the row still has this version when it commits.
    Check {
        key: Key,
        expect: Version,
    },
}

impl Write {
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Insert(row) | Self::Update { row, .. } => &row.key,
            Self::Delete { key, .. } | Self::Check { key, .. } => key,
        }
    }

    #[must_use]
    pub const fn changes(&self) -> bool {
        !matches!(self, Self::Check { .. })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Durably written.
    Done,
    /// Nothing was written: this key did not have the expected version.
    Conflict(Key),
    /// The connection was lost. Only a read can tell whether the commit happened.
    Unknown,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn debug_of_a_row_shows_no_value() {
        let key = Key::new("default", "user", "alice");
        let value: Arc<[u8]> = b"argon2id".as_slice().into();
        let row = Row {
            key: key.clone(),
            version: Version::from_bytes([0; 16]),
            expires_at: None,
            value: Arc::clone(&value),
        };
        let new = NewRow {
            key,
            expires_at: None,
            value,
            indexes: Vec::new(),
        };
        for text in [format!("{row:?}"), format!("{new:?}")] {
            assert!(text.contains("alice"), "{text}");
            assert!(!text.contains("argon2id") && !text.contains("97"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_key_round_trips_and_knows_its_kind(
            realm in "[a-z]{1,8}", kind in "[a-z_]{1,12}", name in ".{0,40}", other in ".{0,40}"
        ) {
            let key = Key::new(&realm, &kind, &name);
            prop_assert_eq!(&Key::from_stored(key.as_str()), &key);
            prop_assert_eq!(key.kind(), &kind);
            prop_assert_eq!(key == Key::new(&realm, &kind, &other), name == other);
        }
    }
}
