//! The steps of `cargo xtask test`, in one table, and the walk through it.

use std::io::{IsTerminal, Write};
use std::process::Command;
use std::time::Duration;

use crate::dependencies;
use crate::run::{House, Log, output, timed};
use crate::setup;

/// One check. It says nothing, or a sentence that belongs into the table (what it could not check), or fails with a reason.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    needs: &'static [&'static str],
    run: fn(&House, &mut Log<'_>) -> Result<Option<String>, String>,
}

/// In this order: what is quick to fail comes first. Everything is built in the one release profile, for the whole workspace, so that no
/// dependency is built twice.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "format",
        needs: &[],
        run: |house, log| quiet(log.run(&mut house.cargo(&["fmt", "--all", "--check"]))),
    },
    Step {
        name: "dependencies",
        needs: &[],
        run: dependencies::check,
    },
    Step {
        name: "setup",
        needs: &[],
        run: setup::install,
    },
    Step {
        name: "clippy",
        needs: &[],
        run: |house, log| {
            quiet(log.run(&mut house.cargo(&[
                "clippy",
                "--release",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])))
        },
    },
    Step {
        name: "docs",
        needs: &[],
        run: |house, log| {
            quiet(
                log.run(
                    house
                        .cargo(&["doc", "--release", "--workspace", "--no-deps"])
                        .env("RUSTDOCFLAGS", "-D warnings"),
                ),
            )
        },
    },
    // Before the build, which puts the program without the feature in its place again.
    Step {
        name: "otel",
        needs: &[],
        run: |house, log| {
            // All of the workspace, so that no dependency is built twice; of its targets, only those that the feature changes.
            let what = [
                "--release",
                "--workspace",
                "--features",
                "grantor/otel",
                "--test",
                "process",
            ];
            let clippy = [&["clippy"], &what[..], &["--", "-D", "warnings"]].concat();
            log.run(&mut house.cargo(&clippy))?;
            quiet(log.run(&mut house.cargo(&[&["test"], &what[..], &["otel"]].concat())))
        },
    },
    Step {
        name: "services",
        needs: &[],
        // Those of examples/microservices; with a test of all of the workspace, so that its dependencies are those of the unit tests.
        run: |house, log| {
            let bins = ["website", "orders", "invoices", "shipping", "nightly"];
            let bins = bins.iter().flat_map(|name| ["--bin", name]);
            let what = ["build", "--release", "--workspace", "--test", "process"];
            let what: Vec<&str> = what.into_iter().chain(bins).collect();
            quiet(log.run(&mut house.cargo(&what)))
        },
    },
    Step {
        name: "build",
        needs: &[],
        // As `cargo run` does, so that the steps which run it build nothing more.
        run: |house, log| quiet(log.run(&mut house.cargo(&["build", "--release"]))),
    },
    Step {
        name: "unit",
        needs: &["setup"],
        run: |house, log| quiet(log.run(&mut house.cargo(&["test", "--release", "--workspace"]))),
    },
    // The Rust clients, crates oauth2 and openidconnect, are among the unit tests: cargo itself gives them the server (grantor/tests/process).
    Step {
        name: "fuzz",
        needs: &[],
        // Two seconds for each reader of foreign bytes; `fuzz/README.md` tells of longer ones.
        run: |house, log| {
            quiet(log.run(&mut house.cargo(&["run", "--release", "-p", "grantor-fuzz"])))
        },
    },
    Step {
        name: "clients",
        needs: &["setup", "build"],
        run: |house, log| {
            // With the features that the unit tests have, so that no dependency is built twice.
            let service = [
                "build",
                "--release",
                "--workspace",
                "--example",
                "resource-server",
            ];
            log.run(&mut house.cargo(&service))?;
            node(
                house,
                log,
                &[
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
                ],
            )
        },
    },
    Step {
        name: "python",
        needs: &["setup", "build"],
        run: python,
    },
    Step {
        name: "attacks",
        needs: &["setup", "build"],
        run: |house, log| node(house, log, &["attacks", "bad_input", "floods"]),
    },
    Step {
        name: "browser",
        needs: &["setup", "services", "build"],
        run: |house, log| {
            types(house, log)?;
            node(
                house,
                log,
                &[
                    "device_login_browser",
                    "apache",
                    "pages",
                    "spa_and_api",
                    "microservices",
                ],
            )
        },
    },
    Step {
        name: "examples",
        needs: &["setup", "build"],
        run: |house, log| {
            node(house, log, &["examples", "links"])?;
            book(house, log)
        },
    },
];

/// Carries out the steps named in `wanted`, with those they need; `true` when all went well.
pub(crate) fn carry_out(house: &House, wanted: &[&str]) -> Result<bool, String> {
    let needed = |name: &str| {
        wanted.contains(&name)
            || STEPS
                .iter()
                .any(|step| wanted.contains(&step.name) && step.needs.contains(&name))
    };
    let mut done: Vec<Done> = Vec::new();
    for step in STEPS.iter().filter(|step| needed(step.name)) {
        let failed = |need: &&&str| {
            done.iter()
                .any(|earlier| earlier.name == **need && !earlier.went_well())
        };
        let end = match step.needs.iter().find(failed) {
            Some(need) => End::NotRun(need),
            None => one(house, step)?,
        };
        done.push(Done {
            name: step.name,
            end,
        });
    }
    println!("\n{:<14} {:<8} {:>8}", "step", "", "seconds");
    for Done { name, end } in &done {
        match end {
            End::Ok(took, note) => println!(
                "{name:<14} {:<8} {:>8.1}  {}",
                "ok",
                took.as_secs_f64(),
                note.as_deref().unwrap_or_default()
            ),
            End::Failed(took, why) => println!(
                "{name:<14} {:<8} {:>8.1}  {why}",
                "FAILED",
                took.as_secs_f64()
            ),
            End::NotRun(need) => println!("{name:<14} {:<8} {:>8}  it needs {need}", "NOT RUN", ""),
        }
    }
    Ok(done.iter().all(Done::went_well))
}

struct Done {
    name: &'static str,
    end: End,
}

enum End {
    Ok(Duration, Option<String>),
    Failed(Duration, String),
    NotRun(&'static str),
}

impl Done {
    fn went_well(&self) -> bool {
        matches!(self.end, End::Ok(..))
    }
}

fn one(house: &House, step: &Step) -> Result<End, String> {
    print!("{:<14} ", step.name);
    if std::io::stdout().is_terminal() {
        print!("…\r{:<14} ", step.name);
    }
    std::io::stdout().flush().map_err(|why| why.to_string())?;
    let mut log = house.log(step.name)?;
    let (result, took) = timed(|| (step.run)(house, &mut log));
    let seconds = took.as_secs_f64();
    Ok(match result {
        Ok(note) => {
            println!(
                "{:<8} {seconds:>8.1}  {}",
                "ok",
                note.as_deref().unwrap_or_default()
            );
            End::Ok(took, note)
        }
        Err(why) => {
            println!("{:<8} {seconds:>8.1}  {why}\n\n{}\n", "FAILED", log.text());
            End::Failed(took, why)
        }
    })
}

/// The black box tests named, each a file of `tests/node`: a fresh server (or several) for each.
fn node(house: &House, log: &mut Log<'_>, names: &[&str]) -> Result<Option<String>, String> {
    let files = names
        .iter()
        .map(|name| format!("tests/node/{name}.test.mjs"));
    quiet(
        log.run(
            Command::new(setup::node(house)?)
                .args(["--test", "--test-concurrency=1", "--test-reporter=spec"])
                .args(files),
        ),
    )
}

/// The types of the example's app, which its bundler takes for comments.
fn types(house: &House, log: &mut Log<'_>) -> Result<(), String> {
    log.run(Command::new(setup::node(house)?).args([
        "examples/spa-and-api/app/node_modules/typescript/bin/tsc",
        "--project",
        "examples/spa-and-api/app",
    ]))
}

/// The book as HTML, where there is mdBook to make it.
fn book(house: &House, log: &mut Log<'_>) -> Result<Option<String>, String> {
    if output(Command::new("mdbook").arg("--version")).is_err() {
        return Ok(Some("without mdbook: the book was not built".to_owned()));
    }
    quiet(
        log.run(
            Command::new("mdbook")
                .arg("build")
                .arg(house.root.join("docs")),
        ),
    )
}

fn python(house: &House, log: &mut Log<'_>) -> Result<Option<String>, String> {
    quiet(
        log.run(
            Command::new(house.root.join(setup::PYTHON))
                .args([
                    "-m",
                    "pytest",
                    "-q",
                    "-p",
                    "no:cacheprovider",
                    "tests/python",
                ])
                .env("PYTHONDONTWRITEBYTECODE", "1"),
        ),
    )
}

fn quiet(result: Result<(), String>) -> Result<Option<String>, String> {
    result.map(|()| None)
}
