//! What may be built in: `deny.toml`, by cargo-deny where it is there. It takes longer to build than all else, so without it the licences, bans and
//! sources of the same file are checked from `cargo tree` and `Cargo.lock`, and the advisories, which need its database, are said to be unchecked.
//! Then that nothing is declared for nothing, and that the list of licences is the one of today.

use std::collections::BTreeSet;
use std::fs;

use crate::run::{House, Log, output};
use crate::{licences, unused};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(crate) fn check(house: &House, log: &mut Log<'_>) -> Result<Option<String>, String> {
    unused::check(house, log)?;
    licences::check(house)?;
    if output(&mut house.cargo(&["deny", "--version"])).is_ok() {
        by_cargo_deny(house, log)
    } else {
        by_hand(house, log)
    }
}

/// The advisories come from the network: where it is not there, that is said, and no failure.
fn by_cargo_deny(house: &House, log: &mut Log<'_>) -> Result<Option<String>, String> {
    let mut deny = |what: &[&str]| {
        let check = [&["deny", "--workspace", "check"], what].concat();
        log.run(&mut house.cargo(&check))
    };
    deny(&["bans", "licenses", "sources"])?;
    match deny(&["advisories"]) {
        Err(_) if log.text().contains("failed to fetch advisory database") => Ok(Some(
            "the database of advisories cannot be reached: not checked".to_owned(),
        )),
        ended => ended.map(|()| None),
    }
}

fn by_hand(house: &House, log: &mut Log<'_>) -> Result<Option<String>, String> {
    let read = |name: &str| {
        fs::read_to_string(house.root.join(name)).map_err(|why| format!("{name}: {why}"))
    };
    let rules = read("deny.toml")?;
    let lock = read("Cargo.lock")?;
    let tree = output(
        house
            .cargo(&[
                "tree",
                "--locked",
                "--workspace",
                "--all-features",
                "--target",
                "all",
                "--edges",
                "normal,build,dev",
                "--prefix",
                "none",
                "--format",
                "{p}|{l}",
            ])
            .current_dir(&house.root),
    )?;
    let mut faults = foreign_sources(&lock);
    faults.extend(banned(&tree, &quoted(section(&rules, "deny = ["))));
    faults.extend(unlicensed(&tree, &quoted(section(&rules, "allow = ["))));
    for fault in &faults {
        log.note(fault)?;
    }
    if faults.is_empty() {
        Ok(Some(
            "without cargo-deny: advisories not checked".to_owned(),
        ))
    } else {
        Err(format!("{} packages may not be built in", faults.len()))
    }
}

/// The lines of the list that `start` opens.
fn section<'a>(rules: &'a str, start: &str) -> &'a str {
    let list = rules.split_once(start).map_or("", |(_, rest)| rest);
    list.split_once("\n]").map_or(list, |(list, _)| list)
}

fn quoted(list: &str) -> Vec<&str> {
    list.split('"').skip(1).step_by(2).collect()
}

fn foreign_sources(lock: &str) -> Vec<String> {
    let sources = lock
        .lines()
        .filter_map(|line| line.strip_prefix("source = "));
    sources
        .filter(|source| source.trim_matches('"') != CRATES_IO)
        .map(|source| format!("not from crates.io: {source}"))
        .collect()
}

fn banned(tree: &str, names: &[&str]) -> Vec<String> {
    let packages: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, _)| name)
        .collect();
    packages
        .into_iter()
        .filter(|name| names.contains(name))
        .map(|name| format!("banned: {name}"))
        .collect()
}

fn unlicensed(tree: &str, allowed: &[&str]) -> Vec<String> {
    let packages = tree
        .lines()
        .filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
    let mut faults: Vec<String> = packages
        .filter(|(_, licence)| !is_allowed(licence, allowed))
        .map(|(package, licence)| format!("{package}: licence {licence:?}"))
        .collect();
    faults.sort();
    faults.dedup();
    faults
}

/// Whether an SPDX expression can be met by what is allowed: `OR` (and the old `/`) is a choice, `AND` binds closer, parentheses hold either.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ");
    any_of(&expression, " OR ", &|choice| {
        !any_of(choice, " AND ", &|part| !part_is_allowed(part, allowed))
    })
}

fn part_is_allowed(part: &str, allowed: &[&str]) -> bool {
    match part
        .trim()
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
    {
        Some(inner) => is_allowed(inner, allowed),
        None => allowed.contains(&part.trim()),
    }
}

/// Whether `holds` is true of a part of `text`, cut at each `separator` that is outside parentheses.
fn any_of(text: &str, separator: &str, holds: &dyn Fn(&str) -> bool) -> bool {
    let mut start = 0;
    for (at, _) in text.match_indices(separator) {
        let before = &text[..at];
        if before.matches('(').count() == before.matches(')').count() {
            if holds(&text[start..at]) {
                return true;
            }
            start = at + separator.len();
        }
    }
    holds(&text[start..])
}

#[cfg(test)]
mod tests {
    use super::{banned, foreign_sources, is_allowed, quoted, section, unlicensed};

    const ALLOWED: &[&str] = &["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"];

    #[test]
    fn a_licence_is_allowed_when_one_choice_of_each_part_is() {
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "GPL-3.0/MIT",
            "(MIT OR GPL-3.0) AND ISC",
            "ISC AND (GPL-3.0 OR MIT) AND MIT",
            "GPL-3.0 AND X OR MIT",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert!(is_allowed(good, ALLOWED), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT OR ISC) AND GPL-3.0",
            "MIT AND (GPL-3.0 OR AGPL-3.0)",
            "GPL-3.0 AND (MIT OR ISC) OR X",
        ] {
            assert!(!is_allowed(bad, ALLOWED), "{bad}");
        }
    }

    #[test]
    fn a_package_with_a_foreign_licence_source_or_name_is_found() {
        assert_eq!(
            unlicensed("a v1|MIT\nb v1|GPL-3.0 (*)\nb v1|GPL-3.0\n", ALLOWED),
            ["b v1: licence \"GPL-3.0\""]
        );
        assert_eq!(
            banned(
                "ring v0.17.14|ISC\nringbuf v1|MIT\nring v0.17.14|ISC (*)\n",
                &["ring"]
            ),
            ["banned: ring"]
        );
        assert_eq!(
            foreign_sources("source = \"git+https://example.com/x\"\n").len(),
            1
        );
        assert!(
            foreign_sources("source = \"registry+https://github.com/rust-lang/crates.io-index\"\n")
                .is_empty()
        );
    }

    #[test]
    fn the_rules_are_those_of_deny_toml() {
        let rules = include_str!("../../deny.toml");
        assert!(quoted(section(rules, "allow = [")).contains(&"MIT"));
        assert_eq!(
            quoted(section(rules, "deny = [")),
            ["native-tls", "openssl-sys", "ring"]
        );
    }
}
