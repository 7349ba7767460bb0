//! The project's own commands. `cargo xtask test` is what a developer, the README and `.ci/run` all call: it installs what it lacks, then checks
//! everything, from formatting to a real browser.

mod bench;
mod dependencies;
mod licences;
mod plan;
mod run;
mod setup;
mod unused;

use std::path::Path;
use std::process::ExitCode;

use plan::STEPS;
use run::House;

const USAGE: &str = "\
cargo xtask test               check everything
cargo xtask test --only NAME   one step, with those it needs
cargo xtask setup              install what the tests need, and nothing else
cargo xtask screenshots        the pages as Chromium shows them, in target/screenshots
cargo xtask licences           the licences of what is built in, into LICENSES-THIRD-PARTY.md
cargo xtask bench [--tested] … what requests cost, into bench/RESULTS.md; `--help` names the rest";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["bench", rest @ ..] = words.as_slice() {
        let house = House::at(Path::new(env!("CARGO_MANIFEST_DIR")));
        return ended(house.and_then(|house| bench::run(&house, rest)));
    }
    if words == ["licences"] {
        let house = House::at(Path::new(env!("CARGO_MANIFEST_DIR")));
        return ended(house.and_then(|house| licences::write(&house)));
    }
    let wanted: Vec<&str> = match words.as_slice() {
        ["test"] => STEPS.iter().map(|step| step.name).collect(),
        ["test", "--only", name] if STEPS.iter().any(|step| step.name == *name) => vec![name],
        ["test", "--only", name] => {
            let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            eprintln!(
                "there is no step {name:?}; the steps are {}",
                known.join(", ")
            );
            return ExitCode::from(2);
        }
        ["setup"] => vec!["setup"],
        ["screenshots"] => vec!["browser"],
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let house = House::at(Path::new(env!("CARGO_MANIFEST_DIR")));
    ended(house.and_then(|house| plan::carry_out(&house, &wanted)))
}

fn ended(result: Result<bool, String>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
