//! The wrappers for tests.

#![expect(clippy::expect_used, reason = "a part of tests")]

use futures_util::FutureExt;
use grantor_core::base::row::{Committed, Key, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::memory::Memory;
use grantor_store::testing::{Counting, Counts, Fault, Faulty};
use grantor_store::{Store, StoreError};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const ID: Version = Version::from_bytes([1; 16]);

fn key(name: &str) -> Key {
    Key::new("default", "grant", name)
}

fn insert(name: &str) -> Write {
    let value = b"{}"[..].into();
    Write::Insert(NewRow {
        key: key(name),
        expires_at: None,
        value,
        indexes: Vec::new(),
    })
}

fn commit(store: &impl Store, writes: Vec<Write>) -> Result<Committed, StoreError> {
    store
        .commit(NOW, ID, writes)
        .now_or_never()
        .expect("memory is ready at once")
}

fn get(store: &impl Store, name: &str) -> Result<bool, StoreError> {
    let rows = store
        .get(&[key(name)])
        .now_or_never()
        .expect("memory is ready at once")?;
    Ok(rows[0].is_some())
}

#[test]
fn counting_counts_rows_of_successful_commits() {
    let store = Counting::new(Memory::new());
    commit(&store, vec![insert("a"), insert("b")]).unwrap();
    let check = Write::Check {
        key: key("a"),
        expect: ID,
    };
    commit(&store, vec![check, insert("c")]).unwrap();
    commit(&store, vec![insert("a"), insert("d")]).unwrap();
    assert!(get(&store, "a").unwrap());
    let counts = Counts {
        gets: 1,
        lists: 0,
        commits: 3,
        rows_written: 3,
        rows_read: 1,
        bytes_read: 2,
        longest_list: 0,
    };
    assert_eq!(store.counts(), counts);
    assert_eq!(store.take(), counts);
    assert_eq!(store.counts(), Counts::default());
    assert_eq!(store.inner().rows(), 3);
}

#[test]
fn faulty_fails_as_configured_and_in_order() {
    let store = Faulty::new(Memory::new());
    for fault in [
        Fault::Commit,
        Fault::UnknownLost,
        Fault::UnknownWritten,
        Fault::Get,
    ] {
        store.inject(fault);
    }
    assert!(matches!(
        commit(&store, vec![insert("a")]),
        Err(StoreError::Unavailable(_))
    ));
    assert_eq!(commit(&store, vec![insert("a")]), Ok(Committed::Unknown));
    assert_eq!(store.inner().rows(), 0);
    assert_eq!(commit(&store, vec![insert("a")]), Ok(Committed::Unknown));
    assert_eq!(store.inner().rows(), 1);
    assert!(matches!(get(&store, "a"), Err(StoreError::Unavailable(_))));
    assert_eq!(get(&store, "a"), Ok(true));
    assert_eq!(commit(&store, vec![insert("b")]), Ok(Committed::Done));
}

#[test]
fn faulty_is_down_until_it_is_up() {
    let store = Faulty::new(Memory::new());
    store.set_down(true);
    for _ in 0..2 {
        assert!(matches!(get(&store, "a"), Err(StoreError::Unavailable(_))));
        assert!(matches!(
            commit(&store, vec![insert("a")]),
            Err(StoreError::Unavailable(_))
        ));
        assert!(matches!(
            store.check(NOW).now_or_never(),
            Some(Err(StoreError::Unavailable(_)))
        ));
    }
    store.set_down(false);
    assert_eq!(get(&store, "a"), Ok(false), "nothing was written meanwhile");
}
