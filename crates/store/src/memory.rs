//! A store in the memory of this process: for tests and for `store = "memory:"`.
//!
//! Every future is ready at its first poll, so a test needs no runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::lazy;
use grantor_core::base::row::{Committed, Index, IndexName, Key, NewRow, Row, Version, Write};
use grantor_core::base::time::Timestamp;

use crate::contract::{
    Health, SWEEP_GRACE, Store, StoreCall, admit_keys, admit_writes, first_after, kind_bounds,
};

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

impl Memory {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of rows, including expired ones.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.state().rows.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A commit checks everything before it changes anything, and no change can panic: the state is consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn get(&self, keys: &[Key]) -> StoreCall<'_, Vec<Option<Row>>> {
        let keys = keys.to_vec();
        lazy(move |_| {
            admit_keys(&keys)?;
            let state = self.state();
            Ok(keys
                .iter()
                .map(|key| state.rows.get(key).map(|stored| stored.row.clone()))
                .collect())
        })
        .boxed()
    }

    fn list(&self, index: &Index, after: Option<&Key>, limit: usize) -> StoreCall<'_, Vec<Row>> {
        let (index, first) = (index.clone(), first_after(after));
        lazy(move |_| Ok(self.state().list(&index, first, limit))).boxed()
    }

    fn commit(&self, now: Timestamp, id: Version, writes: Vec<Write>) -> StoreCall<'_, Committed> {
        lazy(move |_| {
            admit_writes(&writes)?;
            let mut state = self.state();
            if let Some(write) = writes.iter().find(|write| !state.allows(now, write)) {
                return Ok(Committed::Conflict(write.key().clone()));
            }
            for write in writes {
                state.apply(id, write);
            }
            Ok(Committed::Done)
        })
        .boxed()
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreCall<'_, usize> {
        lazy(move |_| Ok(self.state().sweep(now, limit))).boxed()
    }

    fn check(&self, _now: Timestamp) -> StoreCall<'_, Health> {
        lazy(|_| {
            Ok(Health {
                schema: 0,
                clock_skew: Duration::ZERO,
            })
        })
        .boxed()
    }
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<Key, Stored>,
    /// The entries of the named indexes.
    listed: BTreeSet<(IndexName, Key)>,
    /// Rows by expiry, so that a sweep does not scan the others.
    ends: BTreeSet<(Timestamp, Key)>,
}

#[derive(Debug)]
struct Stored {
    row: Row,
    indexes: Vec<IndexName>,
}

impl State {
    fn allows(&self, now: Timestamp, write: &Write) -> bool {
        let found = self.rows.get(write.key()).map(|stored| &stored.row);
        match write {
            Write::Insert(_) => found.is_none_or(|row| {
                row.expires_at
                    .is_some_and(|expires_at| expires_at.is_past(now))
            }),
            Write::Update { expect, .. }
            | Write::Delete { expect, .. }
            | Write::Check { expect, .. } => found.is_some_and(|row| row.version == *expect),
        }
    }

    fn apply(&mut self, id: Version, write: Write) {
        match write {
            Write::Insert(row) | Write::Update { row, .. } => self.put(id, row),
            Write::Delete { key, .. } => self.remove(&key),
            Write::Check { .. } => {}
        }
    }

    fn put(&mut self, version: Version, new: NewRow) {
        let NewRow {
            key,
            expires_at,
            value,
            indexes,
        } = new;
        self.remove(&key);
        self.ends.extend(expires_at.map(|at| (at, key.clone())));
        self.listed
            .extend(indexes.iter().map(|name| (name.clone(), key.clone())));
        let row = Row {
            key: key.clone(),
            version,
            expires_at,
            value,
        };
        self.rows.insert(key, Stored { row, indexes });
    }

    fn remove(&mut self, key: &Key) {
        let Some(Stored { row, indexes }) = self.rows.remove(key) else {
            return;
        };
        if let Some(at) = row.expires_at {
            self.ends.remove(&(at, key.clone()));
        }
        for name in indexes {
            self.listed.remove(&(name, key.clone()));
        }
    }

    fn list(&self, index: &Index, first: String, limit: usize) -> Vec<Row> {
        match index {
            Index::Kind { realm, kind } => {
                let (low, end) = kind_bounds(realm, kind);
                let (low, end) = (Key::from_stored(&low.max(first)), Key::from_stored(&end));
                // `range` would panic if `after` is behind the last row of the kind.
                if low >= end {
                    return Vec::new();
                }
                self.rows
                    .range(low..end)
                    .take(limit)
                    .map(|(_, stored)| stored.row.clone())
                    .collect()
            }
            Index::Named(name) => self
                .listed
                .range((
                    Bound::Included((name.clone(), Key::from_stored(&first))),
                    Bound::Unbounded,
                ))
                .take_while(|(listed, _)| listed == name)
                .filter_map(|(_, key)| self.rows.get(key))
                .take(limit)
                .map(|stored| stored.row.clone())
                .collect(),
        }
    }

    fn sweep(&mut self, now: Timestamp, limit: usize) -> usize {
        let over: Vec<Key> = self
            .ends
            .iter()
            .take_while(|(at, _)| now.since(*at) >= SWEEP_GRACE)
            .take(limit)
            .map(|(_, key)| key.clone())
            .collect();
        for key in &over {
            self.remove(key);
        }
        over.len()
    }
}
