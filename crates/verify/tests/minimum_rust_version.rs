//! No dependency of `grantor-verify` and `grantor-jose` declares a newer `rust-version` than they do themselves.

#![expect(clippy::unwrap_used, reason = "a part of tests")]

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

/// The metadata of the workspace, with the dependencies for this kind of machine.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<_> = text.split('.').map(|part| part.parse().unwrap()).collect();
    parts.resize(3, 0);
    parts
}

/// The ids of a package and of everything that it is built with; dev-dependencies are not among them.
fn built_with<'a>(
    root: &'a str,
    dependencies: &HashMap<&'a str, Vec<&'a str>>,
) -> HashSet<&'a str> {
    let (mut found, mut next) = (HashSet::new(), vec![root]);
    while let Some(id) = next.pop() {
        if found.insert(id) {
            next.extend(&dependencies[id]);
        }
    }
    found
}

fn is_built_with(dependency: &Value) -> bool {
    let mut kinds = dependency["dep_kinds"].as_array().unwrap().iter();
    kinds.any(|kind| kind["kind"] != "dev")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn no_dependency_needs_a_newer_rust_than_verify_and_jose_declare() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let dependencies = nodes.iter().map(|node| {
        let all = node["deps"].as_array().unwrap().iter();
        let built = all.filter(|dependency| is_built_with(dependency));
        let ids = built.map(|dependency| text(&dependency["pkg"])).collect();
        (text(&node["id"]), ids)
    });
    let dependencies: HashMap<_, Vec<_>> = dependencies.collect();
    for name in ["grantor-verify", "grantor-jose"] {
        let root = packages.iter().find(|package| package["name"] == name);
        let root = root.unwrap();
        let ours = version(text(&root["rust_version"]));
        let built = built_with(text(&root["id"]), &dependencies);
        assert!(built.len() > 10, "{name} has dependencies");
        let built = packages
            .iter()
            .filter(|package| built.contains(text(&package["id"])));
        for package in built {
            if let Some(theirs) = package["rust_version"].as_str() {
                let needs = format!("{name}: {} needs Rust {theirs}", package["name"]);
                assert!(version(theirs) <= ours, "{needs}");
            }
        }
    }
}
