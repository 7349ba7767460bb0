//! The contract: what a backend promises, and the refusals that all backends share.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use grantor_core::base::row::{Committed, Index, Key, MAX_KEYS, MAX_WRITES, Row, Version, Write};
use grantor_core::base::time::Timestamp;

/// The most bytes of a key and of an index's name: PostgreSQL indexes 2,704, DynamoDB 2,048.
pub const MAX_KEY_BYTES: usize = 2048;
/// How long after its end a row is kept at least, so that a request under way still finds it.
pub const SWEEP_GRACE: Duration = Duration::from_secs(5 * 60);
/// How far a store's clock may be from ours before this node is not ready.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(30);

/// Rows under keys, changed by commits that happen as a whole or not at all.
///
/// Nothing happens before a future is polled. Dropping one that was polled does not undo it: a
/// commit under way is then written or not, as after [`Committed::Unknown`].
pub trait Store: Send + Sync {
    /// Reads at most [`MAX_KEYS`] rows, in the order of `keys`; `None` where there is none.
    ///
    /// Every commit answered before the call is seen, from every node. Each row is one commit's,
    /// but two rows may be of different moments. Expired rows are given too: the core judges.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] with too many keys or too long ones; else when the store cannot be read.
    fn get(&self, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Row>>, StoreError>>;

    /// Lists at most `limit` rows of an index in the order of keys, from the first after `after`.
    ///
    /// May lag behind commits: for lists that people see and for background work, never for a
    /// decision. Expired rows that were not yet swept are listed.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn list(
        &self,
        index: &Index,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, StoreError>>;

    /// Carries out all of `writes` or none, durably; `id` becomes the version of what is written.
    ///
    /// `now` decides one thing only: whether an insert may replace a row that has expired. Several
    /// keys may be in the way; a conflict names one of them.
    ///
    /// # Errors
    /// [`StoreError::Misuse`] with more than [`MAX_WRITES`] writes, with two for one key, with
    /// none that changes anything, or with a key or an index's name of more than
    /// [`MAX_KEY_BYTES`]; else when the store surely wrote nothing.
    fn commit(
        &self,
        now: Timestamp,
        id: Version,
        writes: Vec<Write>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>>;

    /// Deletes at most `limit` rows that expired [`SWEEP_GRACE`] ago or earlier; says how many.
    ///
    /// # Errors
    /// When the store cannot be written; some of the rows may be gone.
    fn sweep(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>>;

    /// Whether the store answers, and what it says of itself.
    ///
    /// # Errors
    /// When the store cannot be read, or its schema is not ours.
    fn check(&self, now: Timestamp) -> BoxFuture<'_, Result<Health, StoreError>>;
}

/// What a store says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// The version of the schema it is kept in.
    pub schema: u32,
    /// How far its clock is from the `now` that was handed in; zero where it has no clock of its own.
    pub clock_skew: Duration,
}

impl Health {
    /// Whether a node may serve from this store.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.clock_skew <= MAX_CLOCK_SKEW
    }
}

/// Why a store did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Not now: busy, full or gone. Nothing of a commit was written.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is stored cannot be read as a store of ours.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The caller broke the contract.
    #[error("the store was misused: {0}")]
    Misuse(&'static str),
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn get(&self, keys: &[Key]) -> BoxFuture<'_, Result<Vec<Option<Row>>, StoreError>> {
        (**self).get(keys)
    }

    fn list(
        &self,
        index: &Index,
        after: Option<&Key>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        (**self).list(index, after, limit)
    }

    fn commit(
        &self,
        now: Timestamp,
        id: Version,
        writes: Vec<Write>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        (**self).commit(now, id, writes)
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        (**self).sweep(now, limit)
    }

    fn check(&self, now: Timestamp) -> BoxFuture<'_, Result<Health, StoreError>> {
        (**self).check(now)
    }
}

/// Refuses a `get` that no backend may answer.
///
/// # Errors
/// [`StoreError::Misuse`], and no other.
pub fn admit_keys(keys: &[Key]) -> Result<(), StoreError> {
    if keys.len() > MAX_KEYS {
        return Err(StoreError::Misuse("more than 16 keys in one get"));
    }
    keys.iter().try_for_each(|key| admit_length(key.as_str()))
}

/// Refuses a commit that no backend may carry out.
///
/// # Errors
/// [`StoreError::Misuse`], and no other.
pub fn admit_writes(writes: &[Write]) -> Result<(), StoreError> {
    if writes.len() > MAX_WRITES {
        return Err(StoreError::Misuse("more than 25 writes in one commit"));
    }
    // Without a changed row nothing could tell, after `Unknown`, whether the commit happened.
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

/// The first key that a listing after `after` may give: the least string above it.
#[must_use]
pub fn first_after(after: Option<&Key>) -> String {
    after
        .map(|key| format!("{}\0", key.as_str()))
        .unwrap_or_default()
}

/// The keys of one kind of one realm: from the first, up to but without the second.
#[must_use]
pub fn kind_bounds(realm: &str, kind: &str) -> (String, String) {
    // '0' is the character after '/'.
    (format!("{realm}/{kind}/"), format!("{realm}/{kind}0"))
}
