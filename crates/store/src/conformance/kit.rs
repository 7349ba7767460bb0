//! Helpers that the properties are written with.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grantor_core::base::row::{Committed, Index, IndexName, Key, NewRow, Row, Version, Write};
use grantor_core::base::time::Timestamp;

use crate::contract::{Store, StoreError};

/// The time of every commit that does not set another one.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// An id that no other commit of this process has.
pub(super) fn new_id() -> Version {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0x5a; 16];
    bytes[8..].copy_from_slice(&LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Version::from_bytes(bytes)
}

pub(super) fn key(name: &str) -> Key {
    Key::new("default", "grant", name)
}

pub(super) fn index(value: &str) -> IndexName {
    IndexName::new("default", "grants_of", value)
}

pub(super) fn kind(realm: &str, kind: &str) -> Index {
    Index::Kind {
        realm: realm.to_owned(),
        kind: kind.to_owned(),
    }
}

/// A row without expiry, in no index.
pub(super) fn row(name: &str, value: &str) -> NewRow {
    NewRow {
        key: key(name),
        expires_at: None,
        value: value.as_bytes().into(),
        indexes: Vec::new(),
    }
}

pub(super) fn listed(name: &str, indexes: &[&str]) -> NewRow {
    NewRow {
        indexes: indexes.iter().map(|value| index(value)).collect(),
        ..row(name, "listed")
    }
}

pub(super) fn insert(name: &str) -> Write {
    Write::Insert(row(name, "inserted"))
}

pub(super) fn insert_ending(name: &str, at: Timestamp) -> Write {
    Write::Insert(NewRow {
        expires_at: Some(at),
        ..row(name, "ends")
    })
}

pub(super) fn insert_listed(name: &str, indexes: &[&str]) -> Write {
    Write::Insert(listed(name, indexes))
}

pub(super) fn update_listed(name: &str, indexes: &[&str], expect: Version) -> Write {
    let row = listed(name, indexes);
    Write::Update { row, expect }
}

pub(super) fn update(name: &str, expect: Version) -> Write {
    Write::Update {
        row: row(name, "updated"),
        expect,
    }
}

pub(super) fn delete(name: &str, expect: Version) -> Write {
    Write::Delete {
        key: key(name),
        expect,
    }
}

pub(super) fn check(name: &str, expect: Version) -> Write {
    Write::Check {
        key: key(name),
        expect,
    }
}

/// Commits at `NOW`, and expects an answer.
pub(super) async fn commit(store: &dyn Store, writes: Vec<Write>) -> Committed {
    store
        .commit(NOW, new_id(), writes)
        .await
        .expect("the store answers")
}

/// Commits successfully; returns the version that it wrote.
pub(super) async fn done(store: &dyn Store, writes: impl IntoIterator<Item = Write>) -> Version {
    let id = new_id();
    let committed = store.commit(NOW, id, writes.into_iter().collect()).await;
    assert_eq!(committed, Ok(Committed::Done));
    id
}

/// Commits with a conflict on the row `name`, and checks that nothing changed.
pub(super) async fn conflicts(
    store: &dyn Store,
    writes: impl IntoIterator<Item = Write>,
    name: &str,
) {
    let before = everything(store).await;
    let committed = commit(store, writes.into_iter().collect()).await;
    assert_eq!(committed, Committed::Conflict(key(name)));
    let after = everything(store).await;
    assert_eq!(after, before, "a conflict changed something");
}

/// Commits with the error `Misuse`, and checks that nothing changed.
pub(super) async fn misuse(store: &dyn Store, writes: impl IntoIterator<Item = Write>) {
    let before = everything(store).await;
    let refused = store
        .commit(NOW, new_id(), writes.into_iter().collect())
        .await;
    assert!(matches!(refused, Err(StoreError::Misuse(_))), "{refused:?}");
    let after = everything(store).await;
    assert_eq!(after, before, "a misuse changed something");
}

pub(super) async fn get(store: &dyn Store, name: &str) -> Option<Row> {
    let mut rows = store.get(&[key(name)]).await.expect("the store answers");
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

/// The row `name`, which must exist.
pub(super) async fn found(store: &dyn Store, name: &str) -> Row {
    get(store, name).await.expect("the row is there")
}

pub(super) async fn list(
    store: &dyn Store,
    index: &Index,
    after: Option<&Key>,
    limit: usize,
) -> Vec<Row> {
    store
        .list(index, after, limit)
        .await
        .expect("the store answers")
}

/// The names of the rows of the tests' own kind, in order.
pub(super) async fn names(store: &dyn Store) -> Vec<String> {
    everything(store).await.keys().map(name).collect()
}

/// The names of the rows in an explicit index, in order.
pub(super) async fn names_in(store: &dyn Store, value: &str) -> Vec<String> {
    let rows = list(store, &Index::Named(index(value)), None, usize::MAX).await;
    rows.iter().map(|row| name(&row.key)).collect()
}

async fn everything(store: &dyn Store) -> BTreeMap<Key, Row> {
    let rows = list(store, &kind("default", "grant"), None, usize::MAX).await;
    let rows = rows.into_iter().map(|row| (row.key.clone(), row));
    rows.collect()
}

fn name(key: &Key) -> String {
    key.as_str()
        .splitn(3, '/')
        .last()
        .unwrap_or_default()
        .to_owned()
}
