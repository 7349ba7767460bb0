//! Lists, indexes and sweeps.

use std::sync::Arc;

use grantor_core::base::row::{Index, IndexName, Key, NewRow, Row, Write};
use grantor_core::base::time::Timestamp;

use super::kit::{
    NOW, SECOND, conflicts, delete, done, index, insert, insert_ending, insert_listed, key, kind,
    list, listed, names, names_in, new_id, row, update_listed,
};
use crate::contract::{SWEEP_GRACE, Store};

fn keys(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.key.as_str()).collect()
}

pub(super) async fn a_kind_lists_its_rows_and_no_others(store: Arc<dyn Store>) {
    let written = [
        ("a", "grant", "2"),
        ("a", "grant", ""),
        ("a", "grant", "1/x"),
        ("a", "grant", "\u{10ffff}"),
        ("a", "grants", "3"),
        ("a", "gran", "4"),
        ("a", "grant0", "5"),
        ("a", "grant.", "6"),
        ("a", "user", "7"),
        ("a2", "grant", "8"),
        ("b", "grant", "9"),
        ("A", "grant", "10"),
    ];
    for (realm, kind, name) in written {
        let key = Key::new(realm, kind, name);
        done(&store, [Write::Insert(NewRow { key, ..row("", "") })]).await;
    }
    let grants = kind("a", "grant");
    let rows = list(&store, &grants, None, 100).await;
    let expected = ["a/grant/", "a/grant/1/x", "a/grant/2", "a/grant/\u{10ffff}"];
    assert_eq!(keys(&rows), expected);
    let rows = list(&store, &kind("a2", "grant"), None, 100).await;
    assert_eq!(keys(&rows), ["a2/grant/8"]);
    let rows = list(&store, &kind("a", "client"), None, 100).await;
    assert!(rows.is_empty());
    // Cursors from outside the kind.
    let before = Key::new("A", "grant", "10");
    assert_eq!(list(&store, &grants, Some(&before), 100).await.len(), 4);
    let behind = Key::new("b", "grant", "9");
    assert!(list(&store, &grants, Some(&behind), 100).await.is_empty());
}

pub(super) async fn an_index_lists_its_rows_and_no_others(store: Arc<dyn Store>) {
    let named = |value| IndexName::new("default", "grants_of", value);
    let new = |name, indexes| {
        Write::Insert(NewRow {
            indexes,
            ..row(name, "")
        })
    };
    let elsewhere = IndexName::new("other", "grants_of", "ann");
    let writes = vec![
        new("3", vec![named("ann")]),
        new("1", vec![named("ann"), named("bob"), named("ann")]),
        new("2", vec![named("ann'; --"), named("ann\0")]),
        new("4", vec![elsewhere]),
        new("5", vec![]),
    ];
    let version = done(&store, writes).await;
    assert_eq!(names_in(&store, "ann").await, ["1", "3"]);
    assert_eq!(names_in(&store, "bob").await, ["1"]);
    assert_eq!(names_in(&store, "ann'; --").await, ["2"]);
    assert_eq!(names_in(&store, "ann\0").await, ["2"]);
    assert!(names_in(&store, "Ann").await.is_empty());
    let rows = list(&store, &Index::Named(index("bob")), None, 1).await;
    assert_eq!(
        (rows[0].version, &rows[0].key),
        (version, &key("1")),
        "a list contains complete rows"
    );
}

pub(super) async fn a_list_is_read_in_pages(store: Arc<dyn Store>) {
    let all: Vec<String> = (0..23).map(|n| format!("{n:02}")).collect();
    done(&store, all.iter().map(|name| insert_listed(name, &["ann"]))).await;
    for index in [kind("default", "grant"), Index::Named(index("ann"))] {
        let mut read = Vec::new();
        let mut after: Option<Key> = None;
        loop {
            let page = list(&store, &index, after.as_ref(), 7).await;
            assert!(page.len() <= 7);
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            read.extend(page.into_iter().map(|row| row.key));
            assert!(read.len() <= all.len(), "a page gave rows again");
        }
        assert_eq!(read, all.iter().map(|name| key(name)).collect::<Vec<_>>());
        // A cursor need not be the key of an existing row.
        let rest = list(&store, &index, Some(&key("20x")), 7).await;
        assert_eq!(keys(&rest), ["default/grant/21", "default/grant/22"]);
        assert!(list(&store, &index, None, 0).await.is_empty());
    }
}

pub(super) async fn indexes_follow_every_write(store: Arc<dyn Store>) {
    let first = done(&store, [insert_listed("a", &["ann", "both"])]).await;
    let second = done(&store, [update_listed("a", &["both", "ann"], first)]).await;
    assert_eq!(names_in(&store, "ann").await, ["a"]);

    let third = done(&store, [update_listed("a", &["bob", "both"], second)]).await;
    assert!(names_in(&store, "ann").await.is_empty());
    assert_eq!(names_in(&store, "bob").await, ["a"]);
    assert_eq!(names_in(&store, "both").await, ["a"]);

    done(&store, [delete("a", third)]).await;
    assert!(names_in(&store, "bob").await.is_empty() && names_in(&store, "both").await.is_empty());

    let over = NewRow {
        expires_at: Some(NOW),
        ..listed("a", &["ann", "both"])
    };
    done(&store, [Write::Insert(over)]).await;
    let fresh = done(&store, [insert_listed("a", &["both", "bob"])]).await;
    assert!(
        names_in(&store, "ann").await.is_empty(),
        "the replaced row's"
    );
    assert_eq!(names_in(&store, "bob").await, ["a"]);
    assert_eq!(names_in(&store, "both").await, ["a"]);

    done(&store, [update_listed("a", &[], fresh)]).await;
    assert!(names_in(&store, "bob").await.is_empty() && names_in(&store, "both").await.is_empty());
}

pub(super) async fn a_conflict_leaves_the_indexes_alone(store: Arc<dyn Store>) {
    let version = done(
        &store,
        [insert_listed("a", &["ann"]), insert_listed("b", &["ann"])],
    )
    .await;
    let writes = vec![
        update_listed("a", &["bob"], version),
        delete("b", version),
        insert_listed("c", &["ann"]),
        delete("absent", new_id()),
    ];
    conflicts(&store, writes, "absent").await;
    assert_eq!(names_in(&store, "ann").await, ["a", "b"]);
    assert!(names_in(&store, "bob").await.is_empty());
}

pub(super) async fn a_sweep_deletes_rows_that_expired_five_minutes_ago(store: Arc<dyn Store>) {
    let due = NOW - SWEEP_GRACE;
    let ends = [
        ("before", due - SECOND),
        ("due", due),
        ("soon", due + SECOND),
        ("now", NOW),
        ("later", NOW + SECOND),
    ];
    let mut writes: Vec<Write> = ends.map(|(name, at)| insert_ending(name, at)).into();
    writes.extend([
        insert("endless"),
        insert_ending("first", Timestamp::default()),
    ]);
    done(&store, writes).await;

    // Within five minutes of time zero, no row can have expired five minutes ago.
    let five_minutes = Timestamp::default() + SWEEP_GRACE;
    assert_eq!(store.sweep(five_minutes - SECOND, 100).await, Ok(0));
    assert_eq!(store.sweep(five_minutes, 100).await, Ok(1));
    assert_eq!(store.sweep(NOW, 100).await, Ok(2));
    assert_eq!(names(&store).await, ["endless", "later", "now", "soon"]);
    assert_eq!(store.sweep(NOW, 100).await, Ok(0));
}

pub(super) async fn a_sweep_keeps_to_its_limit(store: Arc<dyn Store>) {
    // More rows than any backend deletes in one transaction.
    for batch in 0..24 {
        let over = |n| insert_ending(&format!("{batch:02}-{n:02}"), NOW - SWEEP_GRACE);
        done(&store, (0..25).map(over)).await;
    }
    assert_eq!(store.sweep(NOW, 0).await, Ok(0));
    assert_eq!(store.sweep(NOW, 7).await, Ok(7));
    assert_eq!(store.sweep(NOW, 450).await, Ok(450));
    assert_eq!(names(&store).await.len(), 143);
    assert_eq!(store.sweep(NOW, 1000).await, Ok(143));
    assert!(names(&store).await.is_empty());
}

pub(super) async fn a_sweep_removes_rows_from_their_indexes(store: Arc<dyn Store>) {
    let over = NewRow {
        expires_at: Some(NOW - SWEEP_GRACE),
        ..listed("over", &["ann", "bob"])
    };
    done(
        &store,
        [Write::Insert(over), insert_listed("live", &["ann"])],
    )
    .await;
    assert_eq!(
        names_in(&store, "ann").await,
        ["live", "over"],
        "it is listed until it is swept"
    );
    assert_eq!(store.sweep(NOW, 100).await, Ok(1));
    assert_eq!(names_in(&store, "ann").await, ["live"]);
    // Its entry in the index is gone too: the row can be inserted again.
    done(&store, [insert_listed("over", &["bob"])]).await;
    assert_eq!(names_in(&store, "bob").await, ["over"]);
}
