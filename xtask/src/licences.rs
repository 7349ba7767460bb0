//! `cargo xtask licences`: third-party packages in the program, and their licences.

use std::collections::BTreeSet;
use std::fs;

use crate::run::{Workspace, output};

const FILE: &str = "LICENSES-THIRD-PARTY.md";

const HEAD: &str = "\
<!-- Made by `cargo xtask licences`. -->

# Third-party packages in Grantor

The packages that are built into `grantor` on Linux with all its features, including those that only generate code at build time. Each package contains the text of its licence. SQLite, which `libsqlite3-sys` contains, is in the public domain; AWS-LC is in `aws-lc-sys`. The page of the API's documentation is Swagger UI (Apache-2.0), with what it contains: `crates/web/vendor/swagger-ui`.

| package | version | licence | source |
|---|---|---|---|
";

/// Writes the list.
pub(crate) fn write(workspace: &Workspace) -> Result<bool, String> {
    let path = workspace.root.join(FILE);
    fs::write(&path, list(workspace)?).map_err(|error| format!("{FILE}: {error}"))?;
    Ok(true)
}

/// Checks that the list is up to date.
pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    if fs::read_to_string(workspace.root.join(FILE))
        .is_ok_and(|written| list(workspace) == Ok(written))
    {
        Ok(())
    } else {
        Err(format!("{FILE} is out of date: run `cargo xtask licences`"))
    }
}

fn list(workspace: &Workspace) -> Result<String, String> {
    let tree = output(
        workspace
            .cargo(&[
                "tree",
                "--locked",
                "--package",
                "grantor",
                "--all-features",
                "--edges",
                "normal",
                "--target",
                "x86_64-unknown-linux-gnu",
                "--prefix",
                "none",
                "--format",
                "{p}|{l}|{r}",
            ])
            .current_dir(&workspace.root),
    )?;
    Ok(format!("{HEAD}{}", rows(&tree)))
}

/// One row for each third-party package.
fn rows(tree: &str) -> String {
    let rows: BTreeSet<String> = tree.lines().filter_map(row).collect();
    rows.into_iter().collect()
}

fn row(line: &str) -> Option<String> {
    let mut parts = line.trim_end_matches(" (*)").split('|');
    let (package, licence, source) = (parts.next()?, parts.next()?, parts.next()?);
    let mut words = package.split(' ');
    let (name, version) = (words.next()?, words.next()?.trim_start_matches('v'));
    let is_ours = words.any(|word| word.starts_with("(/"));
    (!is_ours).then(|| format!("| {name} | {version} | {licence} | <{source}> |\n"))
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn each_third_party_package_is_listed_once() {
        let tree = "grantor v0.1.0 (/here/crates/grantor)|MIT|\n\
                    serde v1.0.1|MIT OR Apache-2.0|https://example.com/serde\n\
                    serde_derive v1.0.1 (proc-macro)|MIT|https://example.com/serde\n\
                    serde v1.0.1|MIT OR Apache-2.0|https://example.com/serde (*)\n";
        assert_eq!(
            rows(tree),
            "| serde | 1.0.1 | MIT OR Apache-2.0 | <https://example.com/serde> |\n\
             | serde_derive | 1.0.1 | MIT | <https://example.com/serde> |\n"
        );
    }
}
