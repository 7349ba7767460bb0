//! `cargo xtask bench`: what requests cost, written to `bench/RESULTS.md`, or compared with an older commit by `--against REV`.
//! Never a step of the tests: the figures depend on the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Workspace, output};

/// Where the older commit is checked out, with a target folder of its own. It is kept, so that the next build is quick.
const REFERENCE: &str = "target/against";
/// Server and load tool are built together, in both commits, so that their dependencies have the same features.
const SHIPPED: [&str; 6] = [
    "--profile",
    "dist",
    "--package",
    "grantor",
    "--package",
    "grantor-bench",
];
/// As the tests build them, so that the dependencies are there already.
const TESTED: [&str; 6] = [
    "--release",
    "--workspace",
    "--bin",
    "grantor",
    "--bin",
    "grantor-bench",
];

/// What `cargo xtask bench` was called with.
#[derive(Debug, PartialEq, Eq)]
struct Options<'a> {
    profile: &'static str,
    against: Option<&'a str>,
    /// The arguments of the load tool.
    rest: Vec<&'a str>,
}

impl<'a> Options<'a> {
    fn parse(arguments: &[&'a str]) -> Result<Self, String> {
        let mut options = Self {
            profile: "dist",
            against: None,
            rest: Vec::new(),
        };
        let mut arguments = arguments.iter();
        while let Some(&argument) = arguments.next() {
            if argument == "--tested" {
                options.profile = "release";
            } else if argument == "--against" {
                let revision = arguments.next().ok_or("--against needs a revision")?;
                options.against = Some(revision);
            } else if let Some(revision) = argument.strip_prefix("--against=") {
                options.against = Some(revision);
            } else {
                options.rest.push(argument);
            }
        }
        Ok(options)
    }
}

/// Builds server and load tool, and runs the tool. The shipped profile is measured, with `--tested` that of the tests,
/// which is often built already. `false` when a build failed, or when a request costs more than in the older commit.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<bool, String> {
    let options = Options::parse(arguments)?;
    let reference = options
        .against
        .map(|revision| check_out(workspace, revision))
        .transpose()?;
    if let Some(reference) = &reference {
        println!(
            "building {} in {REFERENCE}, profile {}",
            reference.name, options.profile
        );
        if !build(workspace, &reference.folder, options.profile)? {
            return Ok(false);
        }
        println!("building the present tree");
    }
    if !build(workspace, &workspace.root, options.profile)? {
        return Ok(false);
    }
    let built = workspace.root.join("target").join(options.profile);
    let mut tool = Command::new(built.join("grantor-bench"));
    match &reference {
        None => tool.arg("run"),
        Some(reference) => {
            let built = reference.folder.join("target").join(options.profile);
            tool.args(["compare", "--reference-name", &reference.name])
                .arg("--reference")
                .arg(built.join("grantor"))
        }
    };
    tool.arg("--server").arg(built.join("grantor"));
    succeeds(tool.args(&options.rest).current_dir(&workspace.root))
}

/// An older commit, checked out.
struct Reference {
    /// The commit's hash, shortened.
    name: String,
    folder: PathBuf,
}

/// Checks a revision out in the git worktree at `REFERENCE`, which the first call makes.
fn check_out(workspace: &Workspace, revision: &str) -> Result<Reference, String> {
    let git = |folder: &Path, arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(folder).args(arguments);
        output(&mut git)
    };
    let commit = format!("{revision}^{{commit}}");
    let name = git(
        &workspace.root,
        &["rev-parse", "--verify", "--short", &commit],
    )?;
    let name = name.trim().to_owned();
    let folder = workspace.root.join(REFERENCE);
    if folder.join(".git").exists() {
        git(
            &folder,
            &["checkout", "--quiet", "--force", "--detach", &name],
        )?;
    } else {
        // Forced: git may still list the worktree of a target folder that was deleted.
        let add = ["worktree", "add", "--quiet", "--force", "--detach"];
        git(&workspace.root, &[&add[..], &[REFERENCE, &name]].concat())?;
    }
    Ok(Reference { name, folder })
}

fn build(workspace: &Workspace, folder: &Path, profile: &str) -> Result<bool, String> {
    let what = if profile == "dist" { SHIPPED } else { TESTED };
    succeeds(
        workspace
            .cargo(&["build"])
            .args(what)
            .current_dir(folder)
            .env_remove("CARGO_TARGET_DIR"),
    )
}

/// Whether a command succeeds; its output goes to the terminal.
fn succeeds(command: &mut Command) -> Result<bool, String> {
    command
        .status()
        .map(|status| status.success())
        .map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn own_options_are_taken_out_and_the_rest_is_the_load_tools() {
        let options = |arguments: &[&'static str]| Options::parse(arguments).unwrap();
        assert_eq!(
            options(&["--rounds", "2", "--against", "HEAD~1", "--tested"]),
            Options {
                profile: "release",
                against: Some("HEAD~1"),
                rest: vec!["--rounds", "2"],
            }
        );
        assert_eq!(options(&["--against=main"]).against, Some("main"));
        let plain = options(&["--only", "memory"]);
        assert_eq!((plain.profile, plain.against), ("dist", None));
        assert!(Options::parse(&["--against"]).is_err());
    }
}
