//! Which room of `core` may import which.
//!
//! Rooms are in a strict order, and an import leads to the same room or to an earlier one. So no cycle can run through two
//! rooms, nor through files of two rooms.

use super::Source;
use super::imports::imports;

pub(super) const SOURCES: &str = "crates/core/src/";

/// The folders below `SOURCES`: each may import itself and those before it.
const ROOMS: &[&str] = &[
    "base",
    "model",
    "records",
    "engine",
    "tokens",
    "client_auth",
    "people",
    "exchange",
    "grants",
    "endpoints",
    "manage",
];

/// The rooms that are not there.
pub(super) fn missing(sources: &[Source]) -> Vec<&'static str> {
    let is_there = |room: &str| {
        let mut modules = sources.iter().filter_map(|(path, _)| module(path));
        modules.any(|module| module.first() == Some(&room))
    };
    let rooms = ROOMS.iter().copied();
    rooms.filter(|room| !is_there(room)).collect()
}

/// Says which import of which file is not allowed. Tests may import anything.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let sources = sources.iter().filter(|(path, _)| !is_test(path));
    sources
        .flat_map(|(path, source)| check_file(path, source))
        .collect()
}

fn check_file(path: &str, source: &str) -> Vec<String> {
    let Some(module) = module(path) else {
        return Vec::new();
    };
    let Some(&room) = module.first() else {
        // The crate's root, which names every room.
        return Vec::new();
    };
    let Some(rank) = rank(room) else {
        return vec![format!(
            "{path}: {room} is not in the table of rooms in xtask/src/structure/rooms.rs"
        )];
    };
    let faults = imports(&module, source).into_iter().filter_map(|import| {
        let target = import.path.first().map_or("", String::as_str);
        let fault = match self::rank(target) {
            Some(other) if other <= rank => return None,
            Some(_) => format!("{room} may not import {target}"),
            None => "import it from its room, not from the crate's root".to_owned(),
        };
        let written = format!("crate::{}", import.path.join("::"));
        Some(format!("{path}:{}: {written}: {fault}", import.line))
    });
    faults.collect()
}

fn rank(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

/// The module of a file: of `a/b.rs` and `a/b/mod.rs` it is `a::b`.
fn module(path: &str) -> Option<Vec<&str>> {
    let path = path.strip_prefix(SOURCES)?.strip_suffix(".rs")?;
    let mut module: Vec<&str> = path.split('/').collect();
    if matches!(module.last(), Some(&("mod" | "lib"))) {
        module.pop();
    }
    Some(module)
}

fn is_test(path: &str) -> bool {
    path.split('/')
        .any(|part| matches!(part, "tests" | "tests.rs"))
}

#[cfg(test)]
mod tests {
    use super::{ROOMS, SOURCES, check, missing};

    fn sources(files: &[(&str, &str)]) -> Vec<(String, String)> {
        let files = files.iter();
        files
            .map(|(path, source)| (format!("{SOURCES}{path}"), (*source).to_owned()))
            .collect()
    }

    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let faults = check(&sources(files)).into_iter();
        faults.map(|fault| fault.replace(SOURCES, "")).collect()
    }

    #[test]
    fn an_import_of_an_earlier_room_or_the_own_one_is_allowed() {
        let files = [
            ("lib.rs", "pub mod base; pub use crate::endpoints::Token;"),
            ("base/id.rs", "use super::time::T; use crate::base::row;"),
            (
                "grants/mod.rs",
                "use self::x; use crate::{base, model::client::Client};",
            ),
            (
                "endpoints/token.rs",
                "use crate::grants; fn f() { crate::records::g() }",
            ),
        ];
        assert!(faults(&files).is_empty(), "{:?}", faults(&files));
    }

    #[test]
    fn an_import_of_a_later_room_is_reported_with_file_line_and_import() {
        let files = [
            (
                "model/a/b.rs",
                "//! Docs.\nuse crate::{\n    base::id,\n    records::{\n        Grant,\n    },\n};",
            ),
            ("model/c.rs", "fn f() {\n    super::super::engine::g()\n}"),
        ];
        assert_eq!(
            faults(&files),
            [
                "model/a/b.rs:5: crate::records::Grant: model may not import records",
                "model/c.rs:2: crate::engine::g: model may not import engine",
            ]
        );
    }

    #[test]
    fn of_a_cycle_between_files_of_two_rooms_one_import_is_reported() {
        let files = [
            ("people/a.rs", "use crate::records::b;"),
            ("records/b.rs", "use crate::people::a;"),
        ];
        assert_eq!(
            faults(&files),
            ["records/b.rs:1: crate::people::a: records may not import people"]
        );
    }

    #[test]
    fn the_crates_root_is_no_way_around() {
        let expected = |path: &str| {
            vec![format!(
                "base/a.rs:1: {path}: import it from its room, not from the crate's root"
            )]
        };
        assert_eq!(
            faults(&[("base/a.rs", "use crate::Token;")]),
            expected("crate::Token")
        );
        assert_eq!(
            faults(&[("base/a.rs", "use super::super::*;")]),
            expected("crate::")
        );
    }

    #[test]
    fn tests_may_import_anything() {
        let import = "use crate::endpoints::x;";
        let module = format!("#[cfg(test)] mod tests {{ {import} }}");
        let files = [
            ("base/tests.rs", import),
            ("base/a/tests/b.rs", import),
            ("base/c.rs", &module),
        ];
        assert!(faults(&files).is_empty(), "{:?}", faults(&files));
    }

    #[test]
    fn a_file_in_no_room_is_reported() {
        assert_eq!(
            faults(&[("other.rs", ""), ("base.rs", "")]),
            ["other.rs: other is not in the table of rooms in xtask/src/structure/rooms.rs"]
        );
    }

    #[test]
    fn a_room_without_a_file_is_missing() {
        let all: Vec<String> = ROOMS.iter().map(|room| format!("{room}/mod.rs")).collect();
        let all: Vec<(&str, &str)> = all.iter().map(|path| (path.as_str(), "")).collect();
        assert!(missing(&sources(&all)).is_empty());
        assert_eq!(missing(&sources(&all[1..])), ["base"]);
    }
}
