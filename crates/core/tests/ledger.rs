//! The claims of `conformance/ledger/`: every rule of a spec that is ours has a test that exists, or a written reason.

#![expect(clippy::expect_used, reason = "a part of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One spec's file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    spec: String,
    title: String,
    source: String,
    /// Which of its rules stand elsewhere or nowhere, and why.
    left_out: String,
    row: Vec<Row>,
}

/// One rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    section: String,
    level: Level,
    role: Role,
    statement: String,
    /// `PATH::NAME`: PATH is a file without its extension, a folder or both, below the repository or its `crates`.
    #[serde(default)]
    test: Vec<String>,
    /// Why no test proves it, or not all of it.
    reason: Option<String>,
    note: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    #[serde(rename = "MUST")]
    Must,
    #[serde(rename = "MUST NOT")]
    MustNot,
    #[serde(rename = "SHOULD")]
    Should,
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
}

#[derive(Deserialize, PartialEq, Eq)]
enum Role {
    AS,
    RS,
    #[serde(rename = "client")]
    Client,
    #[serde(rename = "other")]
    Other,
}

#[test]
fn every_rule_of_ours_has_a_test_that_exists_or_a_reason() {
    let specs = ledger();
    let faults: Vec<String> = specs
        .iter()
        .flat_map(|(stem, spec)| faults(stem, spec))
        .collect();
    print!("{}", table(&specs));
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn no_rule_is_listed_twice() {
    let mut seen = BTreeSet::new();
    for row in ledger().values().flat_map(|spec| &spec.row) {
        assert!(seen.insert(row.id.clone()), "{} stands twice", row.id);
    }
    assert!(!seen.is_empty());
}

#[test]
fn every_test_named_in_security_md_exists() {
    let text = fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    let named: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains('/') && !code.contains(' '))
        .collect();
    assert!(named.len() > 30, "{named:?}");
    let lost: Vec<&str> = named
        .into_iter()
        .filter(|name| {
            if name.contains("::") {
                !exists(name)
            } else {
                let places = [root().join(name), root().join("crates").join(name)];
                !places.iter().any(|path| path.exists())
            }
        })
        .collect();
    assert!(lost.is_empty(), "SECURITY.md names {lost:#?}");
}

#[test]
fn a_wrong_row_of_the_ledger_is_reported() {
    let row = |more: &str| {
        let row = "[[row]]\nid = \"rfc0-1-01\"\nsection = \"1\"\nlevel = \"MUST\"\nrole = \"AS\"\nstatement = \"x\"\n";
        let head = "spec = \"RFC 0\"\ntitle = \"x\"\nsource = \"x\"\nleft_out = \"x\"\n";
        toml::from_str::<Spec>(&format!("{head}{row}{more}"))
    };
    let faults_of = |more: &str| faults("rfc0", &row(more).expect("a ledger")).len();
    let here = "core/tests/ledger::a_wrong_row_of_the_ledger_is_reported";
    assert_eq!(faults_of(&format!("test = [\"{here}\"]")), 0);
    assert_eq!(faults_of("reason = \"It is not built.\""), 0);
    assert_eq!(faults_of(""), 1, "neither a test nor a reason");
    assert_eq!(faults_of("reason = \"\""), 1, "an empty reason is none");
    assert_eq!(faults_of("test = [\"core/tests/ledger::no_such_test\"]"), 1);
    assert_eq!(
        faults_of("test = [\"core/tests/ledger::faults\"]"),
        1,
        "a function that is no test"
    );
    let of_table =
        |name: &str| faults_of(&format!("test = [\"config/src/tests/mistakes::{name}\"]"));
    assert_eq!(of_table("two_resources_of_one_audience"), 0, "in a table");
    assert_eq!(of_table("mistake"), 1, "the table itself");
    assert_eq!(
        faults_of("test = [\"core/tests/no_such_file::a_wrong_row_of_the_ledger_is_reported\"]"),
        1
    );
    assert_eq!(
        faults_of(&format!("test = [\"{here}\", \"{here}\"]")),
        1,
        "named twice"
    );
    assert!(row("tests = [\"x\"]").is_err(), "an unknown field");
}

/// What is wrong with a spec's rows.
fn faults(stem: &str, spec: &Spec) -> Vec<String> {
    let mut faults = Vec::new();
    for text in [&spec.spec, &spec.title, &spec.source, &spec.left_out] {
        if text.is_empty() {
            faults.push(format!("{stem}: something of its head is empty"));
        }
    }
    for row in &spec.row {
        let mut fault = |text: &str| faults.push(format!("{}: {text}", row.id));
        if !row.id.starts_with(&format!("{stem}-{}-", row.section)) {
            fault("the id does not begin with the spec and the section");
        }
        if row.statement.is_empty() || row.note.as_ref().is_some_and(String::is_empty) {
            fault("an empty text");
        }
        if row.test.is_empty() && row.reason.as_ref().is_none_or(String::is_empty) {
            fault("neither a test nor a reason");
        }
        if row.test.iter().collect::<BTreeSet<_>>().len() < row.test.len() {
            fault("a test is named twice");
        }
        for test in &row.test {
            if !exists(test) {
                fault(&format!("there is no test {test}"));
            }
        }
    }
    faults
}

/// Whether a test of this name is in that place.
fn exists(test: &str) -> bool {
    let Some((place, name)) = test.split_once("::") else {
        return false;
    };
    let sources = [root().join(place), root().join("crates").join(place)]
        .into_iter()
        .flat_map(|path| sources(&path));
    sources.into_iter().any(|source| holds(&source, name))
}

/// The sources of a place, as modules have them: the file that it names without its extension, and the folder.
fn sources(place: &Path) -> Vec<PathBuf> {
    let file = ["rs", "test.mjs", "py"]
        .map(|extension| PathBuf::from(format!("{}.{extension}", place.display())))
        .into_iter()
        .filter(|path| path.is_file());
    file.chain(below(place)).collect()
}

/// Every file below a folder, if it is one.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| !path.ends_with("node_modules"))
        .flat_map(|path| {
            if path.is_dir() {
                below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Whether a source has the test: a Rust function under a test's attribute, `test('NAME'` or `def NAME(`.
fn holds(source: &Path, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(source) else {
        return false;
    };
    match source.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => {
            let head = format!("fn {name}(");
            let mut heads = text.match_indices(&head);
            heads.any(|(at, _)| is_attributed(&text[..at])) || is_in_a_table(&text, name)
        }
        Some("mjs") => ["'", "\"", "`"]
            .iter()
            .any(|quote| text.contains(&format!("test({quote}{name}{quote}"))),
        Some("py") => text.contains(&format!("\ndef {name}(")),
        _ => false,
    }
}

/// Whether a macro of the same file makes a test of this name: `NAME:` alone on its line.
fn is_in_a_table(text: &str, name: &str) -> bool {
    text.contains("macro_rules!")
        && text.contains("#[test]\n        fn $name()")
        && text.contains(&format!("\n    {name}:\n"))
}

/// Whether what stands before a function ends with `#[test]`, `#[tokio::test]` or such, and perhaps other attributes.
fn is_attributed(before: &str) -> bool {
    let before = before.trim_end().trim_end_matches("async").trim_end();
    let attributes = before.rsplit(['}', ';', '{']).next().unwrap_or_default();
    ["#[test]", "#[tokio::test]", "#[tokio::test("]
        .iter()
        .any(|attribute| attributes.contains(attribute))
}

/// Every file of the ledger, by its name without the extension.
fn ledger() -> BTreeMap<String, Spec> {
    let folder = fs::read_dir(root().join("conformance/ledger")).expect("the ledger");
    let files = folder.map(|entry| entry.expect("an entry").path());
    files
        .map(|path| {
            let text = fs::read_to_string(&path).expect("text");
            let spec = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            (stem.expect("a name").to_owned(), spec)
        })
        .collect()
}

/// How many rows each spec has, and how they are held: by tests, by tests in part, by a reason alone.
fn table(specs: &BTreeMap<String, Spec>) -> String {
    let line = |name: &str, rows: &[&Row]| {
        let count = |is: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
        format!(
            "{name:<10}{:>6}{:>7}{:>8}{:>8}{:>9}{:>9}\n",
            rows.len(),
            count(&|row| row.role == Role::AS && row.level <= Level::MustNot),
            count(&|row| row.role == Role::AS && row.level > Level::MustNot),
            count(&|row| row.reason.is_none()),
            count(&|row| row.reason.is_some() && !row.test.is_empty()),
            count(&|row| row.test.is_empty()),
        )
    };
    let head = format!(
        "{:<10}{:>6}{:>7}{:>8}{:>8}{:>9}{:>9}\n",
        "spec", "rows", "MUSTs", "SHOULDs", "tested", "in part", "reasons"
    );
    let lines = specs
        .values()
        .map(|spec| line(&spec.spec, &spec.row.iter().collect::<Vec<_>>()));
    let all: Vec<&Row> = specs.values().flat_map(|spec| &spec.row).collect();
    format!("{head}{}{}", lines.collect::<String>(), line("all", &all))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
