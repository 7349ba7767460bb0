//! The contract: what a backend must do, and the checks that all backends share.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use grantor_core::base::row::{Committed, Index, Key, MAX_KEYS, MAX_WRITES, Row, Version, Write};
use grantor_core::base::time::Timestamp;

/// The most bytes of a key and of an index's name: PostgreSQL indexes 2,704, DynamoDB 2,048.
pub const MAX_KEY_BYTES: usize = 2048;
/// How long an expired row is kept at least, so that a running request still finds it.
pub const SWEEP_GRACE: Duration = Duration::from_secs(5 * 60);
/// The largest difference between the store's clock and this node's at which the node is ready.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(30);

/// What a call of a store returns.
pub type StoreCall<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

/// Rows with keys, changed by atomic commits.
///
/// Nothing happens before a future is polled. Dropping a polled future does not undo it: its commit is then written or
/// not, as after [`Committed::Unknown`].
pub trait Store: Send + Sync {
    /// Reads at most [`MAX_KEYS`] rows, in the order of `keys`; `None` where there is none.
    ///
    /// Sees every commit that was answered before the call, from every node. Each row is consistent, but two rows may
    /// be from different times. Expired rows are returned too: the core decides about them.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] for too many or too long keys; otherwise the store cannot be read.
    fn get(&self, keys: &[Key]) -> StoreCall<'_, Vec<Option<Row>>>;

    /// Lists at most `limit` rows of an index in the order of keys, beginning after the key `after`.
    ///
    /// May lag behind commits: for lists that people see and for background work, never for a decision. Includes expired
    /// rows that were not swept yet.
    ///
    /// # Errors
    /// The store cannot be read.
    fn list(&self, index: &Index, after: Option<&Key>, limit: usize) -> StoreCall<'_, Vec<Row>>;

    /// Carries out all of `writes` or none, durably; `id` becomes the version of the written rows.
    ///
    /// `now` decides only whether an insert may replace an expired row. If several keys are in conflict, one of them is
    /// named.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] for more than [`MAX_WRITES`] writes, for two writes of one key, if no write changes
    /// anything, or for a key or index name of more than [`MAX_KEY_BYTES`]. Otherwise the store is unavailable, and
    /// nothing was written.
    fn commit(&self, now: Timestamp, id: Version, writes: Vec<Write>) -> StoreCall<'_, Committed>;

    /// Deletes at most `limit` rows that expired [`SWEEP_GRACE`] ago or earlier; returns their number.
    ///
    /// # Errors
    /// The store cannot be written; some of the rows may be deleted.
    fn sweep(&self, now: Timestamp, limit: usize) -> StoreCall<'_, usize>;

    /// Whether the store works, and its state.
    ///
    /// # Errors
    /// The store cannot be read, or has another schema.
    fn check(&self, now: Timestamp) -> StoreCall<'_, Health>;
}

/// The state of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// The version of its schema.
    pub schema: u32,
    /// The difference between its clock and `now`; zero if it has no clock.
    pub clock_skew: Duration,
}

impl Health {
    /// Whether a node may serve requests with this store.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.clock_skew <= MAX_CLOCK_SKEW
    }
}

/// Why a store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Busy, full or not reachable. Nothing of a commit was written.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The stored data is not valid.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The caller violated the contract.
    #[error("the store was misused: {0}")]
    Misuse(&'static str),
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn get(&self, keys: &[Key]) -> StoreCall<'_, Vec<Option<Row>>> {
        (**self).get(keys)
    }

    fn list(&self, index: &Index, after: Option<&Key>, limit: usize) -> StoreCall<'_, Vec<Row>> {
        (**self).list(index, after, limit)
    }

    fn commit(&self, now: Timestamp, id: Version, writes: Vec<Write>) -> StoreCall<'_, Committed> {
        (**self).commit(now, id, writes)
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreCall<'_, usize> {
        (**self).sweep(now, limit)
    }

    fn check(&self, now: Timestamp) -> StoreCall<'_, Health> {
        (**self).check(now)
    }
}

/// Refuses a `get` that violates the contract.
///
/// # Errors
/// [`StoreError::Misuse`]
pub fn admit_keys(keys: &[Key]) -> Result<(), StoreError> {
    if keys.len() > MAX_KEYS {
        return Err(StoreError::Misuse("more than 16 keys in one get"));
    }
    keys.iter().try_for_each(|key| admit_length(key.as_str()))
}

/// Refuses a commit that violates the contract.
///
/// # Errors
/// [`StoreError::Misuse`]
pub fn admit_writes(writes: &[Write]) -> Result<(), StoreError> {
    if writes.len() > MAX_WRITES {
        return Err(StoreError::Misuse("more than 25 writes in one commit"));
    }
    // Without a changed row, no read could show after `Unknown` whether the commit happened.
    if !writes.iter().any(Write::changes) {
        return Err(StoreError::Misuse("a commit that changes nothing"));
    }
    for (n, write) in writes.iter().enumerate() {
        if writes[..n]
            .iter()
            .any(|earlier| earlier.key() == write.key())
        {
            return Err(StoreError::Misuse("two writes of one key in one commit"));
        }
        admit_length(write.key().as_str())?;
        if let Write::Insert(row) | Write::Update { row, .. } = write {
            row.indexes
                .iter()
                .try_for_each(|name| admit_length(name.as_str()))?;
        }
    }
    Ok(())
}

fn admit_length(name: &str) -> Result<(), StoreError> {
    if name.len() > MAX_KEY_BYTES {
        return Err(StoreError::Misuse(
            "a key or an index's name of more than 2048 bytes",
        ));
    }
    Ok(())
}

/// The lowest possible key after `after`.
#[must_use]
pub fn first_after(after: Option<&Key>) -> String {
    after
        .map(|key| format!("{}\0", key.as_str()))
        .unwrap_or_default()
}

/// The range of keys of one kind of one realm: lower bound (inclusive) and upper bound (exclusive).
#[must_use]
pub fn kind_bounds(realm: &str, kind: &str) -> (String, String) {
    // '0' is the character after '/'.
    (format!("{realm}/{kind}/"), format!("{realm}/{kind}0"))
}
