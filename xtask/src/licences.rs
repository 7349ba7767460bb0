//! `cargo xtask licences`: what of others is built into the program, and under which licences.

use std::collections::BTreeSet;
use std::fs;

use crate::run::{House, output};

const FILE: &str = "LICENSES-THIRD-PARTY.md";

const HEAD: &str = "\
<!-- Made by `cargo xtask licences`. -->

# What of others is in Grantor

The packages that are built into `grantor` on Linux with all its features, those that only make code at build time among them. Each package holds its licence's text. SQLite, which `libsqlite3-sys` holds, is in the public domain; AWS-LC is in `aws-lc-sys`.

| package | version | licence | source |
|---|---|---|---|
";

/// Writes the list.
pub(crate) fn write(house: &House) -> Result<bool, String> {
    let path = house.root.join(FILE);
    fs::write(&path, list(house)?).map_err(|why| format!("{FILE}: {why}"))?;
    Ok(true)
}

/// Whether the list is the one of today.
pub(crate) fn check(house: &House) -> Result<(), String> {
    if fs::read_to_string(house.root.join(FILE)).is_ok_and(|kept| list(house) == Ok(kept)) {
        Ok(())
    } else {
        Err(format!("{FILE} is not of today: `cargo xtask licences`"))
    }
}

fn list(house: &House) -> Result<String, String> {
    let tree = output(
        house
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
            .current_dir(&house.root),
    )?;
    Ok(format!("{HEAD}{}", rows(&tree)))
}

/// A row for each package that is not ours, once.
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
    fn each_package_of_others_stands_once() {
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
