//! The steps of `cargo xtask test`, in one table.

use std::process::Command;

use crate::run::{Log, Workspace, built};
use crate::{book, dependencies, setup, structure};

/// One check. It succeeds, perhaps with a note for the table (what it could not check), or fails with a reason.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) lane: Lane,
    /// Steps that must have succeeded before. They run even if only this step is asked for.
    pub(crate) needs: &'static [&'static str],
    /// Steps that must have ended before, if they run at all.
    pub(crate) after: &'static [&'static str],
    pub(crate) run: fn(&Workspace, &mut Log<'_>) -> Result<Option<String>, String>,
}

/// The lanes run at the same time, and the steps of one lane one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// What compiles, and the tests that cargo runs.
    Cargo,
    /// What waits for the network, for child processes or for a browser.
    BlackBox,
}

impl Lane {
    pub(crate) const ALL: [Self; 2] = [Self::Cargo, Self::BlackBox];
}

/// In this order within a lane: what fails quickly comes first. Everything is built in the one release profile, and with the features
/// of the whole workspace (`xtask/features`), so that nothing is built twice.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "format",
        lane: Lane::Cargo,
        needs: &[],
        after: &[],
        run: |workspace, log| cargo(workspace, log, &["fmt", "--all", "--check"]),
    },
    Step {
        name: "dependencies",
        lane: Lane::Cargo,
        needs: &[],
        after: &[],
        run: dependencies::check,
    },
    Step {
        name: "structure",
        lane: Lane::Cargo,
        needs: &[],
        after: &[],
        run: structure::check,
    },
    Step {
        name: "setup",
        lane: Lane::BlackBox,
        needs: &[],
        after: &[],
        run: setup::install,
    },
    Step {
        name: "clippy",
        lane: Lane::Cargo,
        needs: &[],
        after: &[],
        run: |workspace, log| {
            let all = ["clippy", "--release", "--workspace", "--all-targets"];
            cargo(
                workspace,
                log,
                &[&all[..], &["--", "-D", "warnings"]].concat(),
            )
        },
    },
    Step {
        name: "docs",
        lane: Lane::Cargo,
        needs: &[],
        after: &[],
        run: |workspace, log| {
            let doc = ["doc", "--release", "--workspace", "--no-deps"];
            without_note(log.run(workspace.cargo(&doc).env("RUSTDOCFLAGS", "-D warnings")))
        },
    },
    // Before the build, which puts back the program without the feature.
    Step {
        name: "otel",
        lane: Lane::Cargo,
        needs: &[],
        after: &[],
        run: |workspace, log| {
            // Of all targets, only those that the feature changes.
            let targets = [
                "--release",
                "--workspace",
                "--features",
                "grantor/otel",
                "--test",
                "process",
            ];
            let clippy = [&["clippy"], &targets[..], &["--", "-D", "warnings"]].concat();
            cargo(workspace, log, &clippy)?;
            cargo(
                workspace,
                log,
                &[&["test"], &targets[..], &["otel"]].concat(),
            )
        },
    },
    Step {
        name: "features",
        lane: Lane::Cargo,
        needs: &[],
        after: &[],
        // grantor-verify without its features, and with each alone: other workspaces turn them off.
        run: |workspace, log| {
            let bare = ["--release", "-p", "grantor-verify", "--no-default-features"];
            for feature in [&[][..], &["--features", "axum"], &["--features", "fetch"]] {
                let check = [&["check"], &bare[..], feature, &["--all-targets"]].concat();
                cargo(workspace, log, &check)?;
            }
            let test = [&["test"], &bare[..], &["--test", "key_set"]].concat();
            cargo(workspace, log, &test)
        },
    },
    // What the black box runs. Before the unit tests are compiled: a mistake in the code shows sooner.
    Step {
        name: "build",
        lane: Lane::Cargo,
        needs: &[],
        after: &[],
        run: |workspace, log| {
            let programs = PROGRAMS.iter().flat_map(|name| ["--bin", name]);
            let examples = EXAMPLES.iter().flat_map(|name| ["--example", name]);
            let build = ["build", "--release", "--workspace"].into_iter();
            let build: Vec<&str> = build.chain(programs).chain(examples).collect();
            cargo(workspace, log, &build)
        },
    },
    Step {
        name: "compile",
        lane: Lane::Cargo,
        needs: &[],
        after: &[],
        run: |workspace, log| {
            cargo(
                workspace,
                log,
                &["test", "--release", "--workspace", "--no-run"],
            )
        },
    },
    // Among them are the Rust clients, crates oauth2 and openidconnect, for which cargo itself builds the server (grantor/tests/process).
    Step {
        name: "unit",
        lane: Lane::Cargo,
        needs: &["setup", "compile"],
        after: &[],
        run: |workspace, log| {
            cargo(
                workspace,
                log,
                &["test", "--release", "--workspace", "--no-fail-fast"],
            )
        },
    },
    Step {
        name: "fuzz",
        lane: Lane::Cargo,
        needs: &["build"],
        after: &[],
        // Two seconds for each reader of untrusted bytes; `fuzz/README.md` has longer runs.
        run: |_, log| without_note(log.run(&mut Command::new(built("grantor-fuzz")?))),
    },
    Step {
        name: "clients",
        lane: Lane::BlackBox,
        needs: &["setup", "build"],
        after: COMPILED,
        run: |workspace, log| {
            let files = [
                "openid_client",
                "openid_client_code",
                "oidc_client_ts",
                "aws_jwt_verify",
                "exchange",
                "curl_seeds",
                "grants",
                "keys",
                "restart",
                "verify",
            ];
            node(workspace, log, &files)
        },
    },
    Step {
        name: "python",
        lane: Lane::BlackBox,
        needs: &["setup", "build"],
        after: COMPILED,
        run: python,
    },
    Step {
        name: "attacks",
        lane: Lane::BlackBox,
        needs: &["setup", "build"],
        after: COMPILED,
        run: |workspace, log| node(workspace, log, &["attacks", "bad_input", "floods"]),
    },
    Step {
        name: "browser",
        lane: Lane::BlackBox,
        needs: &["setup", "build"],
        after: COMPILED,
        run: |workspace, log| {
            types(workspace, log)?;
            let files = [
                "device_login_browser",
                "apache",
                "pages",
                "openid_suite",
                "spa_and_api",
                "microservices",
                "api_docs_browser",
                "manage_by_api",
            ];
            node(workspace, log, &files)
        },
    },
    Step {
        name: "products",
        lane: Lane::BlackBox,
        needs: &["setup", "build"],
        after: COMPILED,
        run: |workspace, log| {
            let files = [
                "authjs",
                "django_allauth",
                "express_openid_connect",
                "mcp",
                "nginx",
                "node_api",
            ];
            node(workspace, log, &files)
        },
    },
    Step {
        name: "examples",
        lane: Lane::BlackBox,
        needs: &["setup", "build"],
        after: COMPILED,
        run: |workspace, log| {
            let files = ["examples", "examples_run", "links", "operations"];
            node(workspace, log, &files)?;
            book::build_if_installed(workspace, log)
        },
    },
];

/// The black box begins when everything is compiled: cargo locks the target folder while it compiles, and the black box calls cargo
/// as users do.
const COMPILED: &[&str] = &["compile"];

/// The server, the services of examples/microservices, the fuzz driver.
const PROGRAMS: &[&str] = &[
    "grantor",
    "website",
    "orders",
    "invoices",
    "shipping",
    "nightly",
    "grantor-fuzz",
];

/// The API of `grantor-verify`'s tests, and the pages as files.
const EXAMPLES: &[&str] = &["resource-server", "pages"];

fn cargo(
    workspace: &Workspace,
    log: &mut Log<'_>,
    arguments: &[&str],
) -> Result<Option<String>, String> {
    without_note(log.run(&mut workspace.cargo(arguments)))
}

/// Black box tests, each a file of `tests/node` that starts its own servers.
fn node(
    workspace: &Workspace,
    log: &mut Log<'_>,
    names: &[&str],
) -> Result<Option<String>, String> {
    let files = names
        .iter()
        .map(|name| format!("tests/node/{name}.test.mjs"));
    without_note(
        log.run(
            Command::new(setup::node(workspace)?)
                .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
                .args(files),
        ),
    )
}

/// Checks the types of the example's app; its bundler ignores them.
fn types(workspace: &Workspace, log: &mut Log<'_>) -> Result<(), String> {
    log.run(Command::new(setup::node(workspace)?).args([
        "examples/spa-and-api/app/node_modules/typescript/bin/tsc",
        "--project",
        "examples/spa-and-api/app",
    ]))
}

fn python(workspace: &Workspace, log: &mut Log<'_>) -> Result<Option<String>, String> {
    let mut pytest = Command::new(workspace.root.join(setup::PYTHON));
    pytest
        .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
        .arg("tests/python")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    without_note(log.run(&mut pytest))
}

fn without_note(result: Result<(), String>) -> Result<Option<String>, String> {
    result.map(|()| None)
}

#[cfg(test)]
mod tests {
    use super::{STEPS, Step};

    fn position(name: &str) -> Option<usize> {
        STEPS.iter().position(|step| step.name == name)
    }

    #[test]
    fn a_step_waits_only_for_steps_that_come_before_it() {
        for (
            at,
            Step {
                name, needs, after, ..
            },
        ) in STEPS.iter().enumerate()
        {
            for earlier in needs.iter().chain(*after) {
                let earlier_at = position(earlier);
                assert!(
                    earlier_at.is_some_and(|earlier| earlier < at),
                    "{name}: {earlier}"
                );
            }
        }
    }

    #[test]
    fn names_are_unique() {
        for (at, step) in STEPS.iter().enumerate() {
            assert_eq!(position(step.name), Some(at), "{}", step.name);
        }
    }
}
