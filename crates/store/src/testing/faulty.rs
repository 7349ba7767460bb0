//! A store that fails on command.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::ready;
use grantor_core::base::row::{Committed, Index, Key, Row, Version, Write};
use grantor_core::base::time::Timestamp;

use crate::contract::{Health, Store, StoreCall, StoreError};

/// How the next call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next `get` is refused as unavailable.
    Get,
    /// The next commit is refused as unavailable: nothing is written.
    Commit,
    /// The next commit is carried out, but its answer is lost: `Unknown`.
    UnknownWritten,
    /// The next commit is not carried out, and its answer is `Unknown`.
    UnknownLost,
}

/// Fails as configured, and otherwise calls the inner store.
#[derive(Debug, Default)]
pub struct Faulty<S> {
    inner: S,
    plan: Mutex<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    down: bool,
    gets: VecDeque<Fault>,
    commits: VecDeque<Fault>,
}

impl<S> Faulty<S> {
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            plan: Mutex::default(),
        }
    }

    /// The inner store, which does not fail.
    #[must_use]
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// Adds a fault for the next `get` or commit that has none yet.
    pub fn inject(&self, fault: Fault) {
        let mut plan = self.plan();
        match fault {
            Fault::Get => plan.gets.push_back(fault),
            Fault::Commit | Fault::UnknownWritten | Fault::UnknownLost => {
                plan.commits.push_back(fault)
            }
        }
    }

    /// While down, every call is refused as unavailable.
    pub fn set_down(&self, down: bool) {
        self.plan().down = down;
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_down(&self) -> bool {
        self.plan().down
    }
}

impl<S: Store> Store for Faulty<S> {
    fn get(&self, keys: &[Key]) -> StoreCall<'_, Vec<Option<Row>>> {
        let fault = self.plan().gets.pop_front();
        if fault.is_some() || self.is_down() {
            return refused();
        }
        self.inner.get(keys)
    }

    fn list(&self, index: &Index, after: Option<&Key>, limit: usize) -> StoreCall<'_, Vec<Row>> {
        if self.is_down() {
            return refused();
        }
        self.inner.list(index, after, limit)
    }

    fn commit(&self, now: Timestamp, id: Version, writes: Vec<Write>) -> StoreCall<'_, Committed> {
        let fault = self.plan().commits.pop_front();
        if self.is_down() {
            return refused();
        }
        match fault {
            None => self.inner.commit(now, id, writes),
            Some(Fault::UnknownLost) => ready(Ok(Committed::Unknown)).boxed(),
            Some(Fault::UnknownWritten) => async move {
                // A conflict is lost with the answer as well.
                self.inner.commit(now, id, writes).await?;
                Ok(Committed::Unknown)
            }
            .boxed(),
            Some(Fault::Commit | Fault::Get) => refused(),
        }
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreCall<'_, usize> {
        if self.is_down() {
            return refused();
        }
        self.inner.sweep(now, limit)
    }

    fn check(&self, now: Timestamp) -> StoreCall<'_, Health> {
        if self.is_down() {
            return refused();
        }
        self.inner.check(now)
    }
}

fn refused<T: Send + 'static>() -> StoreCall<'static, T> {
    let error = StoreError::Unavailable("a fault of the test".to_owned());
    ready(Err(error)).boxed()
}
