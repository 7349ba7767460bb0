//! The memory store is a store.

use futures_util::FutureExt;
use grantor_core::base::row::{Committed, Key, NewRow, Version, Write};
use grantor_core::base::time::Timestamp;
use grantor_store::Store;
use grantor_store::conformance;
use grantor_store::memory::Memory;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_conforms() {
    conformance::run(|| async { Memory::new() }).await;
}

#[test]
fn futures_are_ready_at_once() {
    let store = Memory::new();
    let key = Key::new("default", "grant", "a");
    let row = NewRow {
        key: key.clone(),
        expires_at: None,
        value: b"{}"[..].into(),
        indexes: Vec::new(),
    };
    let id = Version::from_bytes([1; 16]);
    let commit = store.commit(Timestamp::default(), id, vec![Write::Insert(row)]);
    assert_eq!(store.rows(), 0, "nothing happens before the first poll");
    assert_eq!(commit.now_or_never(), Some(Ok(Committed::Done)));
    assert!(store.get(&[key]).now_or_never().is_some());
    assert_eq!(store.rows(), 1);
}
