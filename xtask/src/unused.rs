//! Checks that each dependency of a package is named in its sources, and each of the workspace in a package.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Log, Workspace, output};

pub(crate) fn check(workspace: &Workspace, log: &mut Log<'_>) -> Result<(), String> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let root_manifest = read(&workspace.root.join("Cargo.toml"))?;
    let mut inherited = Vec::new();
    let mut faults = Vec::new();
    for folder in members(workspace)? {
        let manifest = read(&folder.join("Cargo.toml"))?;
        for (section, places) in [
            ("dependencies", &["src", "examples"][..]),
            ("dev-dependencies", &["src", "tests", "examples", "benches"]),
            ("build-dependencies", &["build.rs"]),
        ] {
            let sources: String = places
                .iter()
                .flat_map(|place| sources(&folder.join(place)))
                .collect();
            for name in declared(&manifest, section) {
                // Cargo has no optional dependencies of tests: what tests of a feature need is declared for the package.
                let is_used_by_tests = is_optional(&manifest, &name)
                    && is_named(&name, &self::sources(&folder.join("tests")).concat());
                if !is_named(&name, &sources) && !is_used_by_tests {
                    let package = folder.file_name().unwrap_or_default().to_string_lossy();
                    faults.push(format!(
                        "{package}: {name} of [{section}] is not used in {}",
                        places.join(", ")
                    ));
                }
                inherited.push(name);
            }
        }
    }
    let shared = declared(&root_manifest, "workspace.dependencies");
    let unused = shared.into_iter().filter(|name| !inherited.contains(name));
    faults.extend(unused.map(|name| format!("the workspace's {name} is not used by any package")));
    for fault in &faults {
        log.note(fault)?;
    }
    match faults.as_slice() {
        [] => Ok(()),
        faults => Err(format!("{} dependencies are not used", faults.len())),
    }
}

/// The folders of the workspace's packages.
fn members(workspace: &Workspace) -> Result<Vec<PathBuf>, String> {
    let tree = output(
        workspace
            .cargo(&[
                "tree",
                "--locked",
                "--workspace",
                "--depth",
                "0",
                "--prefix",
                "none",
                "--format",
                "{p}",
            ])
            .current_dir(&workspace.root),
    )?;
    let folders = tree.lines().filter_map(|line| {
        let (_, path) = line.split_once(" (/")?;
        path.split_once(')').map(|(path, _)| format!("/{path}"))
    });
    Ok(folders.map(PathBuf::from).collect())
}

/// The names in a section of a manifest.
pub(crate) fn declared(manifest: &str, section: &str) -> Vec<String> {
    let head = format!("[{section}]");
    let lines = manifest.lines().skip_while(|line| *line != head).skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['=', '.', ' ']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is_optional(manifest: &str, name: &str) -> bool {
    let mut lines = manifest.lines();
    lines.any(|line| line.starts_with(&format!("{name} = ")) && line.contains("optional = true"))
}

/// Whether sources contain the name of a crate as a whole word.
fn is_named(package: &str, sources: &str) -> bool {
    let name = package.replace('-', "_");
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    sources.match_indices(&name).any(|(at, _)| {
        !sources[..at].ends_with(is_part) && !sources[at + name.len()..].starts_with(is_part)
    })
}

/// The Rust sources in a file or below a folder.
fn sources(path: &Path) -> Vec<String> {
    if path.is_file() {
        let is_rust = path.extension().is_some_and(|extension| extension == "rs");
        return is_rust
            .then(|| fs::read_to_string(path).unwrap_or_default())
            .into_iter()
            .collect();
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.flat_map(|entry| sources(&entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::{declared, is_named};

    #[test]
    fn dependencies_are_read_from_a_manifest() {
        let manifest = "[package]\nname = \"x\"\n\n[dependencies]\n# why\nserde.workspace = true\nfutures-util = { version = \"1\" }\n\n[dev-dependencies]\ntempfile = \"3\"\n";
        assert_eq!(
            declared(manifest, "dependencies"),
            ["serde", "futures-util"]
        );
        assert_eq!(declared(manifest, "dev-dependencies"), ["tempfile"]);
        assert!(declared(manifest, "build-dependencies").is_empty());
    }

    #[test]
    fn a_name_must_be_a_whole_word() {
        assert!(is_named("futures-util", "use futures_util::Stream;"));
        assert!(!is_named("serde", "use serde_json::Value;"));
        assert!(!is_named("serde", "use my_serde::Value;"));
    }
}
