//! `cargo xtask bench`: what requests cost, written to `bench/RESULTS.md`. Never a part of the tests: it says how fast a machine is.

use crate::run::House;

/// Builds server and load tool, then runs the tool; `arguments` are its own. What is shipped is measured;
/// `--tested` first measures the profile of the tests instead, which is built already.
pub(crate) fn run(house: &House, arguments: &[&str]) -> Result<bool, String> {
    let (profile, arguments) = match arguments {
        ["--tested", rest @ ..] => ("release", rest),
        _ => ("dist", arguments),
    };
    let build = [
        "build",
        "--profile",
        profile,
        "--package",
        "grantor",
        "--package",
        "grantor-bench",
    ];
    let went_well = |command: &mut std::process::Command| {
        command
            .current_dir(&house.root)
            .status()
            .map(|status| status.success())
            .map_err(|why| format!("{}: {why}", command.get_program().to_string_lossy()))
    };
    if !went_well(&mut house.cargo(&build))? {
        return Ok(false);
    }
    let built = house.root.join("target").join(profile);
    went_well(
        std::process::Command::new(built.join("grantor-bench"))
            .arg("run")
            .arg("--server")
            .arg(built.join("grantor"))
            .args(arguments),
    )
}
