//! Checks dependencies against `deny.toml`: with cargo-deny where it is installed. Compiling it takes longer than everything else, so without it
//! licences, bans and sources are checked from `cargo tree` and `Cargo.lock`, and the step notes that advisories were not checked.
//! Also checks that every declared dependency is used, that none is built twice, and that the list of licences is up to date.

use std::collections::BTreeSet;
use std::fs;

use crate::run::{Log, Workspace, output};
use crate::{features, licences, unused};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(crate) fn check(workspace: &Workspace, log: &mut Log<'_>) -> Result<Option<String>, String> {
    unused::check(workspace, log)?;
    features::check(workspace, log)?;
    licences::check(workspace)?;
    if output(&mut workspace.cargo(&["deny", "--version"])).is_ok() {
        with_cargo_deny(workspace, log)
    } else {
        without_cargo_deny(workspace, log)
    }
}

/// The advisories come from the network: without it, the step notes that and does not fail.
fn with_cargo_deny(workspace: &Workspace, log: &mut Log<'_>) -> Result<Option<String>, String> {
    let mut deny = |what: &[&str]| {
        let check = [&["deny", "--workspace", "check"], what].concat();
        log.run(&mut workspace.cargo(&check))
    };
    deny(&["bans", "licenses", "sources"])?;
    match deny(&["advisories"]) {
        Err(_) if log.text().contains("failed to fetch advisory database") => Ok(Some(
            "advisories not checked: their database cannot be reached".to_owned(),
        )),
        result => result.map(|()| None),
    }
}

fn without_cargo_deny(workspace: &Workspace, log: &mut Log<'_>) -> Result<Option<String>, String> {
    let read = |name: &str| {
        fs::read_to_string(workspace.root.join(name)).map_err(|error| format!("{name}: {error}"))
    };
    let rules = read("deny.toml")?;
    let lock = read("Cargo.lock")?;
    let tree = output(
        workspace
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
            .current_dir(&workspace.root),
    )?;
    let mut faults = other_sources(&lock);
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
        Err(format!("{} packages are not allowed", faults.len()))
    }
}

/// The list that begins with `start`.
fn section<'a>(rules: &'a str, start: &str) -> &'a str {
    let list = rules.split_once(start).map_or("", |(_, rest)| rest);
    list.split_once("\n]").map_or(list, |(list, _)| list)
}

fn quoted(list: &str) -> Vec<&str> {
    list.split('"').skip(1).step_by(2).collect()
}

fn other_sources(lock: &str) -> Vec<String> {
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

/// Whether allowed licences satisfy an SPDX expression: `OR` (and the old `/`) is a choice, `AND` binds closer, and there may be parentheses.
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

/// Whether `condition` is true for a part of `text`, split at each `separator` outside parentheses.
fn any_of(text: &str, separator: &str, condition: &dyn Fn(&str) -> bool) -> bool {
    let mut start = 0;
    for (at, _) in text.match_indices(separator) {
        let before = &text[..at];
        if before.matches('(').count() == before.matches(')').count() {
            if condition(&text[start..at]) {
                return true;
            }
            start = at + separator.len();
        }
    }
    condition(&text[start..])
}

#[cfg(test)]
mod tests {
    use super::{banned, is_allowed, other_sources, quoted, section, unlicensed};

    const ALLOWED: &[&str] = &["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"];

    #[test]
    fn a_licence_is_allowed_if_one_choice_of_each_part_is() {
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
    fn a_package_with_a_licence_source_or_name_that_is_not_allowed_is_found() {
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
            other_sources("source = \"git+https://example.com/x\"\n").len(),
            1
        );
        assert!(
            other_sources("source = \"registry+https://github.com/rust-lang/crates.io-index\"\n")
                .is_empty()
        );
    }

    #[test]
    fn the_rules_are_read_from_deny_toml() {
        let rules = include_str!("../../deny.toml");
        assert!(quoted(section(rules, "allow = [")).contains(&"MIT"));
        assert_eq!(
            quoted(section(rules, "deny = [")),
            ["native-tls", "openssl-sys", "ring"]
        );
    }
}
