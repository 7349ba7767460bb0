//! `list_all` and `list_pages` over the store in memory, which counts the calls.

#![expect(clippy::unwrap_used, reason = "a part of tests")]

use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use grantor_core::base::row::{Committed, Index, IndexName, Key, NewRow, Row, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::memory::Memory;
use grantor_store::testing::{Counting, Faulty};
use grantor_store::{Store, StoreError, list_all, list_pages};

const PAGE: usize = 4;

fn index() -> Index {
    Index::Kind {
        realm: "default".to_owned(),
        kind: "user".to_owned(),
    }
}

fn key(name: usize) -> Key {
    Key::new("default", "user", &format!("{name:03}"))
}

fn insert(store: &impl Store, key: Key) {
    let row = NewRow {
        key,
        expires_at: None,
        value: b"{}"[..].into(),
        indexes: vec![IndexName::new("default", "users_of", "staff")],
    };
    let commit = store.commit(
        Timestamp::from_millis(1),
        Version::from_bytes([1; 16]),
        vec![Write::Insert(row)],
    );
    assert_eq!(now(commit), Ok(Committed::Done));
}

/// The store in memory answers at the first poll.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

fn store_of(rows: usize) -> Counting<Memory> {
    let store = Counting::new(Memory::new());
    // Out of order, and between rows of kinds whose names are neighbours.
    for name in (0..rows).rev() {
        insert(&store, key(name));
    }
    insert(&store, Key::new("default", "use", "a"));
    insert(&store, Key::new("default", "user0", "a"));
    store
}

fn keys(rows: &[Row]) -> Vec<Key> {
    rows.iter().map(|row| row.key.clone()).collect()
}

#[test]
fn every_row_comes_once_in_the_order_of_keys() {
    for (rows, lists) in [
        (0, 1),
        (1, 1),
        (PAGE - 1, 1),
        // A full last page needs one more call to see its end.
        (PAGE, 2),
        (PAGE + 1, 2),
        (2 * PAGE, 3),
        (2 * PAGE + 1, 3),
    ] {
        let (store, index) = (store_of(rows), index());
        let found: Vec<_> = now(list_all(&store, &index, PAGE).try_collect()).unwrap();
        assert_eq!(keys(&found), (0..rows).map(key).collect::<Vec<_>>());
        assert_eq!(store.counts().lists, lists, "{rows} rows");
    }
}

#[test]
fn pages_are_full_except_the_last_and_never_empty() {
    for (rows, sizes) in [
        (0, &[][..]),
        (1, &[1]),
        (PAGE, &[PAGE]),
        (PAGE + 1, &[PAGE, 1]),
        (2 * PAGE, &[PAGE, PAGE]),
    ] {
        let (store, index) = (store_of(rows), index());
        let pages: Vec<_> = now(list_pages(&store, &index, PAGE).try_collect()).unwrap();
        let found: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(found, sizes, "{rows} rows");
        assert_eq!(
            keys(&pages.concat()),
            (0..rows).map(key).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_named_index_is_listed_too() {
    let store = store_of(PAGE + 1);
    let index = Index::Named(IndexName::new("default", "users_of", "staff"));
    let found: Vec<_> = now(list_all(&store, &index, 1).try_collect()).unwrap();
    // Two rows of other kinds are in it as well.
    assert_eq!(found.len(), PAGE + 3);
}

#[test]
fn a_page_size_of_zero_reads_one_row_at_a_time() {
    let (store, index) = (store_of(2), index());
    let found: Vec<_> = now(list_all(&store, &index, 0).try_collect()).unwrap();
    assert_eq!(keys(&found), [key(0), key(1)]);
    assert_eq!(store.counts().lists, 3);
}

#[test]
fn a_page_is_read_only_when_it_is_needed() {
    let (store, index) = (store_of(3 * PAGE), index());
    let mut rows = list_all(&store, &index, PAGE);
    assert_eq!(store.counts().lists, 0);
    for _ in 0..PAGE {
        assert!(now(rows.next()).is_some());
    }
    assert_eq!(store.counts().lists, 1);
    assert!(now(rows.next()).is_some());
    assert_eq!(store.counts().lists, 2);
}

#[test]
fn changes_during_the_listing_never_repeat_or_reorder_keys() {
    let (store, index) = (store_of(2 * PAGE), index());
    let mut rows = list_all(&store, &index, PAGE);
    let mut found: Vec<_> = (0..PAGE)
        .map(|_| now(rows.next()).unwrap().unwrap())
        .collect();
    // Before the position of the listing: not seen. The last key of the page that was read is deleted.
    insert(&store, Key::new("default", "user", "0000"));
    let last = found.last().unwrap();
    let delete = Write::Delete {
        key: last.key.clone(),
        expect: last.version,
    };
    let id = Version::from_bytes([2; 16]);
    let commit = store.commit(Timestamp::from_millis(2), id, vec![delete]);
    assert_eq!(now(commit), Ok(Committed::Done));
    // After it: seen.
    insert(&store, key(2 * PAGE));
    found.extend(now(rows.try_collect::<Vec<_>>()).unwrap());
    assert_eq!(keys(&found), (0..=2 * PAGE).map(key).collect::<Vec<_>>());
}

#[test]
fn an_error_half_way_comes_after_the_rows_that_were_read_and_ends_the_stream() {
    let (store, index) = (Faulty::new(store_of(2 * PAGE)), index());
    let mut rows = list_all(&store, &index, PAGE);
    assert_eq!(now(rows.next()).unwrap().unwrap().key, key(0));
    store.set_down(true);
    for name in 1..PAGE {
        assert_eq!(now(rows.next()).unwrap().unwrap().key, key(name));
    }
    let error = now(rows.next()).unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    store.set_down(false);
    assert!(now(rows.next()).is_none());
}
