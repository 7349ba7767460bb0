//! Rows that only a newer version may write.

use grantor_core::base::error::{ErrorCode, Failure};
use grantor_core::base::row::{Row, Write};
use grantor_core::records::{self, MIN_WRITER, WRITER_LEVEL, merged};
use serde_json::{Value, json};

use crate::kept::stored;
use crate::samples;

fn row(level: Value) -> Row {
    let user = samples::user();
    let mut value = serde_json::to_value(&user).expect("JSON");
    value[MIN_WRITER] = level;
    stored(&user, &value)
}

#[test]
fn a_row_of_a_newer_writer_is_neither_written_nor_deleted() {
    for level in [
        json!(WRITER_LEVEL + 1),
        json!(u64::MAX),
        json!("2"),
        json!(-1),
        json!(1.5),
        json!({}),
    ] {
        let row = row(level.clone());
        for refused in [
            merged(&samples::user(), &row).map(drop),
            records::delete(&row).map(drop),
        ] {
            let failure = refused.expect_err("it is not ours to write");
            assert!(matches!(&failure, Failure::Newer(_)), "{level}: {failure}");
            assert_eq!(failure.code(), ErrorCode::TemporarilyUnavailable);
        }
    }
}

#[test]
fn a_row_of_our_level_is_written_and_keeps_it() {
    for level in [0, WRITER_LEVEL] {
        let row = row(level.into());
        let written = merged(&samples::user(), &row).expect("it is ours to write");
        let written: Value = serde_json::from_slice(&written).expect("JSON");
        assert_eq!(written[MIN_WRITER], level);
        let delete = records::delete(&row).expect("it is ours to delete");
        assert!(matches!(delete, Write::Delete { expect, .. } if expect == row.version));
    }
}
