//! For persistent backends: every answered commit is still there after reopening.

use grantor_core::base::row::{NewRow, Write};

use super::kit::{
    NOW, SECOND, conflicts, delete, done, found, get, insert, listed, names, names_in, update,
    update_listed,
};
use crate::contract::{SWEEP_GRACE, Store};

/// Opens a store by `open`, closes it by dropping it, and opens the same one again.
///
/// # Panics
/// If a row was lost, or a deleted one is back.
pub async fn survives_reopening<S, Open, Opened>(mut open: Open)
where
    S: Store,
    Open: FnMut() -> Opened,
    Opened: Future<Output = S>,
{
    let store = open().await;
    let ends = NewRow {
        expires_at: Some(NOW + SECOND),
        ..listed("ends", &["ann", "bob"])
    };
    let first = done(&store, [insert("a"), insert("gone"), Write::Insert(ends)]).await;
    let second = done(&store, [update("a", first), delete("gone", first)]).await;
    let (a, ends) = (found(&store, "a").await, found(&store, "ends").await);
    drop(store);

    let store = open().await;
    assert_eq!(found(&store, "a").await, a);
    assert_eq!(found(&store, "ends").await, ends);
    assert_eq!(get(&store, "gone").await, None);
    assert_eq!(names_in(&store, "ann").await, ["ends"]);
    conflicts(&store, [update("a", first)], "a").await;
    done(&store, [update("a", second)]).await;
    done(&store, [update_listed("ends", &["bob"], first)]).await;
    drop(store);

    let store = open().await;
    assert!(names_in(&store, "ann").await.is_empty());
    assert_eq!(names_in(&store, "bob").await, ["ends"]);
    assert_eq!(
        store.sweep(NOW + SWEEP_GRACE + SECOND, 10).await,
        Ok(0),
        "the update removed the expiry"
    );
    assert_eq!(names(&store).await, ["a", "ends"]);
}
