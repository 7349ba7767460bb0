//! Preconditions of commits, and atomicity.

use std::sync::Arc;

use grantor_core::base::row::{Committed, MAX_WRITES, Version, Write};

use super::kit::{
    NOW, SECOND, check, commit, conflicts, delete, done, found, get, insert, insert_ending, key,
    misuse, names, new_id, row, update,
};
use crate::contract::Store;

pub(super) async fn an_insert_needs_a_free_key(store: Arc<dyn Store>) {
    done(
        &store,
        [insert("endless"), insert_ending("ends", NOW + SECOND)],
    )
    .await;
    conflicts(&store, [insert("endless")], "endless").await;
    conflicts(&store, [insert("ends")], "ends").await;
}

pub(super) async fn an_insert_replaces_an_expired_row(store: Arc<dyn Store>) {
    // A row that expires at `now` has expired.
    let over = [
        insert_ending("just", NOW),
        insert_ending("long", NOW - 1000 * SECOND),
    ];
    let old = done(&store, over).await;
    let new = done(&store, [insert("just"), insert("long")]).await;
    for name in ["just", "long"] {
        let row = found(&store, name).await;
        assert_eq!(
            (row.version, row.expires_at, &*row.value),
            (new, None, &b"inserted"[..])
        );
        conflicts(&store, [update(name, old)], name).await;
        conflicts(&store, [insert(name)], name).await;
    }
    // The commit's own `now` counts, not the clock.
    done(&store, [insert_ending("later", NOW + SECOND)]).await;
    let later = store
        .commit(NOW + SECOND, new_id(), vec![insert("later")])
        .await;
    assert_eq!(later, Ok(Committed::Done));
}

pub(super) async fn an_update_needs_the_version_it_expects(store: Arc<dyn Store>) {
    conflicts(&store, [update("a", new_id())], "a").await;
    let first = done(&store, [insert("a")]).await;
    conflicts(&store, [update("a", new_id())], "a").await;
    let second = done(&store, [update("a", first)]).await;
    conflicts(&store, [update("a", first)], "a").await;
    done(&store, [update("a", second)]).await;
}

pub(super) async fn a_delete_needs_the_version_it_expects(store: Arc<dyn Store>) {
    conflicts(&store, [delete("a", new_id())], "a").await;
    let first = done(&store, [insert("a")]).await;
    conflicts(&store, [delete("a", new_id())], "a").await;
    done(&store, [delete("a", first)]).await;
    assert_eq!(get(&store, "a").await, None);
    conflicts(&store, [delete("a", first)], "a").await;
    // A new row with the same key is not the deleted row.
    done(&store, [insert("a")]).await;
    conflicts(&store, [delete("a", first)], "a").await;
}

pub(super) async fn a_check_needs_the_version_it_expects_and_writes_nothing(store: Arc<dyn Store>) {
    conflicts(&store, [insert("b"), check("a", new_id())], "a").await;
    let first = done(&store, [insert("a")]).await;
    conflicts(&store, [insert("b"), check("a", new_id())], "a").await;
    let before = found(&store, "a").await;
    done(&store, [insert("b"), check("a", first)]).await;
    assert_eq!(found(&store, "a").await, before);
}

pub(super) async fn one_mismatch_at_any_position_rolls_back_everything(store: Arc<dyn Store>) {
    let there = done(
        &store,
        [
            insert("update"),
            insert("delete"),
            insert("check"),
            insert("taken"),
        ],
    )
    .await;
    let good = || {
        vec![
            insert("new"),
            update("update", there),
            delete("delete", there),
            check("check", there),
            Write::Insert(row("other", "new too")),
        ]
    };
    let mismatches: [fn(Version) -> Write; 4] = [
        |_| insert("taken"),
        |_| update("taken", new_id()),
        |_| delete("taken", new_id()),
        |_| check("taken", new_id()),
    ];
    for mismatch in mismatches {
        for place in 0..=good().len() {
            let mut writes = good();
            writes.insert(place, mismatch(there));
            conflicts(&store, writes, "taken").await;
        }
    }
    done(&store, good()).await;
    assert_eq!(
        names(&store).await,
        ["check", "new", "other", "taken", "update"]
    );
}

pub(super) async fn a_conflict_names_a_conflicting_key(store: Arc<dyn Store>) {
    let version = done(&store, [insert("fine"), insert("taken")]).await;
    let writes = vec![
        update("fine", version),
        insert("taken"),
        update("absent", version),
        insert("new"),
    ];
    let Committed::Conflict(named) = commit(&store, writes).await else {
        panic!("two keys are in the way")
    };
    assert!(
        [key("taken"), key("absent")].contains(&named),
        "{named:?} is not in the way"
    );
}

pub(super) async fn a_commit_takes_25_writes_and_no_more(store: Arc<dyn Store>) {
    let inserts = |count: usize| {
        (0..count)
            .map(|n| insert(&format!("{n:02}")))
            .collect::<Vec<_>>()
    };
    misuse(&store, inserts(MAX_WRITES + 1)).await;
    done(&store, inserts(MAX_WRITES)).await;
    assert_eq!(names(&store).await.len(), MAX_WRITES);
}

pub(super) async fn a_commit_that_changes_nothing_is_refused(store: Arc<dyn Store>) {
    let version = done(&store, [insert("a")]).await;
    misuse(&store, []).await;
    misuse(&store, [check("a", version)]).await;
}

pub(super) async fn two_writes_of_one_key_are_refused(store: Arc<dyn Store>) {
    let version = done(&store, [insert("a")]).await;
    let writes = || {
        [
            insert("a"),
            update("a", version),
            delete("a", version),
            check("a", version),
        ]
    };
    for first in writes() {
        for second in writes() {
            misuse(&store, [first.clone(), insert("b"), second]).await;
        }
    }
}
