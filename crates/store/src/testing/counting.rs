//! A store that counts calls: tests assert the budgets of requests with it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use grantor_core::base::row::{Committed, Index, Key, Row, Version, Write};
use grantor_core::base::time::Timestamp;

use crate::contract::{Health, Store, StoreCall};

/// The calls of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls of `get`, however many keys each had.
    pub gets: usize,
    /// Calls of `list`.
    pub lists: usize,
    /// Calls of `commit`, including conflicts.
    pub commits: usize,
    /// Rows inserted, updated or deleted by successful commits.
    pub rows_written: usize,
    /// Rows that `get` and `list` found.
    pub rows_read: usize,
    /// The bytes of their values.
    pub bytes_read: usize,
    /// The rows of the longest `list`: others wait for so many.
    pub longest_list: usize,
}

impl Counts {
    fn read<'a>(&mut self, rows: impl Iterator<Item = &'a Row>) {
        for row in rows {
            self.rows_read += 1;
            self.bytes_read += row.value.len();
        }
    }
}

/// Counts the calls of the inner store.
#[derive(Debug, Default)]
pub struct Counting<S> {
    inner: S,
    counts: Mutex<Counts>,
}

impl<S> Counting<S> {
    /// Starts at zero.
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            counts: Mutex::default(),
        }
    }

    /// The inner store; its calls are not counted.
    #[must_use]
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.tally()
    }

    /// The counts since the last `take`, and resets them.
    #[must_use]
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.tally())
    }

    fn tally(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> Store for Counting<S> {
    fn get(&self, keys: &[Key]) -> StoreCall<'_, Vec<Option<Row>>> {
        self.tally().gets += 1;
        let rows = self.inner.get(keys);
        async move {
            let rows = rows.await?;
            self.tally().read(rows.iter().flatten());
            Ok(rows)
        }
        .boxed()
    }

    fn list(&self, index: &Index, after: Option<&Key>, limit: usize) -> StoreCall<'_, Vec<Row>> {
        self.tally().lists += 1;
        let rows = self.inner.list(index, after, limit);
        async move {
            let rows = rows.await?;
            let mut counts = self.tally();
            counts.read(rows.iter());
            counts.longest_list = counts.longest_list.max(rows.len());
            Ok(rows)
        }
        .boxed()
    }

    fn commit(&self, now: Timestamp, id: Version, writes: Vec<Write>) -> StoreCall<'_, Committed> {
        self.tally().commits += 1;
        let changed = writes.iter().filter(|write| write.changes()).count();
        async move {
            let committed = self.inner.commit(now, id, writes).await?;
            if committed == Committed::Done {
                self.tally().rows_written += changed;
            }
            Ok(committed)
        }
        .boxed()
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreCall<'_, usize> {
        self.inner.sweep(now, limit)
    }

    fn check(&self, now: Timestamp) -> StoreCall<'_, Health> {
        self.inner.check(now)
    }
}
