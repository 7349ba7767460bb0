//! Which crate may depend on which.

use super::Source;
use crate::unused::declared;

/// Each crate below `crates/`, and those that it may depend on. Tests may depend on any.
const CRATES: &[(&str, &[&str])] = &[
    ("jose", &[]),
    ("verify", &["jose"]),
    ("core", &["jose"]),
    ("store", &["core", "jose"]),
    ("web", &["store", "core", "jose"]),
    ("config", &["store", "core", "jose", "verify"]),
    (
        "server",
        &["config", "web", "store", "core", "jose", "verify"],
    ),
    (
        "grantor",
        &["server", "config", "web", "store", "core", "jose", "verify"],
    ),
];

/// It may depend on any crate, and only tests may depend on it.
const TEST_KIT: &str = "testkit";

/// Says which dependency of which manifest is not allowed.
pub(super) fn check(manifests: &[Source]) -> Vec<String> {
    manifests
        .iter()
        .flat_map(|(path, manifest)| check_manifest(path, manifest))
        .collect()
}

fn check_manifest(path: &str, manifest: &str) -> Vec<String> {
    let folder = path.strip_prefix("crates/");
    let folder = folder.and_then(|path| path.strip_suffix("/Cargo.toml"));
    let allowed = match folder {
        Some(TEST_KIT) => return Vec::new(),
        Some(name) => match CRATES.iter().find(|(known, _)| *known == name) {
            Some((_, allowed)) => Some(*allowed),
            None => {
                return vec![format!(
                    "{path}: this crate is not in the table of xtask/src/structure/crates.rs"
                )];
            }
        },
        None => None,
    };
    let mut faults = Vec::new();
    for section in ["dependencies", "build-dependencies"] {
        for dependency in declared(manifest, section) {
            let name = dependency.strip_prefix("grantor-").unwrap_or(&dependency);
            if name == TEST_KIT {
                faults.push(format!("{path}: {dependency} may be a dev-dependency only"));
                continue;
            }
            let is_ours = CRATES.iter().any(|(known, _)| *known == name);
            if is_ours && allowed.is_some_and(|allowed| !allowed.contains(&name)) {
                faults.push(format!("{path}: may not depend on {dependency}"));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::{CRATES, check};

    fn faults(path: &str, dependencies: &str) -> Vec<String> {
        let manifest = format!("[package]\nname = \"x\"\n\n{dependencies}\n");
        check(&[(path.to_owned(), manifest)])
    }

    #[test]
    fn the_table_goes_one_way() {
        for (at, (name, allowed)) in CRATES.iter().enumerate() {
            for dependency in *allowed {
                let mut earlier = CRATES[..at].iter();
                assert!(
                    earlier.any(|(known, _)| known == dependency),
                    "{name} on {dependency}"
                );
            }
        }
    }

    #[test]
    fn a_dependency_that_runs_back_is_reported() {
        let store = "crates/store/Cargo.toml";
        assert!(faults(store, "[dependencies]\ngrantor-core.workspace = true").is_empty());
        assert_eq!(
            faults(
                store,
                "[dependencies]\nserde = \"1\"\ngrantor-web = { path = \"../web\" }"
            ),
            ["crates/store/Cargo.toml: may not depend on grantor-web"]
        );
        assert_eq!(
            faults(
                "crates/web/Cargo.toml",
                "[dependencies]\ngrantor.workspace = true"
            ),
            ["crates/web/Cargo.toml: may not depend on grantor"]
        );
        assert!(faults(store, "[dev-dependencies]\ngrantor-web.workspace = true").is_empty());
    }

    #[test]
    fn the_test_kit_may_only_be_a_dev_dependency() {
        for path in ["crates/web/Cargo.toml", "bench/Cargo.toml"] {
            for name in ["testkit", "grantor-testkit"] {
                assert_eq!(
                    faults(path, &format!("[dependencies]\n{name}.workspace = true")),
                    [format!("{path}: {name} may be a dev-dependency only")]
                );
                assert!(
                    faults(
                        path,
                        &format!("[dev-dependencies]\n{name}.workspace = true")
                    )
                    .is_empty()
                );
            }
        }
        let all = "[dependencies]\ngrantor-web.workspace = true\ngrantor.workspace = true";
        assert!(faults("crates/testkit/Cargo.toml", all).is_empty());
    }

    #[test]
    fn a_crate_that_is_in_no_table_is_reported() {
        assert_eq!(faults("crates/new/Cargo.toml", "").len(), 1);
        assert!(faults("examples/new/Cargo.toml", "").is_empty());
    }
}
