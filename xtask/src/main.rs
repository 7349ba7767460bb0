//! The project's own commands. Developers, the README and `.ci/run` all call `cargo xtask test`: it installs what is missing and checks everything,
//! from formatting to tests in a real browser.

mod bench;
mod book;
mod dependencies;
mod features;
mod licences;
mod plan;
mod run;
mod setup;
mod steps;
mod structure;
mod unused;

use std::path::Path;
use std::process::ExitCode;

use run::Workspace;
use steps::STEPS;

const USAGE: &str = "\
cargo xtask test                       check everything
cargo xtask test --only NAME           one step, and the steps that it needs
cargo xtask setup                      install what the tests need, and nothing else
cargo xtask screenshots                the pages in Chromium, into target/screenshots
cargo xtask book                       the book as HTML with search, into target/book
cargo xtask licences                   the licences of third-party packages, into LICENSES-THIRD-PARTY.md
cargo xtask bench [--tested] …         what requests cost, into bench/RESULTS.md; `--help` lists the other options
cargo xtask bench --against REV …      what requests cost compared with an older commit; fails when one costs more";

fn main() -> ExitCode {
    match command() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command of the command line; `false` when a check failed.
fn command() -> Result<bool, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let workspace = Workspace::new(Path::new(env!("CARGO_MANIFEST_DIR")))?;
    match arguments.as_slice() {
        ["bench", rest @ ..] => bench::run(&workspace, rest),
        ["book"] => book::run(&workspace),
        ["licences"] => licences::write(&workspace),
        ["test"] => {
            let all: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            plan::run(&workspace, &all)
        }
        ["test", "--only", name] => {
            if STEPS.iter().all(|step| step.name != *name) {
                let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
                return Err(format!(
                    "there is no step {name:?}; the steps are {}",
                    known.join(", ")
                ));
            }
            plan::run(&workspace, &[name])
        }
        ["setup"] => plan::run(&workspace, &["setup"]),
        ["screenshots"] => plan::run(&workspace, &["browser"]),
        _ => Err(format!("unknown command\n{USAGE}")),
    }
}
