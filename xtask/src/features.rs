//! Checks that `cargo run` and the tests ask for the same features of each dependency: else cargo would build it twice.

use std::collections::BTreeSet;

use crate::run::{Log, Workspace, output};

pub(crate) fn check(workspace: &Workspace, log: &mut Log<'_>) -> Result<(), String> {
    let tree = |selection: &[&str]| {
        let format = ["--prefix", "none", "--format", "{p}|{f}"];
        let arguments = [&["tree", "--locked"], selection, &format].concat();
        output(workspace.cargo(&arguments).current_dir(&workspace.root))
    };
    // Without a package, the default members are meant.
    let run = tree(&["--edges", "normal,build"])?;
    let tests = tree(&["--workspace", "--edges", "normal,build,dev"])?;
    let faults = built_twice(&run, &tests);
    for fault in &faults {
        log.note(fault)?;
    }
    match faults.len() {
        0 => Ok(()),
        count => Err(format!(
            "{count} packages would be built twice: see xtask/features"
        )),
    }
}

/// The packages of `run` that `tests` has with other features only.
fn built_twice(run: &str, tests: &str) -> Vec<String> {
    let packages = |tree: &str| -> BTreeSet<String> {
        let packages = tree.lines().map(|line| line.trim_end_matches(" (*)"));
        packages.map(str::to_owned).collect()
    };
    let (run, tests) = (packages(run), packages(tests));
    let different = run.difference(&tests).filter_map(|package| {
        let (name, features) = package.split_once('|')?;
        let others = tests.iter().filter_map(|other| {
            let (other, features) = other.split_once('|')?;
            (other == name).then_some(features)
        });
        let others: Vec<&str> = others.collect();
        Some(format!(
            "{name} is built with [{features}] by `cargo run`, and with [{}] for the tests",
            others.join("] and [")
        ))
    });
    different.collect()
}

#[cfg(test)]
mod tests {
    use super::built_twice;

    #[test]
    fn a_package_with_other_features_is_reported() {
        let run = "grantor v0.1.0 (/x)|\na v1.0.0|std\nb v1.0.0|std (*)\n";
        let tests = "a v1.0.0|alloc\na v1.0.0|std (*)\nb v1.0.0|json,std\nc v1.0.0|\ngrantor v0.1.0 (/x)|\n";
        assert_eq!(
            built_twice(run, tests),
            ["b v1.0.0 is built with [std] by `cargo run`, and with [json,std] for the tests"]
        );
    }
}
