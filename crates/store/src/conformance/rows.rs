//! Rows and reads.

use std::sync::Arc;

use grantor_core::base::row::{Key, MAX_KEYS, NewRow, Row, Write};
use grantor_core::base::time::Timestamp;

use super::kit::{
    NOW, SECOND, check, delete, done, found, get, index, insert, insert_ending, insert_listed, key,
    kind, list, misuse, names_in, row, update,
};
use crate::contract::{MAX_KEY_BYTES, Store, StoreError};

pub(super) async fn rows_are_read_as_they_were_written(store: Arc<dyn Store>) {
    let ends = Timestamp::from_millis(1_800_000_123_456);
    let new = NewRow {
        expires_at: Some(ends),
        ..row("a", r#"{"a":"ä"}"#)
    };
    let inserted = done(&store, [Write::Insert(new), insert("b")]).await;
    let a = Row {
        key: key("a"),
        version: inserted,
        expires_at: Some(ends),
        value: r#"{"a":"ä"}"#.as_bytes().into(),
    };
    assert_eq!(
        found(&store, "a").await,
        a,
        "the version is the commit's id"
    );
    let b = found(&store, "b").await;
    assert_eq!(b.version, inserted, "of every row that it writes");
    assert_eq!(b.expires_at, None);

    let updated = done(&store, [update("a", inserted)]).await;
    let a = found(&store, "a").await;
    assert_eq!(
        (a.version, a.expires_at, &*a.value),
        (updated, None, &b"updated"[..])
    );
    assert_eq!(found(&store, "b").await, b, "and of no other row");
}

pub(super) async fn rows_come_in_the_order_of_the_keys(store: Arc<dyn Store>) {
    done(&store, [insert("a"), insert("b"), insert("c")]).await;
    let keys = ["c", "absent", "a", "c", "b"].map(key);
    let rows = store.get(&keys).await.expect("the store answers");
    let given: Vec<Option<Key>> = rows.into_iter().map(|row| row.map(|row| row.key)).collect();
    let expected = [Some("c"), None, Some("a"), Some("c"), Some("b")];
    assert_eq!(given, expected.map(|name| name.map(key)));
    assert_eq!(store.get(&[]).await, Ok(Vec::new()));
}

pub(super) async fn a_get_takes_16_keys_and_no_more(store: Arc<dyn Store>) {
    let names: Vec<String> = (0..=MAX_KEYS).map(|n| format!("{n:02}")).collect();
    done(&store, names.iter().map(|name| insert(name))).await;
    let keys: Vec<Key> = names.iter().map(|name| key(name)).collect();
    let rows = store
        .get(&keys[..MAX_KEYS])
        .await
        .expect("16 keys are allowed");
    assert_eq!(rows.iter().flatten().count(), MAX_KEYS);
    assert!(matches!(store.get(&keys).await, Err(StoreError::Misuse(_))));
}

pub(super) async fn keys_may_hold_any_character(store: Arc<dyn Store>) {
    let long = "ß".repeat(500);
    // Keys that a lookup must not confuse: case, spaces, composed and decomposed letters, patterns.
    let names = [
        "",
        " ",
        "a",
        "A",
        "a ",
        " a",
        "a/b",
        "a//b",
        "/",
        "%",
        "_",
        "*",
        "?",
        "'",
        "\"",
        "''; --",
        "\\",
        "\0",
        "a\0",
        "a\0b",
        "\n",
        "\r\n",
        "\u{e9}",
        "e\u{301}",
        "\u{10ffff}",
        "\u{ffff}",
        "\u{feff}a",
        "\u{202e}a",
        "👩‍🚀",
        "NULL",
        "1",
        "01",
        "1.0",
        "0x31",
        &long,
    ];
    for name in names {
        done(&store, [Write::Insert(row(name, name))]).await;
    }
    for name in names {
        let row = found(&store, name).await;
        assert_eq!(
            (&row.key, &*row.value),
            (&key(name), name.as_bytes()),
            "{name:?}"
        );
    }
    let mut ordered = names.map(key);
    ordered.sort();
    let rows = list(&store, &kind("default", "grant"), None, 100).await;
    let listed: Vec<Key> = rows.into_iter().map(|row| row.key).collect();
    assert_eq!(listed, ordered, "keys are in the order of their bytes");
}

pub(super) async fn a_key_takes_2048_bytes_and_no_more(store: Arc<dyn Store>) {
    // Numbers, so that no engine compresses the key.
    let numbers: String = (1000..2000).map(|n: u32| n.to_string()).collect();
    let of = |spare: usize| &numbers[..MAX_KEY_BYTES - spare];
    let longest = of(key("").as_str().len());
    let longest_index = of(index("").as_str().len());
    let version = done(&store, [insert_listed(longest, &[longest_index])]).await;
    assert_eq!(found(&store, longest).await.version, version);
    assert_eq!(names_in(&store, longest_index).await, [longest]);

    let (long, long_index) = (format!("{longest}1"), format!("{longest_index}1"));
    misuse(&store, [insert(&long)]).await;
    misuse(&store, [insert("a"), check(&long, version)]).await;
    misuse(&store, [insert_listed("a", &[&long_index])]).await;
    let refused = store.get(&[key("a"), key(&long)]).await;
    assert!(matches!(refused, Err(StoreError::Misuse(_))), "{refused:?}");
}

pub(super) async fn values_may_hold_any_bytes(store: Arc<dyn Store>) {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let large: Vec<u8> = every.iter().copied().cycle().take(64 * 1024).collect();
    let values = [
        ("none", Vec::new()),
        ("every", every),
        ("large", large.clone()),
    ];
    for (name, value) in values {
        let new = NewRow {
            value: value.clone().into(),
            ..row(name, "")
        };
        done(&store, [Write::Insert(new)]).await;
        assert_eq!(*found(&store, name).await.value, *value, "{name}");
    }
    let many = (0..25).map(|n| NewRow {
        value: large.clone().into(),
        ..row(&format!("large{n}"), "")
    });
    done(&store, many.map(Write::Insert)).await;
    assert_eq!(found(&store, "large24").await.value.len(), large.len());
}

pub(super) async fn expired_rows_are_rows_until_swept(store: Arc<dyn Store>) {
    let over = |name| insert_ending(name, NOW - SECOND);
    let version = done(&store, [over("a"), over("b"), over("c")]).await;
    assert_eq!(found(&store, "a").await.expires_at, Some(NOW - SECOND));
    let updated = done(
        &store,
        [
            update("a", version),
            delete("b", version),
            check("c", version),
        ],
    )
    .await;
    assert_eq!(found(&store, "a").await.version, updated);
    assert_eq!(get(&store, "b").await, None);
}

pub(super) async fn a_new_store_is_healthy(store: Arc<dyn Store>) {
    let health = store.check(NOW).await.expect("the store answers");
    assert!(
        health.clock_skew.is_zero() || !health.is_ready(),
        "NOW is no clock's time"
    );
    assert_eq!(store.sweep(NOW, 100).await, Ok(0), "it is empty");
}
